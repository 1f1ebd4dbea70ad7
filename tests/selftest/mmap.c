// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Mapping a pool: who may map what and how, that it stays what it was mapped
 * as, that everybody sees the same bytes, and that no call on memory mappings
 * that the kernel offers does harm. What I/O does with it is mmap_io.c.
 */
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/uio.h>

#include "hostile.h"

#define BOTH		(PROT_READ | PROT_WRITE)
#define HUGE_PAGE	(2 * ZT_MIB)

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

static int pool_new(__u32 flags, __u64 size)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, flags, size);

	ASSERT_GE(fd, 0);
	return fd;
}

static char *map(int fd, int prot, size_t size, off_t offset)
{
	char *p = mmap(NULL, size, prot, MAP_SHARED, fd, offset);

	ASSERT_NE(p, MAP_FAILED);
	return p;
}

/* -errno; a success is undone. */
static int try_map(int fd, int prot, int flags, size_t size, off_t offset)
{
	void *p = mmap(NULL, size, prot, flags, fd, offset);

	if (p == MAP_FAILED)
		return -errno;
	return munmap(p, size) ? -errno : 0;
}

/* Can the bytes be looked at or be written, without dying of it? */
static int peek(const void *p)
{
	int pipes[2], err;

	ASSERT_OK(pipe(pipes));
	err = write(pipes[1], p, 1) == 1 ? 0 : -errno;
	close(pipes[0]);
	close(pipes[1]);
	return err;
}

static int poke(void *p)
{
	int pipes[2], err;

	ASSERT_OK(pipe(pipes));
	ASSERT_EQ(write(pipes[1], "x", 1), 1);
	err = read(pipes[0], p, 1) == 1 ? 0 : -errno;
	close(pipes[0]);
	close(pipes[1]);
	return err;
}

/* ------------------------------------------------------------------- rights */

/*
 * struct rights_case - a session, and what mapping answers it
 * @oflags: opened with
 * @rights: asked for
 * @none: answer to PROT_NONE
 * @read: to PROT_READ
 * @write: to PROT_READ | PROT_WRITE
 */
struct rights_case {
	int oflags;
	__u32 rights;
	int none, read, write;
};

static const struct rights_case cases[] = {
	{ O_RDWR, 0, 0, 0, 0 },
	{ O_RDWR, ZT_READ_ONLY, 0, 0, EPERM },
	{ O_RDWR, ZCBUF_RIGHT_MAP_READ, 0, 0, EPERM },
	{ O_RDWR, ZCBUF_RIGHT_MAP_READ | ZCBUF_RIGHT_MAP_WRITE, 0, 0, 0 },
	{ O_RDWR, ZCBUF_RIGHT_MAP_WRITE, EPERM, EPERM, EPERM },
	{ O_RDWR, ZCBUF_RIGHT_CONSUME | ZCBUF_RIGHT_PRODUCE, EPERM, EPERM,
	  EPERM },
	{ O_RDONLY, 0, 0, 0, EACCES },
	{ O_RDONLY, ZCBUF_RIGHT_CONSUME, EPERM, EPERM, EACCES },
	{ O_WRONLY, 0, EACCES, EACCES, EACCES },
};

TEST(rights)
{
	int pool = pool_new(0, ZT_ARENA), fd;
	const struct rights_case *c;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		c = &cases[i];
		fd = zt_open(c->oflags);
		ASSERT_OK(zt_pool_attach_fd(fd, pool, c->rights));
		EXPECT_ERR(try_map(fd, PROT_NONE, MAP_SHARED, ZT_ARENA, 0),
			   c->none);
		EXPECT_ERR(try_map(fd, PROT_READ, MAP_SHARED, ZT_ARENA, 0),
			   c->read);
		EXPECT_ERR(try_map(fd, BOTH, MAP_SHARED, ZT_ARENA, 0),
			   c->write);
		close(fd);
	}
}

