// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ledger.h"
#include "list.h"

static size_t names_at(uint64_t nrows)
{
	return sizeof(struct ledger) + nrows * sizeof(struct row);
}

static void ledger_fill(struct ledger *ledger, const struct list *list)
{
	char *names = (char *)ledger + names_at(list->nfiles);
	size_t at = 0;
	uint64_t i;

	ledger->size = names_at(list->nfiles) + list->length;
	ledger->nrows = list->nfiles;
	if (list->length)
		memcpy(names, list->names, list->length);
	for (i = 0; i < list->nfiles; i++) {
		ledger->row[i].path = names + at - (char *)ledger;
		at += strlen(names + at) + 1;
	}
}

int ledger_map(int fd, struct ledger **ledger)
{
	struct stat st;
	void *mem;

	if (fstat(fd, &st))
		return -errno;
	mem = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED)
		return -errno;
	*ledger = mem;
	return 0;
}

int ledger_create(const struct list *list, struct ledger **ledger)
{
	int err;
	int fd;

	fd = memfd_create("ingest-ledger", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, names_at(list->nfiles) + list->length))
		err = -errno;
	else
		err = ledger_map(fd, ledger);
	if (err) {
		close(fd);
		return err;
	}
	ledger_fill(*ledger, list);
	return fd;
}

struct row *ledger_take(struct ledger *ledger, unsigned int producer)
{
	struct row *row;
	uint64_t i;

	i = atomic_fetch_add_explicit(&ledger->next, 1, memory_order_relaxed);
	if (i >= ledger->nrows)
		return NULL;
	row = &ledger->row[i];
	row->producer = producer;
	row_set_state(row, ROW_TAKEN);
	return row;
}

const char *ledger_path(const struct ledger *ledger, const struct row *row)
{
	return (const char *)ledger + row->path;
}

uint64_t ledger_count_good(const struct ledger *ledger, uint64_t *bytes)
{
	uint64_t i, files = 0;
	enum row_state state;

	*bytes = 0;
	for (i = 0; i < ledger->nrows; i++) {
		state = row_state(&ledger->row[i]);
		if (state == ROW_LANDED)
			*bytes += ledger->row[i].size;
		if (state == ROW_LANDED || state == ROW_EMPTY)
			files++;
	}
	return files;
}

static void tally_add(struct tally *total, const struct tally *tally)
{
	total->files += tally->files;
	total->bytes += tally->bytes;
	total->zcbuf_calls += tally->zcbuf_calls;
	total->other_calls += tally->other_calls;
}

/* The consumer's bytes are not files', and it says itself how it has written. */
void ledger_sum(const struct ledger *ledger, struct tally *total)
{
	const struct tally *consumer = &ledger->tally[MAX_PRODUCERS];
	unsigned int i;

	memset(total, 0, sizeof(*total));
	for (i = 0; i < MAX_PRODUCERS; i++)
		tally_add(total, &ledger->tally[i]);
	total->zcbuf_calls += consumer->zcbuf_calls;
	total->other_calls += consumer->other_calls;
	total->fixed = consumer->fixed;
	total->plain = consumer->plain;
}
