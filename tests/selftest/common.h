/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What the selftests share: every call as one function, without the library in
 * between. All answer 0, or a count where the call has one, or -errno.
 */
#ifndef ZCBUF_SELFTEST_COMMON_H
#define ZCBUF_SELFTEST_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <linux/zcbuf.h>

#define ZT_PAGE		4096ULL
#define ZT_MIB		(1024 * 1024ULL)
#define ZT_ARENA	(2 * ZT_MIB)	/* the smallest, quick to make */
#define ZT_USER		1000		/* an unprivileged user */
#define ZT_GROUP	zt_device_group()
#define ZT_READ_ONLY	(ZCBUF_RIGHT_MAP_READ | ZCBUF_RIGHT_CONSUME)
#define ZT_ALL_PORTS	(ZCBUF_PORT_PRODUCE | ZCBUF_PORT_CONSUME | \
			 ZCBUF_PORT_RECV_FAILED)

/*
 * zt_arg() - a whole argument struct with its size filled in:
 *	struct zcbuf_flush a = zt_arg(struct zcbuf_flush, .channel = ch);
 */
#define zt_arg(type, ...)	((type){ .size = sizeof(type), ##__VA_ARGS__ })
#define zt_ptr(p)		((__u64)(unsigned long)(p))

/* Any call on any argument: 0 or -errno. */
int zt_call(int fd, unsigned long request, void *arg);

int zt_open(int oflags);
int zt_query(int fd, struct zcbuf_query *q);

/* Pools. Names: NULL is anonymous. Rights: 0 is all there are. */
int zt_pool_create(int fd, __u32 kind, __u32 flags, __u64 arena_size);
int zt_pool_create_named(int fd, const char *name, __u32 mode);
int zt_pool_attach(int fd, const char *name, __u32 rights);
int zt_pool_attach_uid(int fd, const char *name, __u32 rights, uid_t uid);
int zt_pool_attach_fd(int fd, int donor, __u32 rights);
int zt_pool_info(int fd, struct zcbuf_pool_info *info);

/* One more arena; @arg is all filled in, or NULL. */
int zt_pool_grow(int fd, struct zcbuf_pool_grow *arg);

/* Open and create, open and attach: the session, or -errno. */
int zt_pool(__u32 kind, __u32 flags, __u64 arena_size);
int zt_pool_as(struct zcbuf_pool_create *arg);
/* A PAGES pool of one ZT_ARENA that may have @arenas. */
int zt_pool_growing(__u32 flags, unsigned int arenas);
int zt_join(int donor, __u32 rights);

/* The id of a session that is open, as QUERY tells it; else 0, which none has. */
__u64 zt_session(int fd);

/* Bytes handed out now; what "the counters" are. */
__u64 zt_used(int fd);
__u64 zt_bad_frees(int fd);

/* @count handles; the answer is how many, or -errno. */
int zt_alloc(int fd, __u64 length, __u32 align, __u32 flags, __u64 *handles,
	     __u32 count);
int zt_free(int fd, const __u64 *handles, __u32 count);

/* One at a time; zt_alloc1() answers 0 or -errno. */
int zt_alloc1(int fd, __u64 length, __u64 *handle);
int zt_free1(int fd, __u64 handle);

/* How many there were answers for, were given or shared, or -errno. */
int zt_buf_info(int fd, const __u64 *handles, struct zcbuf_buf_place *places,
		__u32 count);
int zt_transfer(int fd, __u64 session, const __u64 *handles, __u32 count);
int zt_share(int fd, __u64 session, const __u64 *handles, __u32 count);

/* A dma-buf's descriptor, or -errno. */
int zt_export(int fd, __u64 handle, __u64 offset, __u64 length, __u32 flags);

/* Channels. @arg: everything but size, which is filled in. */
int zt_channel_open(int fd, struct zcbuf_channel_open *arg);
int zt_channel_close(int fd, __u64 channel, __u32 ports);