TEST(private_and_executable)
{
	int fd = pool_new(0, ZT_ARENA), ro = zt_open(O_RDONLY);
	int fresh = zt_open(O_RDWR);

	ASSERT_OK(zt_pool_attach_fd(ro, fd, 0));
	EXPECT_ERR(try_map(fd, PROT_READ, MAP_PRIVATE, ZT_ARENA, 0), EINVAL);
	EXPECT_ERR(try_map(fd, BOTH, MAP_PRIVATE, ZT_ARENA, 0), EINVAL);
	EXPECT_ERR(try_map(ro, PROT_READ, MAP_PRIVATE, ZT_ARENA, 0), EINVAL);
	EXPECT_ERR(try_map(ro, BOTH, MAP_PRIVATE, ZT_ARENA, 0), EINVAL);
	EXPECT_ERR(try_map(fresh, BOTH, MAP_PRIVATE, ZT_ARENA, 0), EINVAL);
	EXPECT_ERR(try_map(fd, PROT_EXEC, MAP_SHARED, ZT_ARENA, 0), EPERM);
	EXPECT_ERR(try_map(fd, BOTH | PROT_EXEC, MAP_SHARED, ZT_ARENA, 0),
		   EPERM);
	EXPECT_ERR(try_map(ro, PROT_READ | PROT_EXEC, MAP_SHARED, ZT_ARENA, 0),
		   EPERM);
	EXPECT_ERR(try_map(fresh, BOTH | PROT_EXEC, MAP_SHARED, ZT_ARENA, 0),
		   EPERM);
	EXPECT_OK(zt_pool_create(fresh, ZCBUF_POOL_PAGES, 0, ZT_ARENA));
}

/* However it was mapped, it does not become executable. */
TEST(protect_executable)
{
	static const int prots[] = { PROT_NONE, PROT_READ, BOTH };
	int fd = pool_new(0, ZT_ARENA);
	size_t i;

	for (i = 0; i < 3; i++) {
		char *p = map(fd, prots[i], ZT_ARENA, 0);

		EXPECT_EQ(mprotect(p, ZT_ARENA, PROT_EXEC), -1);
		EXPECT_EQ(errno, EACCES);
		EXPECT_EQ(mprotect(p, ZT_PAGE, BOTH | PROT_EXEC), -1);
		EXPECT_EQ(errno, EACCES);
		EXPECT_OK(mprotect(p, ZT_ARENA, BOTH));
		p[0] = 1;
	}
}

/* A session without the right to write gets none, by no way there is. */
static void never_writable(int fd)
{
	int mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	char *p = map(fd, PROT_READ, ZT_ARENA, 0), byte = 7;
	struct iovec local = { &byte, 1 }, remote = { p, 1 };

	ASSERT_GE(mem, 0);
	EXPECT_EQ(mprotect(p, ZT_ARENA, BOTH), -1);
	EXPECT_EQ(errno, EACCES);
	EXPECT_EQ(mprotect(p, ZT_PAGE, PROT_WRITE), -1);
	EXPECT_ERR(poke(p), EFAULT);
	EXPECT_EQ(process_vm_writev(getpid(), &local, 1, &remote, 1, 0), -1);
	EXPECT_EQ(pwrite(mem, &byte, 1, (off_t)(unsigned long)p), -1);
	EXPECT_EQ(madvise(p, ZT_ARENA, MADV_POPULATE_WRITE), -1);
	EXPECT_OK(mprotect(p, ZT_ARENA, PROT_NONE));
	EXPECT_EQ(mprotect(p, ZT_ARENA, BOTH), -1);
	EXPECT_OK(mprotect(p, ZT_ARENA, PROT_READ));
	EXPECT_EQ(p[0], 0);
	close(mem);
}

TEST(protect_writable)
{
	int fd = pool_new(0, ZT_ARENA), ro = zt_open(O_RDONLY);

	ASSERT_OK(zt_pool_attach_fd(ro, fd, 0));
	never_writable(ro);
	never_writable(zt_join(fd, ZT_READ_ONLY));
	never_writable(zt_join(fd, ZCBUF_RIGHT_MAP_READ));
}

/* ------------------------------------------------------------------ offsets */

