/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What the kernel tells about an object, and how it is shown. One table of
 * fields for each kind of object drives parsing, JSON and text alike, so that
 * they cannot disagree.
 */
#ifndef ZCCTL_RECORD_H
#define ZCCTL_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/netlink.h>
#include <linux/zcbuf.h>

#define RECORD_ATTRS	32	/* more than any space has */
#define RECORD_LABELS	4	/* of a channel, from ZCBUF_A_CHANNEL_DOMAIN on */

enum show {
	SHOW_HANDLE,
	SHOW_POOL,		/* handle of a pool, which may have a name */
	SHOW_TEXT,
	SHOW_LABEL,		/* part of a channel's name; all of it in a table */
	SHOW_TOPIC,		/* a name by whether the flags say TOPIC */
	SHOW_COUNT,
	SHOW_PID,		/* 0: not visible from here */
	SHOW_CGROUP,		/* of that process now, as /proc tells */
	SHOW_BYTES,
	SHOW_AGE,		/* nanoseconds */
	SHOW_MODE,
	SHOW_CHOICE,		/* a name by value */
	SHOW_FLAGS,		/* a name by bit */
	SHOW_RIGHTS,		/* likewise; a letter by bit in text */
	SHOW_YES,		/* there or not */
};

/**
 * struct field - one attribute
 * @attr: its number
 * @show: what it is
 * @key: its name in JSON and in zcctl pool show
 * @title: of its column, NULL if tables do without it
 * @names: what SHOW_CHOICE, SHOW_TOPIC, SHOW_FLAGS and SHOW_RIGHTS stand for, NULL
 *	ends it
 */
struct field {
	int attr;
	enum show show;
	const char *key;
	const char *title;
	const char *const *names;
};

/**
 * struct spec - one kind of object
 * @plural: its name in JSON
 * @cmd: the command that dumps it
 * @pool: the attribute that says which pool it belongs to
 * @field: what is known of it, in the order it is shown
 * @nfields: entries of @field
 */
struct spec {
	const char *plural;
	int cmd;
	int pool;
	const struct field *field;
	size_t nfields;
};

extern const struct spec pool_spec;
extern const struct spec session_spec;
extern const struct spec channel_spec;
extern const struct spec arena_spec;

/**
 * struct pool_class - a class of a pool
 * @length: bytes of an object
 * @used: objects handed out
 * @total: objects there are
 * @min_free: the least that were ever free, if @fixed
 * @waste: bytes of pages leased to it that are in no object handed out, if @leased
 * @fixed: of a FIXED pool
 * @leased: of a TIERS pool
 */
struct pool_class {
	uint32_t length;
	uint32_t used;
	uint32_t total;
	uint32_t min_free;
	uint64_t waste;
	bool fixed;
	bool leased;
};

/**
 * struct record - one object
 * @have: bit n: attribute n came
 * @num: numbers, by attribute
 * @text: the name; no object has two
 * @label: of a channel with a name: domain, service, instance, event
 * @cgroup: of the process that opened a session, if that can be told
 * @order_free: free blocks of 4096 << i bytes
 * @norders: entries of @order_free
 * @class: classes of a pool
 * @nclasses: entries of @class
 * @arena: arenas of a pool, if they were asked for
 * @narenas: entries of @arena
 */
struct record {
	uint32_t have;
	uint64_t num[RECORD_ATTRS];
	char *text;
	char *label[RECORD_LABELS];
	char *cgroup;
	uint32_t *order_free;
	size_t norders;
	struct pool_class *class;
	size_t nclasses;
	struct record *arena;
	size_t narenas;
};

struct records {
	struct record *v;
	size_t n;
};

static inline bool record_has(const struct record *r, int attr)
{
	return r->have >> attr & 1;
}

/*
 * Adds what the message says. Attributes it does not know are skipped, those
 * that are missing are not in @have. -EBADMSG: an attribute of a wrong size.
 */
int records_parse(struct records *all, const struct spec *spec,
		  struct nlmsghdr *nlh);
/* Adds a copy of @arena, which has nothing but numbers. */
void record_add_arena(struct record *pool, const struct record *arena);
void records_drop(struct records *all, size_t i);
void records_free(struct records *all);

#endif /* ZCCTL_RECORD_H */
