// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Pin tokens as the library keeps them: which rings have them where, and what
 * they are good for.
 */
#include <limits.h>

#include <zcbuf/zcbuf.h>

#include "common.h"
#include "ktap.h"
#include "ring.h"

struct two {
	struct io_uring ring;
	struct io_uring second;
	struct zcbuf_pool *pool[2];
	struct zcbuf_uring u[2];
};

static void two_open(struct two *t)
{
	struct zcbuf_pool_opts o = { .sz = sizeof(o), .arena_size = ZT_ARENA };

	memset(t, 0, sizeof(*t));
	ASSERT_OK(zcbuf_pool_create(&t->pool[0], &o));
	ASSERT_OK(zcbuf_pool_create(&t->pool[1], &o));
	ASSERT_OK(io_uring_queue_init(4, &t->ring, 0));
	ASSERT_OK(io_uring_queue_init(4, &t->second, 0));
}

static void two_close(struct two *t)
{
	io_uring_queue_exit(&t->ring);
	io_uring_queue_exit(&t->second);
	EXPECT_OK(zcbuf_pool_close(t->pool[0]));
	EXPECT_OK(zcbuf_pool_close(t->pool[1]));
	EXPECT_EQ(zt_await_charged(0), 0);
}

/* Where the tokens of a ring are: a bit for each slot of its table of files. */
static unsigned int tokens(const struct io_uring *ring)
{
	char path[PATH_MAX], line[256];
	unsigned int slot, mask = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", ring->ring_fd);
	f = fopen(path, "re");
	ASSERT_TRUE(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, " %u: ", &slot) == 1 &&
		    strstr(line, "zcbuf-pin"))
			mask |= 1U << slot;
	fclose(f);
	return mask;
}

TEST(in_a_table_of_its_own)
{
	struct two t;
	int file = 0;

	two_open(&t);
	ASSERT_OK(zcbuf_uring_register(&t.u[0], &t.ring, t.pool[0]));
	EXPECT_EQ(tokens(&t.ring), 1);
	EXPECT_ERR(io_uring_register_files(&t.ring, &file, 1), EBUSY);
	EXPECT_OK(zcbuf_uring_unregister(&t.u[0]));
	EXPECT_EQ(tokens(&t.ring), 0);
	ASSERT_OK(io_uring_register_files(&t.ring, &file, 1));
	/* Now the ring has a table of files, and of no buffers. */
	EXPECT_ERR(zcbuf_uring_register(&t.u[0], &t.ring, t.pool[0]), EBUSY);
	EXPECT_ERR(io_uring_unregister_buffers(&t.ring), ENXIO);
	EXPECT_OK(io_uring_unregister_files(&t.ring));
	two_close(&t);
}

TEST(in_the_table_of_the_program)
{
	struct zcbuf_uring_opts o = {
		.sz = sizeof(o), .flags = ZCBUF_URING_TOKEN_SLOT,
		.token_slot = 2,
	};
	int files[] = { 0, 1, -1 };
	struct two t;

	two_open(&t);
	EXPECT_ERR(zcbuf_uring_register_opts(&t.u[0], &t.ring, t.pool[0], &o),
		   ENXIO);
	ASSERT_OK(io_uring_register_files(&t.ring, files, 3));
	ASSERT_OK(zcbuf_uring_register_opts(&t.u[0], &t.ring, t.pool[0], &o));
	EXPECT_EQ(tokens(&t.ring), 1U << 2);
	EXPECT_OK(zcbuf_uring_unregister(&t.u[0]));
	EXPECT_EQ(tokens(&t.ring), 0);
	EXPECT_EQ(io_uring_register_files_update(&t.ring, 2, files, 1), 1);
	o.token_slot = 3;
	EXPECT_ERR(zcbuf_uring_register_opts(&t.u[0], &t.ring, t.pool[0], &o),
		   EINVAL);
	EXPECT_ERR(io_uring_unregister_buffers(&t.ring), ENXIO);
	two_close(&t);
}

