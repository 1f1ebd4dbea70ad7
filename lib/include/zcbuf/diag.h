/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * libzcbuf-user: why not, and what to do about it: which limit an error comes from,
 * whether zcbuf will do here at all, and what the library settles by itself. A part
 * of <zcbuf/zcbuf.h>, which includes it and says what holds for all functions.
 *
 *	err = zcbuf_pool_create(&pool, &opts);
 *	if (err && !zcbuf_explain(NULL, err, opts.arena_size, &why))
 *		fprintf(stderr, "no pool: %s\n", why.text);
 *
 * All of it looks at how things are now: what an error comes from may have passed
 * meanwhile, or somebody else may have taken what is free.
 */
#ifndef ZCBUF_DIAG_H
#define ZCBUF_DIAG_H

#include <errno.h>

#include <zcbuf/zcbuf.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- signals */

#if defined(__GNUC__)
/*
 * ZCBUF_RETRY() - a call, again and again while a signal ends it
 * @call: any function here that answers -EINTR; evaluated each time
 *
 * Deadlines are absolute, so it does not wait longer for it. Not for a call that has
 * done a part by then: zcbuf_client_call() has sent its request if that is zero, and
 * zcbuf_client_wait() is what goes on.
 */
#define ZCBUF_RETRY(call) __extension__({				\
	__typeof__(call) zcbuf_result_;					\
	do								\
		zcbuf_result_ = (call);					\
	while (zcbuf_result_ == -EINTR);				\
	zcbuf_result_; })
#endif

/* ----------------------------------------------------------------- limits */

#define ZCBUF_LIMIT_NONE	0	/* none that could be found */
#define ZCBUF_LIMIT_POOL	1	/* room in the pool, bytes */
#define ZCBUF_LIMIT_POOL_MAX	2	/* what a pool may grow to, bytes */
#define ZCBUF_LIMIT_BUFFER	3	/* what one buffer can be, bytes */
#define ZCBUF_LIMIT_USER	4	/* what the user may hold, bytes */
#define ZCBUF_LIMIT_TOTAL	5	/* what all users may hold, bytes */
#define ZCBUF_LIMIT_CGROUP	6	/* memory.max of a cgroup, bytes */
#define ZCBUF_LIMIT_MACHINE	7	/* memory there is, bytes */
#define ZCBUF_LIMIT_MEMLOCK	8	/* RLIMIT_MEMLOCK, bytes */
#define ZCBUF_LIMIT_FILES	9	/* RLIMIT_NOFILE */
#define ZCBUF_LIMIT_ALL_FILES	10	/* fs.file-max */
#define ZCBUF_LIMIT_SESSIONS	11	/* sessions of the pool */
#define ZCBUF_LIMIT_CHANNELS	12	/* channels of the pool */
#define ZCBUF_LIMIT_CREDITS	13	/* max_outstanding of the channel */
#define ZCBUF_LIMIT_QUEUE	14	/* room in the queue of a consumer */
#define ZCBUF_LIMIT_CONSUMERS	15	/* nobody is there to consume */

/*
 * struct zcbuf_why - where an error comes from
 * @sz: in: sizeof(struct zcbuf_why)
 * @cause: in: ZCBUF_WHY_* that came with the error, see zcbuf_reserve_why() and
 *	zcbuf_publish_why(); 0: none did
 * @limit: ZCBUF_LIMIT_*
 * @error: the error, negative
 * @reserved: written: 0
 * @in_use: of the limit, in its unit; what is asked for if that alone is too much;
 *	0 of what is the channel's: zcctl channel show has its numbers
 * @most: the limit; 0 of what is the channel's
 * @text: one line: which it is, its numbers, and how to raise it
 */
struct zcbuf_why {
	size_t sz;
	__u32 cause;
	__u32 limit;
	int error;
	__u32 reserved;
	__u64 in_use;
	__u64 most;
	char text[240];
};

/*
 * zcbuf_explain() - which limit was hit, and how to raise it
 * @pool: what was called; NULL: there is none, as when none could be made
 * @err: what it answered, negative or positive
 * @want: bytes that were asked for; 0: none, or an arena
 * @why: sz and cause are set by the caller, the rest is written
 *
 * Asks the kernel, with a session of its own if there is no pool, and reads files of
 * /proc and of cgroups, so it is nothing for a hot path. If no limit is found the
 * text is that of zcbuf_strerror(); of what is the channel's, that of zcbuf_strwhy().
 * -EINVAL: sz.
 */