TEST(offsets)
{
	const off_t size = 2 * ZT_ARENA, page = ZT_PAGE;
	int fd = pool_new(0, size);

	EXPECT_OK(try_map(fd, BOTH, MAP_SHARED, size, 0));
	EXPECT_OK(try_map(fd, BOTH, MAP_SHARED, 1, size - page));
	EXPECT_ERR(try_map(fd, BOTH, MAP_SHARED, size + 1, 0), EINVAL);
	EXPECT_ERR(try_map(fd, BOTH, MAP_SHARED, 2 * size, 0), EINVAL);
	EXPECT_ERR(try_map(fd, BOTH, MAP_SHARED, page, size), EINVAL);
	EXPECT_ERR(try_map(fd, BOTH, MAP_SHARED, 2 * page, size - page), EINVAL);
	EXPECT_ERR(try_map(fd, BOTH, MAP_SHARED, size, page), EINVAL);
	EXPECT_ERR(try_map(fd, BOTH, MAP_SHARED, page, 1LL << 40), EINVAL);
	EXPECT_ERR(try_map(fd, BOTH, MAP_SHARED, page, 1LL << 62), EINVAL);
	EXPECT_ERR(try_map(fd, BOTH, MAP_SHARED, page, 123), EINVAL);
	EXPECT_ERR(try_map(fd, BOTH, MAP_SHARED, 0, 0), EINVAL);
	/* The last page there could be: offset plus length wraps. */
	EXPECT_TRUE(try_map(fd, BOTH, MAP_SHARED, page, -page) < 0);
	EXPECT_TRUE(try_map(fd, BOTH, MAP_SHARED, 2 * page, -page) < 0);
	EXPECT_EQ(zt_used(fd), 0);
}

/* Every page is itself, wherever it is seen from. */
static void pages_are_themselves(__u32 flags)
{
	const size_t size = 3 * ZT_ARENA, pages = size / ZT_PAGE;
	int fd = pool_new(flags, size);
	char *all = map(fd, BOTH, size, 0);
	size_t i;

	for (i = 0; i < pages; i++)
		memcpy(all + i * ZT_PAGE, &i, sizeof(i));
	for (i = 0; i < pages; i += 37) {
		char *p = map(fd, PROT_READ, ZT_PAGE, i * ZT_PAGE);

		EXPECT_EQ(memcmp(p, &i, sizeof(i)), 0);
		munmap(p, ZT_PAGE);
	}
	munmap(all, size);
	all = map(fd, PROT_READ, size - ZT_PAGE, ZT_PAGE);
	for (i = 1; i < pages; i++)
		EXPECT_EQ(memcmp(all + (i - 1) * ZT_PAGE, &i, sizeof(i)), 0);
}

TEST(pages_of_huge_pages)
{
	pages_are_themselves(0);
}

TEST(pages_of_small_pages)
{
	pages_are_themselves(ZCBUF_POOL_F_SMALL_PAGES);
}

/* ------------------------------------------------------------ what it looks like */

/* The line "@field ..." of smaps of the mapping at @p; "" if there is none. */
static void smaps(const void *p, const char *field, char *line, size_t n)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	unsigned long from, to;
	bool here = false;

	ASSERT_NE(f, NULL);
	while (fgets(line, n, f)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			here = (unsigned long)p >= from && (unsigned long)p < to;
		else if (here && !strncmp(line, field, strlen(field)))
			goto out;
	}
	line[0] = '\0';
out:
	fclose(f);
}

static unsigned long smaps_kib(const void *p, const char *field)
{
	unsigned long kib;
	char line[256];

	smaps(p, field, line, sizeof(line));
	return sscanf(line, "%*s %lu kB", &kib) == 1 ? kib : ~0UL;
}

static bool vm_flag(const void *p, const char *flag)
{
	char line[256], word[8];

	smaps(p, "VmFlags:", line, sizeof(line));
	EXPECT_TRUE(line[0]);
	snprintf(word, sizeof(word), " %s", flag);
	return strstr(line, word);
}