TEST(one_for_each_pool_and_ring)
{
	struct zcbuf_uring_opts o = {
		.sz = sizeof(o), .flags = ZCBUF_URING_TOKEN_SLOT,
		.token_slot = 4,
	};
	struct zcbuf_uring c[2];
	struct two t;

	two_open(&t);
	ASSERT_OK(io_uring_register_buffers_sparse(&t.ring, 8));
	ASSERT_OK(io_uring_register_files_sparse(&t.ring, 8));
	ASSERT_OK(zcbuf_uring_register_at(&t.u[0], &t.ring, t.pool[0], 1));
	ASSERT_OK(zcbuf_uring_register_at(&t.u[1], &t.ring, t.pool[1], 7));
	EXPECT_EQ(tokens(&t.ring), 1U << 1 | 1U << 7);
	ASSERT_OK(zcbuf_uring_clone(c, &t.second, t.u, 2, NULL));
	EXPECT_EQ(tokens(&t.second), 3);
	EXPECT_OK(zcbuf_uring_unregister(&t.u[0]));
	EXPECT_EQ(tokens(&t.ring), 1U << 7);
	EXPECT_OK(zcbuf_uring_unregister(&c[0]));
	EXPECT_OK(zcbuf_uring_unregister(&c[1]));
	EXPECT_EQ(tokens(&t.second), 0);
	ASSERT_OK(io_uring_unregister_buffers(&t.second));
	EXPECT_ERR(zcbuf_uring_clone(c, &t.second, &t.u[1], 1, NULL), EBUSY);
	ASSERT_OK(io_uring_unregister_files(&t.second));
	ASSERT_OK(io_uring_register_files_sparse(&t.second, 8));
	ASSERT_OK(zcbuf_uring_clone(c, &t.second, &t.u[1], 1, &o));
	EXPECT_EQ(tokens(&t.second), 1U << 4);
	EXPECT_OK(zcbuf_uring_unregister(&c[0]));
	EXPECT_EQ(tokens(&t.second), 0);
	two_close(&t);
}

/* What is refused leaves neither a token nor a table. */
TEST(nothing_after_a_refusal)
{
	struct zcbuf_attach_opts ro = {
		.sz = sizeof(ro), .rights = ZT_READ_ONLY,
	};
	struct zcbuf_pool *pool;
	struct two t;

	two_open(&t);
	ASSERT_OK(zcbuf_pool_attach_fd(&pool, zcbuf_pool_fd(t.pool[0]), &ro));
	EXPECT_ERR(zcbuf_uring_register(&t.u[0], &t.ring, pool), EFAULT);
	EXPECT_ERR(io_uring_unregister_files(&t.ring), ENXIO);
	EXPECT_ERR(io_uring_unregister_buffers(&t.ring), ENXIO);
	EXPECT_OK(zcbuf_pool_close(pool));
	two_close(&t);
}

/* All of the pool is somebody's, who has a ring as well and is killed. */
static void child_run(struct zt_turns *turns, int donor)
{
	struct zcbuf_uring u;
	struct io_uring ring;
	struct zcbuf_pool *pool;
	struct zcbuf_buf all;

	zt_turns_child(turns);
	ASSERT_OK(zcbuf_pool_attach_fd(&pool, donor, NULL));
	close(donor);
	ASSERT_OK(io_uring_queue_init(4, &ring, 0));
	ASSERT_OK(zcbuf_uring_register(&u, &ring, pool));
	ASSERT_OK(zcbuf_buf_alloc(pool, ZT_ARENA, &all));
	ASSERT_OK(zt_tell_parent(turns));
	ktap_stay();
}

static void kill_a_neighbour(const struct two *t)
{
	int donor = dup(zcbuf_pool_fd(t->pool[0]));
	struct zt_turns turns;
	pid_t pid;

	ASSERT_OK(zt_turns_init(&turns));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid)
		child_run(&turns, donor);
	zt_turns_parent(&turns);
	ASSERT_OK(zt_await_child(&turns));
	ASSERT_EQ(kill(pid, SIGKILL), 0);
	ASSERT_EQ(waitpid(pid, NULL, 0), pid);
	close(donor);
}

/* Our own registration keeps nothing of his: our token accounts for it. */
TEST(memory_of_the_dead_beside_a_ring)
{
	struct zcbuf_buf_opts wait = {
		.sz = sizeof(wait), .deadline_ns = zcbuf_deadline_ms(30000),
	};
	struct zcbuf_buf all;
	struct two t;

	two_open(&t);
	ASSERT_OK(zcbuf_uring_register(&t.u[0], &t.ring, t.pool[0]));
	kill_a_neighbour(&t);
	ASSERT_OK(zcbuf_buf_alloc_opts(t.pool[0], ZT_ARENA, &wait, &all));
	EXPECT_OK(zcbuf_uring_unregister(&t.u[0]));
	two_close(&t);
}

/* Without, it does: until the ring lets go, nobody gets it. */
TEST(memory_of_the_dead_without_a_token)
{
	struct zcbuf_uring_opts o = {
		.sz = sizeof(o), .flags = ZCBUF_URING_NO_TOKEN,
	};
	struct zcbuf_buf_opts wait = { .sz = sizeof(wait) };
	struct zcbuf_buf all;
	struct two t;

	two_open(&t);
	ASSERT_OK(zcbuf_uring_register_opts(&t.u[0], &t.ring, t.pool[0], &o));
	EXPECT_EQ(tokens(&t.ring), 0);
	kill_a_neighbour(&t);
	EXPECT_ERR(zcbuf_buf_alloc(t.pool[0], ZT_ARENA, &all), ENOMEM);
	EXPECT_OK(zcbuf_uring_unregister(&t.u[0]));
	wait.deadline_ns = zcbuf_deadline_ms(30000);
	ASSERT_OK(zcbuf_buf_alloc_opts(t.pool[0], ZT_ARENA, &wait, &all));
	two_close(&t);
}

KTAP_MAIN()
