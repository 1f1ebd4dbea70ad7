/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Calls on pools and buffers to fail.
 */
#ifndef ZCBUF_SELFTEST_FAILNTH_POOL_H
#define ZCBUF_SELFTEST_FAILNTH_POOL_H

#include "failnth.h"

#define FN_OBJECT	1024	/* bytes; some of them are leased at a time */

static void *fn_arg(struct fn_run *f)
{
	return f->t.arg;
}

/* ------------------------------------------------------------------- QUERY */

static void fn_arrange_fresh(struct fn_run *f)
{
	f->fd = f->rig.fresh;
}

static void fn_use_query(struct fn_run *f)
{
	const struct zcbuf_query *q = fn_arg(f);

	EXPECT_EQ(q->out_version, ZCBUF_VERSION);
	EXPECT_GT(q->out_session, 0);
	EXPECT_EQ(!q->out_pool, f->fd == f->rig.fresh);
}

/* ------------------------------------------------------------- POOL_CREATE */

static void fn_create(struct fn_run *f, __u32 kind, __u32 flags)
{
	struct zcbuf_pool_create *a = fn_arg(f);

	*a = zt_arg(struct zcbuf_pool_create, .kind = kind, .flags = flags,
		.arena_size = ZT_ARENA);
}

static void fn_arrange_pages(struct fn_run *f)
{
	fn_create(f, ZCBUF_POOL_PAGES, 0);
}

static void fn_arrange_tiers(struct fn_run *f)
{
	fn_create(f, ZCBUF_POOL_TIERS, ZCBUF_POOL_F_NO_ZERO_ON_REUSE);
}

/* An object of each length, so that there is no more to fail than to make. */
static void fn_arrange_fixed(struct fn_run *f)
{
	struct zcbuf_class *table = (struct zcbuf_class *)f->t.array[0];

	table[0] = (struct zcbuf_class){ .length = ZT_PAGE, .count = 1 };
	table[1] = (struct zcbuf_class){ .length = 2 * ZT_PAGE, .count = 1 };
	*(struct zcbuf_pool_create *)fn_arg(f) =
		zt_arg(struct zcbuf_pool_create, .kind = ZCBUF_POOL_FIXED,
		       .nclasses = 2, .classes = zt_ptr(table));
}

static void fn_arrange_node(struct fn_run *f)
{
	fn_create(f, ZCBUF_POOL_PAGES, ZCBUF_POOL_F_NODE);
}

/* There are many failures, so each round should not take long. */
static void fn_arrange_small(struct fn_run *f)
{
	f->fd = fn_keep(f, zt_open(O_RDWR));
	fn_create(f, ZCBUF_POOL_PAGES, ZCBUF_POOL_F_SMALL_PAGES);
}

static void fn_arrange_persistent(struct fn_run *f)
{
	struct zcbuf_pool_create *a = fn_arg(f);

	a->flags = ZCBUF_POOL_F_PERSISTENT;
}

/* It is not to stay. */
static void fn_then_remove(struct fn_run *f, int answer)
{
	struct zcbuf_pool_remove a = zt_arg(struct zcbuf_pool_remove);

	if (!answer)
		ASSERT_OK(zt_call(f->fd, ZCBUF_IOC_POOL_REMOVE, &a));
}

static void fn_arrange_strict(struct fn_run *f)
{
	fn_create(f, ZCBUF_POOL_PAGES, ZCBUF_POOL_F_HUGE_STRICT);
}

/* The pool of @fd can do what a pool is for. */
static void fn_use_pool(int fd, __u64 size)
{
	char *map = zt_map(fd, PROT_READ | PROT_WRITE, size);
	__u64 handle;

	ASSERT_NE(map, NULL);
	EXPECT_FILLED(map, 0, ZT_PAGE);
	map[size - 1] = 1;
	munmap(map, size);
	ASSERT_OK(zt_alloc1(fd, ZT_PAGE, &handle));
	ASSERT_OK(zt_free1(fd, handle));
}

static void fn_use_create(struct fn_run *f)
{
	const struct zcbuf_pool_create *a = fn_arg(f);
	struct zcbuf_pool_info info;

	ASSERT_OK(zt_pool_info(f->fd, &info));
	EXPECT_EQ(info.out_pool, a->out_pool);
	EXPECT_EQ(info.out_size, a->out_size);
	EXPECT_EQ(info.out_page_order, a->out_page_order);
	EXPECT_EQ(info.out_rights, a->out_rights);
	if (a->flags & ZCBUF_POOL_F_HUGE_STRICT)
		EXPECT_NE(a->out_page_order, 0);
	if (a->flags & ZCBUF_POOL_F_SMALL_PAGES)
		EXPECT_EQ(a->out_page_order, 0);
	fn_use_pool(f->fd, a->out_size);
}

