/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* The list of input files, before there is a ledger. */
#ifndef INGEST_LIST_H
#define INGEST_LIST_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/*
 * struct list
 * @names: of all files, each with its terminating 0
 * @length: bytes of them
 * @room: bytes there is room for
 * @nfiles: their number
 * @bytes: in all files
 * @largest: bytes of the largest file
 * @largest_name: offset of its name
 * @skipped: no regular files, or our own
 * @errors: what could not be looked at, and was complained about
 */
struct list {
	char *names;
	size_t length;
	size_t room;
	uint64_t nfiles;
	uint64_t bytes;
	uint64_t largest;
	size_t largest_name;
	uint64_t skipped;
	unsigned int errors;
};

/*
 * All regular files among and below @paths, which ends with NULL, sorted within
 * their directories. Symbolic links are not followed, unless they are one of
 * @paths; @own, files this program writes, are left out where they are found,
 * and refused where they are asked for.
 *
 * Return: 0 or a negative errno; what could not be read only counts as an error
 * in the list.
 */
int list_files(struct list *list, char **paths, const struct stat *own,
	       unsigned int nown);
void list_free(struct list *list);

#endif /* INGEST_LIST_H */