ZCBUF_API int zcbuf_explain(const struct zcbuf_pool *pool, int err, __u64 want,
			    struct zcbuf_why *why);

/* -------------------------------------------------------------- preflight */

#define ZCBUF_VERDICT_OK	0
#define ZCBUF_VERDICT_NOTE	1	/* worth knowing, and no obstacle */
#define ZCBUF_VERDICT_UNKNOWN	2	/* not before others are put right */
#define ZCBUF_VERDICT_NO	3

/* zcbuf_preflight_opts.flags: pools will be registered with io_uring */
#define ZCBUF_PREFLIGHT_URING	(1U << 0)

/*
 * struct zcbuf_preflight_opts - what the program is about to do
 * @sz: sizeof(struct zcbuf_preflight_opts)
 * @pool_size: bytes of its pools; 0: one arena of the default size
 * @features: ZCBUF_FEATURE_* it cannot do without
 * @flags: ZCBUF_PREFLIGHT_URING: it is an obstacle if there is no io_uring, or
 *	RLIMIT_MEMLOCK is below that size; else it is only noted
 * @reserved: 0
 */
struct zcbuf_preflight_opts {
	size_t sz;
	__u64 pool_size;
	__u64 features;
	__u32 flags;
	__u32 reserved;
};

/*
 * struct zcbuf_finding - one thing that was looked at
 * @name: "kernel", "device", "access", "version", "calls", "features", "user limit",
 *	"total limit", "memory", "io_uring" or "memlock"; constant
 * @verdict: ZCBUF_VERDICT_*
 * @error: NO: what calls will answer for it, a negative errno; else 0
 * @detail: what was found
 * @remedy: what to do about it; empty: nothing
 */
struct zcbuf_finding {
	const char *name;
	__u32 verdict;
	int error;
	char detail[96];
	char remedy[160];
};

#define ZCBUF_MAX_FINDINGS	16

/*
 * struct zcbuf_preflight - all that was looked at
 * @sz: in: sizeof(struct zcbuf_preflight)
 * @nfindings: entries of @findings
 * @reserved: 0
 * @findings: in the order in which to put them right
 */
struct zcbuf_preflight {
	size_t sz;
	__u32 nfindings;
	__u32 reserved;
	struct zcbuf_finding findings[ZCBUF_MAX_FINDINGS];
};

/*
 * zcbuf_preflight() - will zcbuf do here, for this user, and if not, why not
 * @opts: may be NULL
 * @result: sz is set by the caller, the rest is written
 *
 * Changes nothing, and needs neither module nor rights: what is missing is what it
 * finds. Return: 0: it will do. Else the error of the first finding that says NO,
 * and @result is written all the same. -EINVAL: sz. -E2BIG, -EOPNOTSUPP: @opts; with
 * these three nfindings stays what it was.
 */
ZCBUF_API int zcbuf_preflight(const struct zcbuf_preflight_opts *opts,
			      struct zcbuf_preflight *result);

/* -------------------------------------------------------------------- log */

/*
 * struct zcbuf_log - whom to tell what no result tells
 * @sz: sizeof(struct zcbuf_log)
 * @message: called with @ctx, the pool, the reason (a negative errno, or 0) and one
 *	line without its end, constant. It may call what concerns no pool, as
 *	zcbuf_strerror(), and must come back; NULL: nobody
 * @ctx: handed to it
 */
struct zcbuf_log {
	size_t sz;
	void (*message)(void *ctx, const struct zcbuf_pool *pool, int err,
			const char *text);
	void *ctx;
};

/*
 * zcbuf_pool_log() - be told when the library settles something by itself
 * @log: copied; NULL: nobody is told any more
 *
 * Errors are results and are not logged. This is about what works in another way
 * than it might: memory that could not be mapped yet, a queue that is read by system
 * calls, a buffer that is not of the pool, rings without a pin token. Told by the
 * thread that does it, without a lock. To be called while no other thread uses the
 * pool. -EINVAL, -E2BIG: sz.
 */
ZCBUF_API int zcbuf_pool_log(struct zcbuf_pool *pool,
			     const struct zcbuf_log *log);

#ifdef __cplusplus
}
#endif

#endif /* ZCBUF_DIAG_H */