/* ------------------------------------------------------------- POOL_ATTACH */

static void fn_arrange_by_fd(struct fn_run *f)
{
	struct zcbuf_pool_attach *a = fn_arg(f);

	*a = zt_arg(struct zcbuf_pool_attach, .flags = ZCBUF_ATTACH_F_FD,
		.fd = f->rig.fd);
}

static void fn_arrange_by_uid(struct fn_run *f)
{
	struct zcbuf_pool_attach *a = fn_arg(f);

	a->flags = ZCBUF_ATTACH_F_UID;
	a->uid = getuid();
}

static void fn_use_attach(struct fn_run *f)
{
	const struct zcbuf_pool_attach *a = fn_arg(f);
	struct zcbuf_query q;

	ASSERT_OK(zt_query(f->fd, &q));
	EXPECT_EQ(q.out_pool, a->out_pool);
	EXPECT_EQ(q.out_rights, a->out_rights);
	EXPECT_EQ(a->out_size, f->rig.size);
}

/* --------------------------------------------------------------- POOL_INFO */

static void fn_arrange_no_classes(struct fn_run *f)
{
	*(struct zcbuf_pool_info *)fn_arg(f) = zt_arg(struct zcbuf_pool_info);
}

static void fn_arrange_few_classes(struct fn_run *f)
{
	struct zcbuf_pool_info *a = fn_arg(f);

	a->nclasses = RIG_CLASSES - 1;
}

static void fn_use_info(struct fn_run *f)
{
	const struct zcbuf_pool_info *a = fn_arg(f);
	const struct zcbuf_class_info *c = (void *)f->t.array[0];

	EXPECT_EQ(a->out_size, f->rig.size);
	EXPECT_EQ(a->nclasses, RIG_CLASSES);
	if (a->classes)
		EXPECT_EQ(c[RIG_CLASSES - 1].length, 1024);
}

/* --------------------------------------------------------------- POOL_GROW */

/* The pool may have as many as it likes. */
static void fn_use_grown(struct fn_run *f)
{
	const struct zcbuf_pool_grow *a = fn_arg(f);
	char *new;

	EXPECT_EQ(a->out_size, ((__u64)a->out_arena + 1) * ZT_ARENA);
	new = mmap(NULL, ZT_ARENA, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd,
		   a->out_arena * ZT_ARENA);
	ASSERT_NE(new, MAP_FAILED);
	new[ZT_ARENA - 1]++;
	EXPECT_OK(munmap(new, ZT_ARENA));
}

/* ------------------------------------------------------------- POOL_REMOVE */

static void fn_arrange_no_name(struct fn_run *f)
{
	*(struct zcbuf_pool_remove *)fn_arg(f) =
		zt_arg(struct zcbuf_pool_remove);
}

static void fn_use_removed(struct fn_run *f)
{
	EXPECT_ERR(zt_pool_attach(f->rig.fresh, f->rig.name, 0), ENOENT);
	EXPECT_ERR(zt_call(f->fd, ZCBUF_IOC_POOL_REMOVE, f->t.arg), ENOENT);
	EXPECT_OK(zt_pool_create_named(f->rig.fresh, f->rig.name, 0));
}

/* ------------------------------------------------------------- POOL_RETIRE */

static void fn_use_retired(struct fn_run *f)
{
	const struct zcbuf_pool_retire *a = fn_arg(f);
	struct zcbuf_pool_info info;

	EXPECT_EQ(a->out_state, ZCBUF_ARENA_GONE);
	ASSERT_OK(zt_pool_info(f->fd, &info));
	EXPECT_EQ(info.out_size, ZT_ARENA);
	EXPECT_EQ(info.out_end, 2 * ZT_ARENA);
	EXPECT_EQ(info.out_present, 1);
}

/* ------------------------------------------------------------- ALLOC, FREE */

static void fn_alloc(struct fn_run *f, __u64 length, __u32 flags)
{
	struct zcbuf_alloc *a = fn_arg(f);

	a->length = length;
	a->flags = flags;
	a->count = FN_UNITS;
	f->t.bytes[0] = FN_UNITS * sizeof(__u64);
}

static void fn_arrange_objects(struct fn_run *f)
{
	fn_alloc(f, FN_OBJECT, 0);
}