static long minor_faults(void)
{
	struct rusage usage;

	ASSERT_OK(getrusage(RUSAGE_THREAD, &usage));
	return usage.ru_minflt;
}

/*
 * Whatever is done with all of an arena, as registering it, is so much quicker
 * because of this: a fault and an entry for a huge page, not for 512 small ones.
 */
TEST(mapped_by_huge_pages)
{
	const size_t size = 4 * HUGE_PAGE;
	struct zcbuf_pool_info info;
	long faults;
	int fd = pool_new(0, size);
	char *p;

	ASSERT_OK(zt_pool_info(fd, &info));
	if (!info.out_page_order)
		KTAP_MISSING("huge-pages", "no memory for huge pages");
	p = map(fd, BOTH, size, 0);
	EXPECT_EQ((unsigned long)p % HUGE_PAGE, 0);
	faults = minor_faults();
	memset(p, 1, size);
	EXPECT_LE(minor_faults() - faults, 2 * size / HUGE_PAGE);
	EXPECT_EQ(smaps_kib(p, "Rss:"), size / 1024);
	EXPECT_EQ(smaps_kib(p, "FilePmdMapped:"), size / 1024);
}

TEST(mapped_by_small_pages)
{
	struct zcbuf_pool_info info;
	int fd = pool_new(ZCBUF_POOL_F_SMALL_PAGES, ZT_ARENA);
	long faults;
	char *p;

	ASSERT_OK(zt_pool_info(fd, &info));
	EXPECT_EQ(info.out_page_order, 0);
	p = map(fd, BOTH, ZT_ARENA, 0);
	faults = minor_faults();
	memset(p, 1, ZT_ARENA);
	EXPECT_GE(minor_faults() - faults, ZT_ARENA / ZT_PAGE);
	EXPECT_EQ(smaps_kib(p, "Rss:"), ZT_ARENA / 1024);
	EXPECT_EQ(smaps_kib(p, "FilePmdMapped:"), 0);
}

/* Not in core dumps, does not grow, and is memory, not a device's. */
TEST(flags)
{
	int fd = pool_new(0, ZT_ARENA), fresh = zt_open(O_RDWR);
	char *p = map(fd, BOTH, ZT_ARENA, 0);
	char *ro = map(zt_join(fd, ZT_READ_ONLY), PROT_READ, ZT_ARENA, 0);
	char *own = map(fresh, BOTH, ZT_ARENA, 0);

	EXPECT_TRUE(vm_flag(p, "dd"));
	EXPECT_TRUE(vm_flag(p, "de"));
	EXPECT_TRUE(vm_flag(p, "dc"));
	EXPECT_TRUE(vm_flag(p, "sh"));
	EXPECT_TRUE(vm_flag(p, "mw"));
	EXPECT_FALSE(vm_flag(p, "io"));
	EXPECT_FALSE(vm_flag(p, "pf"));
	EXPECT_FALSE(vm_flag(p, "me"));
	EXPECT_TRUE(vm_flag(ro, "dd"));
	EXPECT_TRUE(vm_flag(ro, "dc"));
	EXPECT_FALSE(vm_flag(ro, "mw"));
	EXPECT_FALSE(vm_flag(ro, "me"));
	EXPECT_TRUE(vm_flag(own, "dd"));
	EXPECT_FALSE(vm_flag(own, "dc"));
	EXPECT_FALSE(vm_flag(own, "me"));
}

/* -------------------------------------------------------- same bytes for all */

TEST(two_processes)
{
	int fd = zt_open(O_RDWR);
	struct zt_turns t;
	pid_t child;
	char *p;

	ASSERT_OK(zt_pool_create_named(fd, "seen", 0));
	ASSERT_OK(zt_turns_init(&t));
	child = fork();
	if (!child) {
		int own = zt_open(O_RDONLY);
		char *q;

		zt_turns_child(&t);
		ASSERT_OK(zt_pool_attach(own, "seen", 0));
		q = map(own, PROT_READ, ZT_ARENA, 0);
		EXPECT_FILLED(q, 0, ZT_ARENA);
		ASSERT_OK(zt_tell_parent(&t));
		ASSERT_OK(zt_await_parent(&t));
		EXPECT_FILLED(q, 0xa5, ZT_ARENA);
		_exit(0);
	}
	zt_turns_parent(&t);
	p = map(fd, BOTH, ZT_ARENA, 0);
	ASSERT_OK(zt_await_child(&t));
	memset(p, 0xa5, ZT_ARENA);
	ASSERT_OK(zt_tell_child(&t));
	EXPECT_STATUS(child, 0);
}

