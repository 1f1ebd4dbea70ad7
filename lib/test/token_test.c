// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Pin tokens: in the ring before any memory and after all of it, or nothing at
 * all; and clones, which need some of their own.
 */
#include <errno.h>
#include <string.h>

#include "fake.h"
#include "table.h"
#include "test.h"

/* How the token fails: nothing is registered then, nor left over. */
static void tokens_that_fail(void)
{
	static const int errors[] = { EMFILE, ENOMEM, EINVAL };
	unsigned int fds = fake_open_fds();
	struct table t;
	struct rig r;
	unsigned int i;

	rig_init(&r, 0, ARENA, 1, 1);
	memset(&t, 0, sizeof(t));
	t.files_error = -ENOMEM;
	EXPECT_EQ(rig_register(&r, &t, -1), -ENOMEM);
	EXPECT_EQ(fake.calls[ZCBUF_NR_PIN_TOKEN], 0);
	t.files_error = 0;
	t.file_error = -EINTR;
	EXPECT_EQ(rig_register(&r, &t, -1), -EINTR);
	EXPECT(!t.has_files && !t.exists);
	t.file_error = 0;
	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		fake.fail[ZCBUF_NR_PIN_TOKEN] = errors[i];
		EXPECT_EQ(rig_register(&r, &t, -1), -errors[i]);
		EXPECT(!t.has_files && !t.exists);
		EXPECT_EQ(zcbuf_uring_unregister(&r.uring), 0);
	}
	/* What registering read-only memory says. */
	fake.fail[ZCBUF_NR_PIN_TOKEN] = EPERM;
	EXPECT_EQ(rig_register(&r, &t, -1), -EFAULT);
	EXPECT(!t.has_files && !t.exists);
	table_init(&t);
	t.file_error = -EINTR;
	t.file_fails_at = 7;
	EXPECT_EQ(rig_register(&r, &t, 7), -EINTR);
	EXPECT_EQ(table_files(&t), 0);
	fake.fail[ZCBUF_NR_PIN_TOKEN] = ENFILE;
	EXPECT_EQ(rig_register(&r, &t, 8), -ENFILE);
	EXPECT_EQ(table_files(&t), 0);
	EXPECT(t.has_files);
	ASSERT_EQ(table_drop_files(&t), 0);
	EXPECT_EQ(rig_register(&r, &t, 8), -ENXIO);
	table_empty(&t, 0, SLOTS);
	EXPECT_EQ(fake_open_fds(), fds);
}

static unsigned int lines;

static void count_lines(void *ctx, const struct zcbuf_pool *pool, int err,
			const char *text)
{
	EXPECT(!ctx && pool && text);
	EXPECT_EQ(err, -ENOTTY);
	lines++;
}

/* None is wanted, or no module knows what it is: the rest goes on, and it is told. */
static void without_token(void)
{
	struct table t = { .no_tokens = true };
	struct zcbuf_uring_opts opts = {
		.sz = sizeof(opts), .registrar = &table_registrar, .ctx = &t,
		.flags = ZCBUF_URING_NO_TOKEN,
	};
	unsigned int fds = fake_open_fds();
	const struct zcbuf_log log = { sizeof(log), count_lines, NULL };
	struct rig r;

	rig_init(&r, 0, ARENA, 1, 1);
	r.pool.log = log;
	ASSERT_EQ(zcbuf_uring_register_opts(&r.uring, NULL, &r.pool, &opts), 0);
	EXPECT_EQ(fake.calls[ZCBUF_NR_PIN_TOKEN], 0);
	EXPECT(!t.has_files);
	EXPECT_EQ(zcbuf_uring_unregister(&r.uring), 0);
	EXPECT_EQ(t.files_dropped, 0);

	fake.fail[ZCBUF_NR_PIN_TOKEN] = ENOTTY;
	EXPECT_EQ(lines, 0);
	ASSERT_EQ(rig_register(&r, &t, -1), 0);
	EXPECT_EQ(lines, 1);
	EXPECT(!t.has_files && t.exists);
	EXPECT_EQ(zcbuf_uring_unregister(&r.uring), 0);
	table_init(&t);
	t.no_tokens = true;
	fake.fail[ZCBUF_NR_PIN_TOKEN] = ENOTTY;
	ASSERT_EQ(rig_register(&r, &t, 3), 0);
	EXPECT_EQ(table_files(&t), 0);
	table_slot_is(&t, 3, r.map.base, ARENA);
	EXPECT_EQ(zcbuf_uring_unregister(&r.uring), 0);
	EXPECT(t.has_files && t.exists);
	EXPECT_EQ(fake_open_fds(), fds);
}