static void fn_arrange_blocks(struct fn_run *f)
{
	fn_alloc(f, 2 * ZT_PAGE, 0);
}

static void fn_arrange_zeroed(struct fn_run *f)
{
	fn_alloc(f, ZT_PAGE, ZCBUF_ALLOC_F_ZERO);
}

static void fn_undo_alloc(struct fn_run *f)
{
	const __u64 *handles = (void *)f->t.array[0];
	unsigned int i;

	for (i = f->units; i--;)
		ASSERT_OK(zt_free1(f->fd, handles[i]));
}

/* @n buffers for FREE: objects that share pages, so that pages go as well. */
static void fn_arrange_many_buffers(struct fn_run *f)
{
	struct zcbuf_batch *a = fn_arg(f);

	ASSERT_EQ(zt_alloc(f->fd, FN_OBJECT, 0, 0, (void *)f->t.array[0],
			   FN_UNITS), FN_UNITS);
	a->count = FN_UNITS;
	f->t.bytes[0] = FN_UNITS * sizeof(__u64);
}

static void fn_use_places(struct fn_run *f)
{
	static const __u64 capacity[] = { 8192, 64 };
	const struct zcbuf_buf_place *p = (void *)f->t.array[1];
	const __u64 *handles = (void *)f->t.array[0];
	__u32 i;

	for (i = 0; i < f->done; i++) {
		EXPECT_EQ(p[i].offset, zcbuf_buf_offset(handles[i]));
		EXPECT_EQ(p[i].capacity, capacity[i]);
	}
}

static void fn_use_given(struct fn_run *f)
{
	const __u64 *handles = (void *)f->t.array[0];
	__u32 i;

	for (i = 0; i < f->done; i++) {
		EXPECT_ERR(zt_free1(f->fd, handles[i]), EPERM);
		EXPECT_OK(zt_free1(f->rig.other, handles[i]));
	}
}

/* It must not outlive the session it is of. */
static void fn_keep_token(struct fn_run *f, int err)
{
	const struct zcbuf_pin_token *a = fn_arg(f);

	if (!err)
		f->fds[f->nfds++] = a->out_fd;
}

static void fn_undo_fd(struct fn_run *f)
{
	ASSERT_OK(close(f->fds[--f->nfds]));
}

static void fn_use_shared(struct fn_run *f)
{
	const __u64 *handles = (void *)f->t.array[0];
	__u32 i;

	for (i = 0; i < f->done; i++) {
		EXPECT_OK(zt_free1(f->fd, handles[i]));
		EXPECT_ERR(zt_free1(f->fd, handles[i]), EPERM);
		EXPECT_OK(zt_free1(f->rig.other, handles[i]));
	}
}

/* As fn_keep_token(). */
static void fn_keep_export(struct fn_run *f, int err)
{
	const struct zcbuf_export *a = fn_arg(f);

	if (!err)
		f->fds[f->nfds++] = a->out_fd;
}

static void fn_use_exported(struct fn_run *f)
{
	const struct zcbuf_export *a = fn_arg(f);

	EXPECT_EQ(lseek(a->out_fd, 0, SEEK_END), ZT_PAGE);
}

/* As fn_keep_token(). */
static void fn_keep_heartbeat(struct fn_run *f, int err)
{
	const struct zcbuf_heartbeat *a = fn_arg(f);

	if (!err)
		f->fds[f->nfds++] = a->out_fd;
}

/*
 * The page is there: what was had before the answer was not to be had is the
 * session's, for the next call.
 */
static void fn_arrange_heartbeat(struct fn_run *f)
{
	struct zcbuf_heartbeat a = *(struct zcbuf_heartbeat *)fn_arg(f);
	struct zcbuf_heartbeat none = zt_arg(struct zcbuf_heartbeat);

	ASSERT_OK(zt_call(f->fd, ZCBUF_IOC_HEARTBEAT, &a));
	close(a.out_fd);
	ASSERT_OK(zt_call(f->fd, ZCBUF_IOC_HEARTBEAT, &none));
}

static void fn_use_heartbeat(struct fn_run *f)
{
	const struct zcbuf_heartbeat *a = fn_arg(f);
	struct zcbuf_heartbeat_page *page;

	page = mmap(NULL, a->out_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		    a->out_fd, 0);
	ASSERT_NE(page, MAP_FAILED);
	page->beats++;
	munmap(page, a->out_bytes);
}

/* ------------------------------------------------------------------- table */