/* A child has no mapping of a pool it did not map, but of a bare mmap()'s. */
TEST(fork_of_a_pool)
{
	int fd = pool_new(0, ZT_ARENA);
	char *p = map(fd, BOTH, ZT_ARENA, 0);
	pid_t child;

	p[0] = 1;
	child = fork();
	if (!child) {
		EXPECT_ERR(peek(p), EFAULT);
		EXPECT_EQ(msync(p, ZT_PAGE, MS_ASYNC), -1);
		EXPECT_EQ(errno, ENOMEM);
		_exit(0);
	}
	EXPECT_STATUS(child, 0);
	EXPECT_EQ(p[0], 1);
}

TEST(fork_of_a_bare_mapping)
{
	int fd = zt_open(O_RDWR);
	char *p = map(fd, BOTH, ZT_ARENA, 0);
	pid_t child;

	close(fd);
	memset(p, 1, ZT_ARENA);
	child = fork();
	if (!child) {
		EXPECT_FILLED(p, 1, ZT_ARENA);
		memset(p, 2, ZT_ARENA);
		_exit(0);
	}
	EXPECT_STATUS(child, 0);
	EXPECT_FILLED(p, 2, ZT_ARENA);
}

/* ------------------------------------------------------------ bare mappings */

/* Refused, the session is as it was: it can be attached to a pool. */
TEST(bare_mappings_refused)
{
	int fd = zt_open(O_RDWR), ro = zt_open(O_RDONLY);
	int wr = zt_open(O_WRONLY);
	struct zcbuf_query q;

	ASSERT_OK(zt_query(fd, &q));
	EXPECT_ERR(try_map(fd, BOTH, MAP_SHARED, ZT_ARENA, ZT_PAGE), EINVAL);
	EXPECT_ERR(try_map(fd, BOTH, MAP_SHARED, ZT_ARENA, ZT_ARENA), EINVAL);
	EXPECT_TRUE(try_map(fd, BOTH, MAP_SHARED, q.out_max_arena_size + ZT_PAGE,
			    0) < 0);
	EXPECT_ERR(try_map(fd, BOTH, MAP_SHARED, q.out_max_arena_size, 0),
		   ENOMEM);
	EXPECT_TRUE(try_map(fd, BOTH, MAP_SHARED, 1ULL << 46, 0) < 0);
	EXPECT_ERR(try_map(ro, BOTH, MAP_SHARED, ZT_ARENA, 0), EACCES);
	EXPECT_ERR(try_map(wr, PROT_WRITE, MAP_SHARED, ZT_ARENA, 0), EACCES);
	ASSERT_OK(zt_query(fd, &q));
	EXPECT_EQ(q.out_pool, 0);
	EXPECT_OK(zt_pool_create(fd, ZCBUF_POOL_PAGES, 0, ZT_ARENA));
	EXPECT_OK(zt_pool_attach_fd(ro, fd, 0));
	EXPECT_OK(zt_pool_attach_fd(wr, fd, 0));
}