/* The ring of a fork child is the parent's. */
static void fork_child(void)
{
	struct table t = { .exists = false };
	struct zcbuf_uring theirs;
	struct rig r;

	rig_init(&r, 0, ARENA, 1, 1);
	ASSERT_EQ(rig_register(&r, &t, -1), 0);
	theirs = r.uring;
	r.pool.session.fd = -1;
	EXPECT_EQ(zcbuf_uring_unregister(&theirs), -EBADF);
	EXPECT_EQ(zcbuf_uring_unregister(&theirs), 0);
	EXPECT(t.exists && table_files(&t));
	r.pool.session.fd = 0;
	EXPECT_EQ(zcbuf_uring_unregister(&r.uring), 0);
	EXPECT(!t.exists && !t.has_files);
}

static int clone_to(struct zcbuf_uring *clones, struct table *t,
		    const struct zcbuf_uring *from, unsigned int n,
		    size_t fixed_max)
{
	const struct zcbuf_uring_opts opts = {
		.sz = sizeof(opts), .ctx = t, .fixed_max = fixed_max,
	};

	return zcbuf_uring_clone(clones, NULL, from, n, &opts);
}

static void clone(void)
{
	struct table t = { .exists = false }, second = { .exists = false };
	struct zcbuf_uring c;
	struct rig r;

	rig_init(&r, 0, SPLIT_ARENA, 1, 4);
	ASSERT_EQ(rig_register(&r, &t, -1), 0);
	ASSERT_EQ(clone_to(&c, &second, &r.uring, 1, 0), 0);
	EXPECT_EQ(c.fixed_max, r.uring.fixed_max);
	table_has_split(&r, &second, 0, 1);
	r.map.size += SPLIT_ARENA;
	EXPECT_EQ(zcbuf_uring_update(&c), 3);
	table_has_split(&r, &second, 0, 2);
	table_empty(&t, 3, SLOTS);
	EXPECT_EQ(zcbuf_uring_slot(&c, r.map.base + SPLIT_ARENA, 1, NULL), 1);
	EXPECT_EQ(fake.calls[ZCBUF_NR_PIN_TOKEN], 2);
	EXPECT_EQ(zcbuf_uring_unregister(&r.uring), 0);
	EXPECT(!t.exists && second.exists);
	EXPECT(!t.has_files && second.has_files);
	EXPECT_EQ(table_files(&second), 1);
	EXPECT_EQ(zcbuf_uring_unregister(&c), 0);
	EXPECT(!second.exists && !second.has_files);
}