static const struct fn_row fn_pool_rows[] = {
	FN_CALL(query, QUERY, .use = fn_use_query),
	FN_CALL(query_unattached, QUERY, .arrange = fn_arrange_fresh,
		.use = fn_use_query),

	FN_CALL(pool_create, POOL_CREATE, .use = fn_use_create),
	FN_CALL(pool_create_pages, POOL_CREATE, .least = 10,
		.arrange = fn_arrange_pages, .use = fn_use_create),
	FN_CALL(pool_create_tiers, POOL_CREATE, .least = 10,
		.arrange = fn_arrange_tiers, .use = fn_use_create),
	FN_CALL(pool_create_fixed, POOL_CREATE, .least = 10,
		.arrange = fn_arrange_fixed, .use = fn_use_create),
	FN_CALL(pool_create_node, POOL_CREATE, .least = 10,
		.arrange = fn_arrange_node, .use = fn_use_create),
	FN_CALL(pool_create_small_pages, POOL_CREATE, .bare = true,
		.alike_from = 24, .alike_to = ZT_ARENA / ZT_PAGE - 8,
		.least = 48, .arrange = fn_arrange_small,
		.use = fn_use_create),
	FN_CALL(pool_create_persistent, POOL_CREATE, .least = 10,
		.arrange = fn_arrange_persistent, .then = fn_then_remove,
		.use = fn_use_create),
	FN_CALL(pool_create_huge_strict, POOL_CREATE, .least = 10,
		.arrange = fn_arrange_strict, .use = fn_use_create),

	FN_CALL(pool_attach, POOL_ATTACH, .use = fn_use_attach),
	FN_CALL(pool_attach_fd, POOL_ATTACH, .least = 2,
		.arrange = fn_arrange_by_fd, .use = fn_use_attach),
	FN_CALL(pool_attach_uid, POOL_ATTACH,
		.arrange = fn_arrange_by_uid, .use = fn_use_attach),

	FN_CALL(pool_info, POOL_INFO, .use = fn_use_info),
	FN_CALL(pool_info_no_classes, POOL_INFO, .least = 3,
		.arrange = fn_arrange_no_classes, .use = fn_use_info),
	FN_CALL(pool_info_few_classes, POOL_INFO, .answer = -EMSGSIZE,
		.arrange = fn_arrange_few_classes),

	FN_CALL(pool_grow, POOL_GROW, .least = 8, .stands = true,
		.use = fn_use_grown),

	FN_CALL(pool_remove, POOL_REMOVE, .use = fn_use_removed),
	FN_CALL(pool_remove_own, POOL_REMOVE, .least = 1,
		.arrange = fn_arrange_no_name, .use = fn_use_removed),

	FN_CALL(pool_retire, POOL_RETIRE, .stands = true,
		.use = fn_use_retired),

	FN_CALL(alloc, ALLOC, .undo = fn_undo_alloc,
		.use = fn_undo_alloc),
	FN_CALL(alloc_objects, ALLOC, .units = FN_UNITS, .least = 6,
		.arrange = fn_arrange_objects, .undo = fn_undo_alloc,
		.use = fn_undo_alloc),
	FN_CALL(alloc_blocks, ALLOC, .units = FN_UNITS,
		.arrange = fn_arrange_blocks, .undo = fn_undo_alloc,
		.use = fn_undo_alloc),
	FN_CALL(alloc_zeroed, ALLOC, .units = FN_UNITS,
		.arrange = fn_arrange_zeroed, .undo = fn_undo_alloc,
		.use = fn_undo_alloc),

	FN_CALL(buf_info, BUF_INFO, .use = fn_use_places),

	FN_CALL(transfer, TRANSFER, .stands = true, .use = fn_use_given),

	FN_CALL(pin_token, PIN_TOKEN, .then = fn_keep_token,
		.undo = fn_undo_fd),

	FN_CALL(share, SHARE, .stands = true, .least = 6,
		.use = fn_use_shared),

	FN_CALL(export, EXPORT, .least = 8, .then = fn_keep_export,
		.undo = fn_undo_fd, .use = fn_use_exported),

	FN_CALL(heartbeat, HEARTBEAT, .least = 4, .stands = true,
		.arrange = fn_arrange_heartbeat, .then = fn_keep_heartbeat,
		.use = fn_use_heartbeat),

	FN_CALL(free, FREE, .stands = true),
	FN_CALL(free_many, FREE, .units = FN_UNITS, .stands = true,
		.arrange = fn_arrange_many_buffers),
};

#endif /* ZCBUF_SELFTEST_FAILNTH_POOL_H */
