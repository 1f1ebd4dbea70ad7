/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * kfuzz: a fuzzer of /dev/zcbuf from user space, guided by KCOV.
 *
 * An input is a program: operations of 24 bytes each, of which almost any bytes
 * mean something and zeros mean the usual. prog.c knows how programs look in
 * files and in words, gen.c makes and changes them, and both are pure: so a run
 * can be followed again on another machine (derive.c). Everything else is about
 * executing them: calls.c and ops.c have the grammar, exec.c runs a program in
 * one thread or in several, mem.c decides where arguments lie, cov.c asks KCOV,
 * oracle.c looks for what is wrong afterwards. work.c is the loop, and main.c
 * watches over it from another process.
 */
#ifndef KFUZZ_H
#define KFUZZ_H

#include <linux/types.h>
#include <linux/zcbuf.h>
#include <stdbool.h>
#include <stddef.h>

/* --------------------------------------------------------------- programs */

#define KF_OPS		48	/* operations of a program, at most */
#define KF_SEL		9	/* choices of an operation */
#define KF_LANES	3	/* threads that run one program */

/*
 * The calls of the first day, by their numbers, then everything else in the order
 * it came: programs in files have these numbers.
 */
enum kf_call {
	KF_OPEN = ZCBUF_NR_EVENTFD + 1,
	KF_CLOSE,
	KF_DUP,
	KF_MMAP,
	KF_MUNMAP,
	KF_MREMAP,
	KF_MPROTECT,
	KF_MADVISE,
	KF_TOUCH,
	KF_POLL,
	KF_EPOLL,
	KF_FORK,
	KF_SEND,
	KF_RECV,
	KF_READ_EVENTFD,
	KF_DUMP,
	KF_IO,
	KF_BADCALL,
	KF_FDINFO,
	KF_NONBLOCK,
	KF_SETUID,
	KF_PAUSE,
	KF_BUF_INFO,
	KF_POOL_GROW,
	KF_TRANSFER,
	KF_PIN_TOKEN,
	KF_SHARE,
	KF_EXPORT,
	KF_POOL_REMOVE,
	KF_POOL_RETIRE,
	KF_PUBLISH,
	KF_QUEUE,
	KF_WATCH,
	KF_READY,
	KF_HEARTBEAT,
	KF_NCALLS
};

/**
 * struct kf_op - one operation
 * @call: enum kf_call or ZCBUF_NR_*, modulo KF_NCALLS
 * @lane: which thread runs it, modulo KF_LANES
 * @fd: which session, see kf_session()
 * @place: where the argument (low 4 bits) and its arrays lie, see mem.c
 * @fail: this allocation or copy of the system call fails; 0: none
 * @patch: low 2 bits: 0 nothing, 1 the argument, 2 and 3 its arrays; next 2
 *	bits: the size, 1 << n bytes; the rest: KF_COMMAND_*
 * @at: where in there @value goes
 * @sel: choices, each an index into a table whose first entry is the usual one
 * @value: see @patch
 */
struct kf_op {
	__u8 call;
	__u8 lane;
	__u8 fd;
	__u8 place;
	__u8 fail;
	__u8 patch;
	__u8 at;
	__u8 sel[KF_SEL];
	__u64 value;
};

/* The call is a command of io_uring, where the kernel has that. */
#define KF_COMMAND		(1U << 4)
#define KF_COMMAND_ALL		(1U << 5)	/* ZCBUF_URING_F_ALL_OR_ERROR */
#define KF_COMMAND_ASYNC	(1U << 6)	/* by a worker, from the start */
#define KF_COMMAND_BAD		(1U << 7)	/* a flag there is not */
#define KF_COMMAND_BITS		0xf0U

/* The last choice of every call is what its size and flags are like. */
#define KF_SEL_HEAD	(KF_SEL - 1)

#define KF_PROG_PARALLEL	(1U << 0)	/* the lanes run at once */

/**
 * struct kf_prog - one input
 * @nops: operations
 * @setup: so many of them run before the lanes begin
 * @flags: KF_PROG_*
 */
struct kf_prog {
	__u8 nops;
	__u8 setup;
	__u8 flags;
	__u8 reserved[5];
	struct kf_op op[KF_OPS];
};