/* All of a ring, next to what is not the library's. */
static void clone_of_several(void)
{
	const struct iovec others = { &fake, 1 };
	struct zcbuf_uring from[POOLS], c[POOLS];
	struct table t, second = { .exists = false };
	struct rig r[POOLS];
	unsigned int i;

	table_init(&t);
	t.slot[47] = others;
	for (i = 0; i < POOLS; i++) {
		rig_init(&r[i], i, SPLIT_ARENA, 1, 4);
		ASSERT_EQ(rig_register(&r[i], &t, 12 * i), 0);
		from[i] = r[i].uring;
	}
	ASSERT_EQ(clone_to(c, &second, from, POOLS, 4096), 0);
	EXPECT_EQ(second.nfiles, POOLS);
	EXPECT_EQ(table_files(&second), POOLS);
	EXPECT_EQ(zcbuf_uring_unregister(&c[1]), 0);
	EXPECT(second.file[0] && !second.file[1] && second.file[2]);
	EXPECT_EQ(table_files(&t), POOLS);
	table_has_split(&r[0], &second, 0, 1);
	table_empty(&second, 12, 24);
	table_has_split(&r[2], &second, 24, 1);
	table_slot_is(&second, 47, others.iov_base, 1);
	table_has_split(&r[1], &t, 12, 1);
	EXPECT_EQ(c[2].fixed_max, 4096);
	EXPECT_EQ(zcbuf_uring_slot(&c[0], r[0].map.base, 1, NULL), 1);
	EXPECT_EQ(zcbuf_uring_slot(&c[1], r[1].map.base, 1, NULL), 0);
	EXPECT_EQ(zcbuf_uring_slot(&c[2], r[2].map.base, 1, NULL), 1);
	/* The last one leaves both tables, which are nobody's. */
	EXPECT_EQ(zcbuf_uring_unregister(&c[0]), 0);
	EXPECT(second.file[2]);
	EXPECT_EQ(zcbuf_uring_unregister(&c[2]), 0);
	EXPECT_EQ(table_files(&second), 0);
	EXPECT(second.exists && second.has_files);
}

/* A token for each, from a slot on; all of them, or none, and no clone. */
static void clone_tokens(void)
{
	struct zcbuf_uring_opts opts = {
		.sz = sizeof(opts),
		.flags = ZCBUF_URING_TOKEN_SLOT,
		.token_slot = 9,
	};
	struct zcbuf_uring from[POOLS], c[POOLS];
	unsigned int fds = fake_open_fds();
	struct table t, second;
	struct rig r[POOLS];
	unsigned int i;

	table_init(&t);
	for (i = 0; i < POOLS; i++) {
		rig_init(&r[i], i, ARENA, 1, 1);
		ASSERT_EQ(rig_register(&r[i], &t, i), 0);
		from[i] = r[i].uring;
	}
	table_init(&second);
	second.exists = false;
	opts.ctx = &second;
	second.file_error = -EINTR;
	for (i = 0; i < POOLS; i++) {
		second.file_fails_at = 9 + i;
		EXPECT_EQ(zcbuf_uring_clone(c, NULL, from, POOLS, &opts),
			  -EINTR);
		EXPECT_EQ(table_files(&second), 0);
		EXPECT(second.has_files && !second.exists);
		EXPECT_EQ(zcbuf_uring_unregister(&c[0]), 0);
	}
	second.file_error = 0;
	second.make_error = -ENOMEM;
	EXPECT_EQ(zcbuf_uring_clone(c, NULL, from, POOLS, &opts), -ENOMEM);
	EXPECT_EQ(table_files(&second), 0);
	second.make_error = 0;
	ASSERT_EQ(zcbuf_uring_clone(c, NULL, from, POOLS, &opts), 0);
	EXPECT(second.file[9] && second.file[10] && second.file[11]);
	EXPECT_EQ(table_files(&second), POOLS);
	for (i = 0; i < POOLS; i++)
		EXPECT_EQ(zcbuf_uring_unregister(&c[i]), 0);
	EXPECT_EQ(table_files(&second), 0);
	EXPECT(second.has_files);
	EXPECT_EQ(second.dropped, 0);

	/* And in a table of their own, which goes again with what has failed. */
	memset(&second, 0, sizeof(second));
	opts.flags = 0;
	opts.token_slot = 0;
	fake.fail[ZCBUF_NR_PIN_TOKEN] = EMFILE;
	fake.fail_pass[ZCBUF_NR_PIN_TOKEN] = POOLS - 1;
	EXPECT_EQ(zcbuf_uring_clone(c, NULL, from, POOLS, &opts), -EMFILE);
	EXPECT(!second.has_files && !second.exists);
	opts.flags = ZCBUF_URING_NO_TOKEN;
	EXPECT_EQ(zcbuf_uring_clone(c, NULL, from, POOLS, &opts), 0);
	EXPECT(!second.has_files && second.exists);
	ASSERT_EQ(table_drop_files(&t), 0);
	EXPECT_EQ(fake_open_fds(), fds);
}

