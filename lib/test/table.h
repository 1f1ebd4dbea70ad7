/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A registrar of the tests: tables of buffers and of files without a ring, which
 * fail where they are told to, and say afterwards what is in them; and pools to
 * register there.
 */
#ifndef ZCBUF_LIB_TEST_TABLE_H
#define ZCBUF_LIB_TEST_TABLE_H

#include <stdbool.h>

#include "../internal.h"

#define GIB		0x40000000ULL
#define SLOTS		48
#define SPLIT_ARENA	(2 * GIB + (2 << 20))	/* three slots */
#define ARENA		(4ULL << 20)
#define POOLS		3

/*
 * Both tables, and how they fail: set a slot, set one to nothing, be made. What is
 * in the one of files are descriptors of its own.
 */
struct table {
	bool has_files;
	unsigned int nfiles;
	int file[SLOTS];	/* 0: none */
	int files_error;
	int file_error;
	unsigned int file_fails_at;	/* slot */
	unsigned int files_dropped;
	bool no_tokens;		/* and nobody misses them */
	bool exists;
	unsigned int nslots;
	struct iovec slot[SLOTS];
	int make_error;
	int set_error;
	unsigned int set_fails_at;	/* slot */
	int clear_error;
	unsigned int clear_fails_at;	/* slot */
	unsigned int dropped;
};

/* A pool that is never touched: only its addresses are used. */
struct rig {
	struct zcb_map map;
	struct zcbuf_pool pool;
	struct zcbuf_uring uring;
};

extern const struct zcbuf_registrar table_registrar;	/* ctx: struct table */

/* Both are there already, of all slots there can be. */
void table_init(struct table *t);

/* As if somebody else did: 0, or -ENXIO if there is none. */
int table_drop(void *ctx);
int table_drop_files(void *ctx);

/* How many files there are. */
unsigned int table_files(const struct table *t);

void table_slot_is(const struct table *t, unsigned int i,
		   const unsigned char *base, size_t length);

/* Slots @first to @end, without that, are empty. */
void table_empty(const struct table *t, unsigned int first, unsigned int end);

/* The @nr-th pool, with @arenas of the @max there may be. */
void rig_init(struct rig *r, unsigned int nr, __u64 arena_size,
	      unsigned int arenas, unsigned int max);

/* @first: the slot, of the tables there are; -1: with tables of its own */
int rig_register(struct rig *r, struct table *t, int first);

/* What arenas of @r that are SPLIT_ARENA have, from slot @first on. */
void table_has_split(const struct rig *r, const struct table *t,
		     unsigned int first, unsigned int arenas);

#endif /* ZCBUF_LIB_TEST_TABLE_H */