/* How programs are made, by call. */
struct kf_grammar {
	const char *name;
	__u8 weight;			/* how often */
	__u8 range[KF_SEL];		/* choices there are; 0 means 1 */
};

extern const struct kf_grammar kf_grammar[KF_NCALLS];

static __inline__ unsigned int kf_call(const struct kf_op *op)
{
	return op->call % KF_NCALLS;
}

/* The ZCBUF_NR_* of an operation that is a call of the device. */
static __inline__ unsigned int kf_nr(const struct kf_op *op)
{
	switch (kf_call(op)) {
	case KF_BUF_INFO:
		return ZCBUF_NR_BUF_INFO;
	case KF_POOL_GROW:
		return ZCBUF_NR_POOL_GROW;
	case KF_TRANSFER:
		return ZCBUF_NR_TRANSFER;
	case KF_PIN_TOKEN:
		return ZCBUF_NR_PIN_TOKEN;
	case KF_SHARE:
		return ZCBUF_NR_SHARE;
	case KF_EXPORT:
		return ZCBUF_NR_EXPORT;
	case KF_POOL_REMOVE:
		return ZCBUF_NR_POOL_REMOVE;
	case KF_POOL_RETIRE:
		return ZCBUF_NR_POOL_RETIRE;
	case KF_PUBLISH:
		return ZCBUF_NR_PUBLISH;
	case KF_QUEUE:
		return ZCBUF_NR_QUEUE;
	case KF_WATCH:
		return ZCBUF_NR_WATCH;
	case KF_READY:
		return ZCBUF_NR_READY;
	case KF_HEARTBEAT:
		return ZCBUF_NR_HEARTBEAT;
	default:
		return kf_call(op);
	}
}

/* Else io_uring says that it is none. */
static __inline__ bool kf_is_command(unsigned int nr)
{
	switch (nr) {
	case ZCBUF_NR_ALLOC:
	case ZCBUF_NR_FREE:
	case ZCBUF_NR_BUF_INFO:
	case ZCBUF_NR_TRANSFER:
	case ZCBUF_NR_SHARE:
	case ZCBUF_NR_RESERVE:
	case ZCBUF_NR_COMMIT:
	case ZCBUF_NR_ABORT:
	case ZCBUF_NR_RECEIVE:
	case ZCBUF_NR_RELEASE:
		return true;
	}
	return false;
}

/* prog.c */
size_t kf_prog_bytes(const struct kf_prog *p);
int kf_read_progs(const char *path, struct kf_prog *p, unsigned int max);
int kf_write_progs(const char *path, const struct kf_prog *p, unsigned int n);
void kf_show_op(const struct kf_op *op, char *line, size_t room);
void kf_show(const struct kf_prog *p);

/* ------------------------------------------------------------- generation */

#define KF_CORPUS	4096
#define KF_HINTS	512

/* An argument of @call was compared with @value: see cov.c. */
struct kf_hint {
	__u8 call;
	__u8 patch;
	__u8 at;
	__u64 value;
};

/**
 * struct kf_pool - what programs are made from
 * @seed: of the run
 * @nprogs: programs that reached something new, in order
 * @nseeds: those of them that were there from the start
 * @nhints: hints
 * @cost: how long each program took, us
 */
struct kf_pool {
	__u64 seed;
	unsigned int nprogs;
	unsigned int nseeds;
	unsigned int nhints;
	struct kf_hint hint[KF_HINTS];
	__u32 cost[KF_CORPUS];
	struct kf_prog prog[KF_CORPUS];
};

void kf_make(const struct kf_pool *pool, unsigned int iteration,
	     struct kf_prog *p);
bool kf_pool_add(struct kf_pool *pool, const struct kf_prog *p, __u32 cost);
bool kf_pool_hint(struct kf_pool *pool, const struct kf_hint *h);
int kf_derive(struct kf_pool *pool, const char *log, unsigned int iteration);

static __inline__ __u64 kf_random(__u64 *state)
{
	__u64 z = (*state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static __inline__ unsigned int kf_below(__u64 *state, unsigned int n)
{
	return kf_random(state) % n;
}

static __inline__ bool kf_one_in(__u64 *state, unsigned int n)
{
	return !kf_below(state, n);
}

#endif /* KFUZZ_H */