static void clones_that_cannot_be(void)
{
	struct zcbuf_uring_opts opts = { .sz = sizeof(opts) - 1 };
	struct table t, other, second = { .exists = false };
	struct zcbuf_registrar poor = table_registrar;
	struct zcbuf_uring from[2], c[2];
	struct rig r[2];
	int fd;

	rig_init(&r[0], 0, ARENA, 1, 1);
	rig_init(&r[1], 1, ARENA, 1, 1);
	table_init(&t);
	table_init(&other);
	ASSERT_EQ(rig_register(&r[0], &t, 0), 0);
	ASSERT_EQ(rig_register(&r[1], &other, 0), 0);
	from[0] = r[0].uring;
	from[1] = r[1].uring;
	EXPECT_EQ(clone_to(c, &second, from, 0, 0), -EINVAL);
	EXPECT_EQ(clone_to(c, &second, from, 2, 0), -EINVAL);
	memset(&from[1], 0, sizeof(from[1]));
	EXPECT_EQ(clone_to(c, &second, from, 2, 0), -EINVAL);
	EXPECT_EQ(clone_to(c, &second, &from[1], 1, 0), -EINVAL);
	from[1] = from[0];
	from[1].registrar = &poor;
	EXPECT_EQ(clone_to(c, &second, from, 2, 0), -EINVAL);
	poor.clone_table = NULL;
	EXPECT_EQ(clone_to(c, &second, &from[1], 1, 0), -EOPNOTSUPP);
	EXPECT_EQ(zcbuf_uring_clone(c, NULL, from, 1, &opts), -EINVAL);
	opts.sz++;
	opts.first_slot = 1;
	EXPECT_EQ(zcbuf_uring_clone(c, NULL, from, 1, &opts), -EINVAL);
	opts.first_slot = 0;
	opts.flags = ZCBUF_URING_SHARE_TABLE;
	EXPECT_EQ(zcbuf_uring_clone(c, NULL, from, 1, &opts), -EINVAL);
	opts.flags = 0;
	opts.registrar = &table_registrar;
	EXPECT_EQ(zcbuf_uring_clone(c, NULL, from, 1, &opts), -EINVAL);
	fd = r[0].pool.session.fd;
	r[0].pool.session.fd = -1;	/* as in a fork child */
	EXPECT_EQ(clone_to(c, &second, from, 1, 0), -EBADF);
	r[0].pool.session.fd = fd;
	EXPECT(!second.exists);

	second.make_error = -ENOMEM;
	memset(c, 0xff, sizeof(c));
	EXPECT_EQ(clone_to(c, &second, from, 1, 0), -ENOMEM);
	EXPECT_EQ(zcbuf_uring_slot(c, r[0].map.base, 1, NULL), 0);
	EXPECT_EQ(zcbuf_uring_unregister(c), 0);
	EXPECT_EQ(clone_to(c, &other, from, 1, 0), -EBUSY);
	ASSERT_EQ(table_drop(&t), 0);
	second.make_error = 0;
	EXPECT_EQ(clone_to(c, &second, from, 1, 0), -ENXIO);
}

static const struct test_case cases[] = {
	CASE(tokens_that_fail),
	CASE(without_token),
	CASE(fork_child),
	CASE(clone),
	CASE(clone_of_several),
	CASE(clone_tokens),
	CASE(clones_that_cannot_be),
};

TEST_MAIN(cases)