TEST(bare_mapping_is_a_pool)
{
	int fd = zt_open(O_RDWR), other;
	struct zcbuf_pool_info info;
	char *p;
	__u64 h;

	ASSERT_EQ(zt_await_charged(0), 0);
	p = map(fd, BOTH, 5000, 0);		/* rounded up */
	ASSERT_OK(zt_pool_info(fd, &info));
	EXPECT_EQ(info.out_size, ZT_ARENA);
	EXPECT_EQ(info.out_rights, ZCBUF_RIGHTS_ALL);
	EXPECT_ERR(zt_pool_create(fd, ZCBUF_POOL_PAGES, 0, ZT_ARENA), EBUSY);
	other = zt_join(fd, 0);
	ASSERT_OK(zt_alloc1(other, ZT_ARENA, &h));
	EXPECT_EQ(zt_used(fd), ZT_ARENA);
	EXPECT_OK(try_map(other, BOTH, MAP_SHARED, ZT_ARENA, 0));
	close(fd);
	close(other);
	p[4999] = 1;
	EXPECT_EQ(zt_charged(), ZT_ARENA);
	munmap(p, 5000);
	EXPECT_EQ(zt_await_charged(0), 0);
}

/* ------------------------------------------------------ calls on mappings */

TEST(holes)
{
	int fd = pool_new(0, 2 * ZT_ARENA);
	char *p = map(fd, BOTH, 2 * ZT_ARENA, 0);

	memset(p, 3, 2 * ZT_ARENA);
	ASSERT_OK(munmap(p + 4 * ZT_PAGE, ZT_PAGE));
	ASSERT_OK(munmap(p + ZT_ARENA - ZT_PAGE, 2 * ZT_PAGE));
	EXPECT_ERR(peek(p + 4 * ZT_PAGE), EFAULT);
	EXPECT_ERR(peek(p + ZT_ARENA), EFAULT);
	EXPECT_FILLED(p, 3, 4 * ZT_PAGE);
	EXPECT_FILLED(p + ZT_ARENA + ZT_PAGE, 3, ZT_ARENA - ZT_PAGE);
	ASSERT_EQ(mmap(p + 4 * ZT_PAGE, ZT_PAGE, BOTH, MAP_SHARED | MAP_FIXED,
		       fd, 4 * ZT_PAGE), p + 4 * ZT_PAGE);
	EXPECT_FILLED(p, 3, ZT_ARENA - ZT_PAGE);
	close(fd);
	ASSERT_OK(munmap(p, ZT_ARENA));
	EXPECT_FILLED(p + ZT_ARENA + ZT_PAGE, 3, ZT_ARENA - ZT_PAGE);
	EXPECT_EQ(zt_charged(), 2 * ZT_ARENA);
	ASSERT_OK(munmap(p + ZT_ARENA + ZT_PAGE, ZT_ARENA - ZT_PAGE));
	EXPECT_EQ(zt_await_charged(0), 0);
}

