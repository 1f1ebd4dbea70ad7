// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "fake.h"
#include "table.h"
#include "test.h"

unsigned int table_files(const struct table *t)
{
	unsigned int n = 0;
	unsigned int i;

	for (i = 0; i < SLOTS; i++)
		n += !!t->file[i];
	return n;
}

static int table_make(void *ctx, unsigned int nslots)
{
	struct table *t = ctx;

	if (t->make_error)
		return t->make_error;
	if (t->exists)
		return -EBUSY;
	ASSERT_EQ(nslots <= SLOTS, 1);
	memset(t->slot, 0, sizeof(t->slot));
	t->nslots = nslots;
	t->exists = true;
	return 0;
}

static int table_update(void *ctx, unsigned int slot, void *base, size_t length)
{
	struct table *t = ctx;

	if (!t->exists)
		return -ENXIO;
	if (slot >= t->nslots)
		return -EINVAL;
	/* Who is killed now has a token in the ring. */
	EXPECT(table_files(t) || t->no_tokens);
	if (base && t->set_error && slot == t->set_fails_at)
		return t->set_error;
	if (!base)	/* what is empty, or somebody else's, is left alone */
		EXPECT(t->slot[slot].iov_base);
	if (!base && t->clear_error && slot == t->clear_fails_at)
		return t->clear_error;
	if (!base && t->clear_error && slot + 1 == t->clear_fails_at)
		return -EIO;	/* the second one, from the end */
	t->slot[slot] = (struct iovec){ base, length };
	return 0;
}

int table_drop(void *ctx)
{
	struct table *t = ctx;

	if (!t->exists)
		return -ENXIO;
	EXPECT(table_files(t) || t->no_tokens);	/* as above */
	t->exists = false;
	t->dropped++;
	return 0;
}

static int table_clone(void *ctx, void *from)
{
	struct table *source = from;
	struct table *t = ctx;

	if (t->make_error)
		return t->make_error;
	if (!source->exists)
		return -ENXIO;
	if (t->exists)
		return -EBUSY;
	t->nslots = source->nslots;
	memcpy(t->slot, source->slot, sizeof(t->slot));
	t->exists = true;
	return 0;
}

static int table_make_files(void *ctx, unsigned int nslots)
{
	struct table *t = ctx;

	if (t->files_error)
		return t->files_error;
	if (t->has_files)
		return -EBUSY;
	ASSERT_EQ(nslots && nslots <= SLOTS, 1);
	t->nfiles = nslots;
	t->has_files = true;
	return 0;
}

static int table_update_file(void *ctx, unsigned int slot, int fd)
{
	struct table *t = ctx;

	if (!t->has_files)
		return -ENXIO;
	if (slot >= t->nfiles)
		return -EINVAL;
	if (t->file_error && slot == t->file_fails_at)
		return t->file_error;
	/* One may be put in the place of another. */
	EXPECT(fd >= 0 || t->file[slot]);
	if (t->file[slot])
		close(t->file[slot]);
	t->file[slot] = 0;
	if (fd < 0)
		return 0;
	t->file[slot] = dup(fd);
	return t->file[slot] < 0 ? -errno : 0;
}

int table_drop_files(void *ctx)
{
	struct table *t = ctx;
	unsigned int i;

	if (!t->has_files)
		return -ENXIO;
	for (i = 0; i < SLOTS; i++)
		if (t->file[i])
			close(t->file[i]);
	memset(t->file, 0, sizeof(t->file));
	t->has_files = false;
	t->files_dropped++;
	return 0;
}

const struct zcbuf_registrar table_registrar = {
	.sz = sizeof(table_registrar),
	.register_table = table_make,
	.update_slot = table_update,
	.unregister_table = table_drop,
	.clone_table = table_clone,
	.register_files = table_make_files,
	.update_file = table_update_file,
	.unregister_files = table_drop_files,
};

void table_init(struct table *t)
{
	memset(t, 0, sizeof(*t));
	t->nslots = SLOTS;
	t->exists = true;
	t->nfiles = SLOTS;
	t->has_files = true;
}

void rig_init(struct rig *r, unsigned int nr, __u64 arena_size,
	      unsigned int arenas, unsigned int max)
{
	memset(r, 0, sizeof(*r));
	r->map.base = (unsigned char *)(0x100000000000 * (nr + 1));
	r->map.reserved = arena_size * max;
	r->map.size = arena_size * arenas;
	r->pool.map = &r->map;
	r->pool.arena_size = arena_size;
	r->pool.rights = ZCBUF_RIGHTS_ALL;
	fake.pool_size = 0;	/* what POOL_INFO says brings nothing */
}

int rig_register(struct rig *r, struct table *t, int first)
{
	const struct zcbuf_uring_opts opts = {
		.sz = sizeof(opts),
		.registrar = &table_registrar,
		.ctx = t,
		.flags = first < 0 ? 0 : ZCBUF_URING_SHARE_TABLE |
					 ZCBUF_URING_TOKEN_SLOT,
		.first_slot = first < 0 ? 0 : first,
		.token_slot = first < 0 ? 0 : first,
	};

	return zcbuf_uring_register_opts(&r->uring, NULL, &r->pool, &opts);
}

void table_slot_is(const struct table *t, unsigned int i,
		   const unsigned char *base, size_t length)
{
	EXPECT(t->slot[i].iov_base == base);
	EXPECT_EQ(t->slot[i].iov_len, length);
}

void table_has_split(const struct rig *r, const struct table *t,
		     unsigned int first, unsigned int arenas)
{
	const unsigned char *base = r->map.base;
	unsigned int i;

	for (i = 0; i < arenas; i++) {
		table_slot_is(t, first++, base, GIB);
		table_slot_is(t, first++, base + GIB, GIB);
		table_slot_is(t, first++, base + 2 * GIB, 2 << 20);
		base += SPLIT_ARENA;
	}
}

void table_empty(const struct table *t, unsigned int first, unsigned int end)
{
	while (first < end)
		table_slot_is(t, first++, NULL, 0);
}