/* A stream with align 1 and exactly @threshold, all ports. */
int zt_stream(int fd, __u64 threshold, __u32 flags, __u64 *channel);
int zt_ports(int fd, __u64 channel, __u32 ports);

int zt_reserve(int fd, __u64 channel, struct zcbuf_reservation *r, __u32 count,
	       __u32 flags, __u64 deadline_ns);
int zt_publish(int fd, __u64 channel, struct zcbuf_publication *p, __u32 count,
	       __u32 flags, __u64 deadline_ns);
int zt_commit(int fd, __u64 channel, const struct zcbuf_commit_entry *e,
	      __u32 count);
int zt_abort(int fd, __u64 channel, const struct zcbuf_abort_entry *e,
	     __u32 count);
int zt_commit_reserve(int fd, struct zcbuf_commit_reserve *arg);
int zt_flush(int fd, __u64 channel);	/* 1: sealed one, 0: none open */
int zt_finalize(int fd, __u64 channel, struct zcbuf_finalize *arg);

/* One reservation; 0 or -errno. */
int zt_reserve1(int fd, __u64 channel, __u64 length,
		struct zcbuf_reservation *r);
int zt_commit1(int fd, __u64 channel, const struct zcbuf_reservation *r);
int zt_abort1(int fd, __u64 channel, const struct zcbuf_reservation *r);

int zt_receive(int fd, __u64 channel, struct zcbuf_delivery *d, __u32 count,
	       __u64 deadline_ns);
int zt_receive_failed(int fd, __u64 channel, struct zcbuf_receive_failed *arg);
int zt_release(int fd, __u64 channel, const __u64 *handles, __u32 count);
int zt_release1(int fd, __u64 channel, __u64 handle);
int zt_eventfd(int fd, __u64 channel, int efd, __u32 mode, __u32 flags);

/* All of a pool, or NULL with errno. */
void *zt_map(int fd, int prot, size_t size);

/* What this process has mapped of files by huge pages, KiB; or -errno. */
long zt_pmd_mapped_kib(void);

/* Events of @fd now (@ms 0), or within @ms; 0 if none came. */
int zt_poll(int fd, int ms);

/* The count of an eventfd, 0 if it is not readable. */
__u64 zt_count(int efd);

/*
 * Wait until thread or process @tid sleeps in system call @nr, SYS_*: 0 or
 * -ESRCH. So a test may say "while it waits" without measuring time.
 */
int zt_await_sleep(pid_t tid, long nr);

/* Does it, now? */
bool zt_sleeps(pid_t tid, long nr);

/*
 * Bytes that the caller holds, and ZT_USER if that is root, as soon as it is
 * @want, or after some 20 seconds whatever it is: the end of a pool is a work
 * item that may have to wait. Others may use the machine as well.
 */
__u64 zt_await_charged(__u64 want);
__u64 zt_charged(void);

/*
 * Stay on this CPU: what is freed here is what it hands out next, since a CPU
 * keeps small blocks.
 */
void zt_stay(void);

/* Set a parameter of the module, which root may, to @value: what it was, -errno. */
long zt_parameter(const char *name, long value);

/* Become @uid with no capability and no group but @gid, for good: 0, -errno. */
int zt_become(uid_t uid, gid_t gid);

/* Whose members may open the device. */
gid_t zt_device_group(void);

/*
 * A pair of processes takes turns by a pipe each way: zt_tell() lets the other
 * one's zt_await() go on. 0, or -errno (-EPIPE: the other is gone).
 */
struct zt_turns {
	int to_child[2];
	int to_parent[2];
};

int zt_turns_init(struct zt_turns *t);
void zt_turns_child(struct zt_turns *t);	/* which side am I */
void zt_turns_parent(struct zt_turns *t);
int zt_tell_child(struct zt_turns *t);
int zt_tell_parent(struct zt_turns *t);
int zt_await_child(struct zt_turns *t);
int zt_await_parent(struct zt_turns *t);

#endif /* ZCBUF_SELFTEST_COMMON_H */