TEST(moves)
{
	int fd = pool_new(0, 2 * ZT_ARENA);
	char *p = map(fd, BOTH, ZT_ARENA, 0), *q, *where;

	memset(p, 4, ZT_ARENA);
	p[ZT_ARENA - 1] = 5;
	EXPECT_EQ(mremap(p, ZT_ARENA, 2 * ZT_ARENA, MREMAP_MAYMOVE), MAP_FAILED);
	EXPECT_EQ(mremap(p, ZT_ARENA, ZT_ARENA + ZT_PAGE, 0), MAP_FAILED);
	EXPECT_EQ(mremap(p, 0, ZT_ARENA, MREMAP_MAYMOVE), MAP_FAILED);
	EXPECT_EQ(mremap(p, ZT_ARENA, ZT_ARENA,
			 MREMAP_MAYMOVE | MREMAP_DONTUNMAP), MAP_FAILED);
	EXPECT_EQ(p[ZT_ARENA - 1], 5);

	where = mmap(NULL, 2 * ZT_ARENA, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(where, MAP_FAILED);
	q = mremap(p, ZT_ARENA, ZT_ARENA, MREMAP_MAYMOVE | MREMAP_FIXED,
		   where + ZT_PAGE);
	ASSERT_EQ(q, where + ZT_PAGE);
	EXPECT_ERR(peek(p), EFAULT);
	EXPECT_FILLED(q, 4, ZT_ARENA - 1);
	EXPECT_EQ(q[ZT_ARENA - 1], 5);
	ASSERT_EQ(mremap(q, ZT_ARENA, ZT_PAGE, 0), q);
	EXPECT_FILLED(q, 4, ZT_PAGE);
	EXPECT_ERR(peek(q + ZT_PAGE), EFAULT);
	munmap(q, ZT_PAGE);
	close(fd);
	EXPECT_EQ(zt_await_charged(0), 0);
}

/* Advice: taken or refused, the bytes are what they were. */
TEST(advice)
{
	static const int all[] = {
		MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED,
		MADV_DONTNEED, MADV_FREE, MADV_REMOVE, MADV_MERGEABLE,
		MADV_UNMERGEABLE, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_DODUMP,
		MADV_WIPEONFORK, MADV_KEEPONFORK, MADV_COLD, MADV_PAGEOUT,
		MADV_POPULATE_READ, MADV_POPULATE_WRITE, MADV_COLLAPSE,
	};
	int fd = pool_new(0, 2 * ZT_ARENA);
	char *p = map(fd, BOTH, 2 * ZT_ARENA, 0);
	size_t i;

	memset(p, 6, 2 * ZT_ARENA);
	for (i = 0; i < sizeof(all) / sizeof(*all); i++) {
		madvise(p, 2 * ZT_ARENA, all[i]);
		EXPECT_FILLED(p, 6, 2 * ZT_ARENA);
		madvise(p + 3 * ZT_PAGE, ZT_PAGE, all[i]);	/* in part */
		madvise(p + ZT_ARENA - ZT_PAGE, 2 * ZT_PAGE, all[i]);
		EXPECT_FILLED(p, 6, 2 * ZT_ARENA);
	}
	EXPECT_OK(madvise(p, ZT_ARENA, MADV_DONTNEED));
	EXPECT_EQ(madvise(p, ZT_ARENA, MADV_REMOVE), -1);
	EXPECT_EQ(madvise(p, ZT_ARENA, MADV_FREE), -1);
	EXPECT_EQ(madvise(p, ZT_ARENA, MADV_DODUMP), -1);
	EXPECT_TRUE(vm_flag(p, "dd"));
	EXPECT_OK(madvise(p, ZT_ARENA, MADV_POPULATE_WRITE));
	EXPECT_FILLED(p, 6, 2 * ZT_ARENA);
}

TEST(locked_and_populated)
{
	int fd = pool_new(0, ZT_ARENA);
	char *p = mmap(NULL, ZT_ARENA, BOTH, MAP_SHARED | MAP_POPULATE, fd, 0);
	unsigned char in[ZT_ARENA / ZT_PAGE];
	size_t i;

	ASSERT_NE(p, MAP_FAILED);
	EXPECT_EQ(smaps_kib(p, "Rss:"), ZT_ARENA / 1024);
	EXPECT_OK(mlock(p, ZT_ARENA));
	EXPECT_OK(mincore(p, ZT_ARENA, in));
	for (i = 0; i < sizeof(in); i++)
		EXPECT_EQ(in[i] & 1, 1);
	EXPECT_OK(munlock(p, ZT_ARENA));
	EXPECT_OK(msync(p, ZT_ARENA, MS_ASYNC));
	EXPECT_OK(msync(p, ZT_ARENA, MS_SYNC));
	EXPECT_FILLED(p, 0, ZT_ARENA);
}

static void write_file(const char *path, const char *line)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, line, strlen(line)) < 0)
		TEST_LOG("%s: %s", path, strerror(errno));
	close(fd);
}

static void read_file(const char *path, off_t offset, size_t n)
{
	char *text = malloc(n);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && pread(fd, text, n, offset) < 0)
		TEST_LOG("%s: %s", path, strerror(errno));
	close(fd);
	free(text);
}

