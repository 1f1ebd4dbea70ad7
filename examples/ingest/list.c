// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>

#include "ingest.h"
#include "list.h"
#include "manifest.h"

static int list_grow(struct list *list, size_t more)
{
	size_t room = list->room ? list->room : 1 << 16;
	char *names;

	while (room - list->length < more)
		room *= 2;
	if (room == list->room)
		return 0;
	names = realloc(list->names, room);
	if (!names)
		return -ENOMEM;
	list->names = names;
	list->room = room;
	return 0;
}

static int list_add(struct list *list, const char *path, uint64_t size)
{
	size_t length = strlen(path) + 1;
	int err;

	err = list_grow(list, length);
	if (err)
		return err;
	if (size > list->largest) {
		list->largest = size;
		list->largest_name = list->length;
	}
	memcpy(list->names + list->length, path, length);
	list->length += length;
	list->nfiles++;
	list->bytes += size;
	return 0;
}

static void list_error(struct list *list, const char *path, const char *why)
{
	char name[ESCAPED_MAX];

	complain("%s: %s", escape_path(path, name), why);
	list->errors++;
}

static bool is_own(const struct stat *st, const struct stat *own,
		   unsigned int nown)
{
	while (nown--)
		if (own[nown].st_dev == st->st_dev &&
		    own[nown].st_ino == st->st_ino)
			return true;
	return false;
}

static int list_file(struct list *list, const FTSENT *entry,
		     const struct stat *own, unsigned int nown)
{
	if (!is_own(entry->fts_statp, own, nown))
		return list_add(list, entry->fts_path,
				entry->fts_statp->st_size);
	if (entry->fts_level == FTS_ROOTLEVEL) {
		list_error(list, entry->fts_path,
			   "is also the output or the manifest");
		return -EINVAL;
	}
	list->skipped++;
	return 0;
}

static int list_entry(struct list *list, const FTSENT *entry,
		      const struct stat *own, unsigned int nown)
{
	switch (entry->fts_info) {
	case FTS_F:
		return list_file(list, entry, own, nown);
	case FTS_D:
	case FTS_DP:
		return 0;
	case FTS_DNR:
	case FTS_NS:
	case FTS_ERR:
		list_error(list, entry->fts_path, strerror(entry->fts_errno));
		return 0;
	case FTS_DC:
		list_error(list, entry->fts_path, "directories form a loop");
		return 0;
	default:
		list->skipped++;
		return 0;
	}
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

int list_files(struct list *list, char **paths, const struct stat *own,
	       unsigned int nown)
{
	FTSENT *entry;
	int err = 0;
	FTS *fts;

	fts = fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR,
		       by_name);
	if (!fts)
		return -errno;
	for (;;) {
		errno = 0;
		entry = fts_read(fts);
		if (!entry)
			break;
		err = list_entry(list, entry, own, nown);
		if (err)
			break;
	}
	if (!err)
		err = -errno;
	fts_close(fts);
	return err;
}

void list_free(struct list *list)
{
	free(list->names);
	memset(list, 0, sizeof(*list));
}