/* Those who would move pages, or want to know about them. */
TEST(page_movers)
{
	unsigned long nodes = 1, page[2];
	int fd = pool_new(0, 2 * ZT_ARENA), node[2] = { 0, 0 }, status[2];
	char *p = map(fd, BOTH, 2 * ZT_ARENA, 0);
	void *pages[2] = { p, p + ZT_ARENA + 3 * ZT_PAGE };

	memset(p, 8, 2 * ZT_ARENA);
	syscall(SYS_mbind, p, 2 * ZT_ARENA, 2 /* MPOL_BIND */, &nodes, 2,
		2 /* MPOL_MF_MOVE */);
	syscall(SYS_migrate_pages, getpid(), 2, &nodes, &nodes);
	syscall(SYS_move_pages, getpid(), 2, pages, node, status, 2);
	EXPECT_FILLED(p, 8, 2 * ZT_ARENA);
	write_file("/proc/self/clear_refs", "1");
	write_file("/proc/self/clear_refs", "4");
	p[ZT_PAGE] = 8;
	write_file("/proc/sys/vm/drop_caches", "3");
	write_file("/proc/sys/vm/compact_memory", "1");
	EXPECT_FILLED(p, 8, 2 * ZT_ARENA);
	read_file("/proc/self/numa_maps", 0, 1 << 16);
	read_file("/proc/self/pagemap", (unsigned long)p / ZT_PAGE * 8,
		  sizeof(page));
	EXPECT_EQ(smaps_kib(p, "Rss:"), 2 * ZT_ARENA / 1024);
}

/* Faults belong to nobody else. */
TEST(userfaultfd)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	int fd = pool_new(0, ZT_ARENA);

	if (uffd < 0)
		SKIP("userfaultfd: %s", strerror(errno));
	ASSERT_OK(ioctl(uffd, UFFDIO_API, &api));
	reg.range.start = zt_ptr(map(fd, BOTH, ZT_ARENA, 0));
	reg.range.len = ZT_ARENA;
	EXPECT_EQ(ioctl(uffd, UFFDIO_REGISTER, &reg), -1);
}

/* ---------------------------------------------------------------- all at once */

#define STORM_THREADS	4
#define STORM_ROUNDS	KTAP_TRIES(150)

static void *storm(void *arg)
{
	int fd = *(int *)arg, i;

	for (i = 0; i < STORM_ROUNDS; i++) {
		size_t page = hz_random(2 * ZT_ARENA / ZT_PAGE - 8);
		size_t n = (1 + hz_random(8)) * ZT_PAGE;
		bool all = !hz_random(4);
		char *p = all ? map(fd, BOTH, 2 * ZT_ARENA, 0) :
				map(fd, BOTH, n, page * ZT_PAGE);

		if (all)
			n = 2 * ZT_ARENA;
		memset(p, i, ZT_PAGE);
		switch (hz_random(5)) {
		case 0:
			madvise(p, n, MADV_DONTNEED);
			break;
		case 1:
			mprotect(p, ZT_PAGE, PROT_READ);
			break;
		case 2:		/* in two steps */
			munmap(p, ZT_PAGE);
			p += ZT_PAGE;
			n -= ZT_PAGE;
			break;
		case 3:
			madvise(p + n - ZT_PAGE, ZT_PAGE, MADV_PAGEOUT);
			break;
		default:
			p[n - 1] = i;
		}
		if (n)
			munmap(p, n);
	}
	return NULL;
}

TEST(map_storm)
{
	pthread_t thread[STORM_THREADS];
	int fd = pool_new(0, 2 * ZT_ARENA), i;

	for (i = 0; i < STORM_THREADS; i++)
		ASSERT_EQ(pthread_create(&thread[i], NULL, storm, &fd), 0);
	for (i = 0; i < STORM_THREADS; i++)
		ASSERT_EQ(pthread_join(thread[i], NULL), 0);
	close(fd);
	EXPECT_EQ(zt_await_charged(0), 0);
}

/* Processes that map, touch and die: no mapping is left of them. */
TEST(map_and_die)
{
	int fd = pool_new(0, 2 * ZT_ARENA), i;

	for (i = 0; i < KTAP_TRIES(30); i++) {
		pid_t child = fork();

		if (!child)
			for (;;)
				storm(&fd);
		usleep(hz_random(20000));
		kill(child, SIGKILL);
		ASSERT_EQ(waitpid(child, NULL, 0), child);
	}
	close(fd);
	EXPECT_EQ(zt_await_charged(0), 0);
}

KTAP_MAIN()
