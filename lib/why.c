// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Which limit an error comes from. The kernel says that something is too much, and
 * not of what: so all that it may have looked at is looked at, in its order.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "facts.h"

#define MAX_STRUCT	4096	/* a size beyond this was never set */

/*
 * struct scene - what is known when an error is to be explained
 * @pool: or NULL
 * @want: bytes that were asked for, or 0
 * @cause: what the kernel said was short, or 0
 * @info: of the pool, else 0
 * @query: of its session, or of one of our own; else 0
 */
struct scene {
	const struct zcbuf_pool *pool;
	__u64 want;
	__u32 cause;
	struct zcbuf_pool_info info;
	struct zcbuf_query query;
};

static bool say(struct zcbuf_why *why, __u32 limit, __u64 in_use, __u64 most,
		const char *who, const char *remedy)
{
	struct zcb_shown used, all;

	why->limit = limit;
	why->in_use = in_use;
	why->most = most;
	snprintf(why->text, sizeof(why->text), "%s: %s of %s; %s", who,
		 zcb_show_bytes(&used, in_use), zcb_show_bytes(&all, most),
		 remedy);
	return true;
}

static bool say_count(struct zcbuf_why *why, __u32 limit, __u64 in_use,
		      __u64 most, const char *who, const char *remedy)
{
	why->limit = limit;
	why->in_use = in_use;
	why->most = most;
	snprintf(why->text, sizeof(why->text), "%s: %llu of %llu; %s", who,
		 (unsigned long long)in_use, (unsigned long long)most, remedy);
	return true;
}

/* ----------------------------------------------------------------- memory */

static bool limit_of_the_module(const struct scene *s, __u64 bytes,
				bool ipc_lock, struct zcbuf_why *why)
{
	const struct zcbuf_query *q = &s->query;

	if (!q->size)
		return false;
	if (zcb_room(q->out_total_charged, q->out_total_limit) < bytes)
		return say(why, ZCBUF_LIMIT_TOTAL, q->out_total_charged,
			   q->out_total_limit, "all pools of this machine",
			   "raise /sys/module/zcbuf/parameters/total_limit_mb, or end who holds it (zcctl holders)");
	if (!ipc_lock &&
	    zcb_room(q->out_user_charged, q->out_user_limit) < bytes)
		return say(why, ZCBUF_LIMIT_USER, q->out_user_charged,
			   q->out_user_limit, "what this user holds",
			   "raise /sys/module/zcbuf/parameters/user_limit_mb, or have CAP_IPC_LOCK");
	return false;
}

/* An arena of @bytes, in the order in which the module asks for it. */
static bool no_memory(const struct scene *s, __u64 bytes, struct zcbuf_why *why)
{
	struct zcb_facts f;

	zcb_facts_read(&f);
	if (limit_of_the_module(s, bytes, f.ipc_lock, why))
		return true;
	if (zcb_room(f.cgroup_used, f.cgroup_max) < bytes)
		return say(why, ZCBUF_LIMIT_CGROUP, f.cgroup_used, f.cgroup_max,
			   "this cgroup", "raise its memory.max (systemd: MemoryMax=)");
	if (f.available < bytes)
		return say(why, ZCBUF_LIMIT_MACHINE, bytes, f.available,
			   "memory that is available",
			   "end something, or make smaller pools");
	return false;
}

/* What io_uring charges, besides what the pool costs. */
static bool no_memlock(const struct scene *s, struct zcbuf_why *why)
{
	struct zcb_facts f;

	zcb_facts_read(&f);
	if (f.ipc_lock || f.memlock >= s->info.out_size)
		return false;
	return say(why, ZCBUF_LIMIT_MEMLOCK, s->info.out_size, f.memlock,
		   "to register the pool takes RLIMIT_MEMLOCK",
		   "ulimit -l, LimitMEMLOCK= (systemd), or CAP_IPC_LOCK");
}

/* ------------------------------------------------------------------ pools */

static bool may_grow(const struct zcbuf_pool_info *info)
{
	return zcb_room(info->out_size, info->out_max_size) >=
	       info->out_arena_size;
}

static bool no_room(const struct scene *s, struct zcbuf_why *why)
{
	const struct zcbuf_pool_info *i = &s->info;

	if (!i->out_size || i->out_largest_free >= (s->want ? s->want : 1))
		return false;
	return say(why, ZCBUF_LIMIT_POOL, i->out_used, i->out_size,
		   "the pool has no room",
		   may_grow(i) ? "free some, wait with a deadline, or zcbuf_pool_grow()" :
				 "free some, wait with a deadline, or make it with a larger max_size");
}

/* A pool that grows by itself has no room only when something keeps it from that. */
static bool out_of_memory(const struct scene *s, struct zcbuf_why *why)
{
	bool grows = (s->info.out_flags & ZCBUF_POOL_F_AUTO_GROW) &&
		     may_grow(&s->info);
	__u64 bytes = s->info.out_arena_size;

	if (!bytes)
		bytes = s->want ? s->want : s->query.out_default_arena_size;
	return (!grows && no_room(s, why)) || no_memory(s, bytes, why) ||
	       no_room(s, why) || no_memlock(s, why);
}

static bool too_big(const struct scene *s, struct zcbuf_why *why)
{
	const struct zcbuf_pool_info *i = &s->info;

	if (!s->info.size)
		return s->query.size && s->want > s->query.out_max_pool_size &&
		       say(why, ZCBUF_LIMIT_POOL_MAX, s->want,
			   s->query.out_max_pool_size,
			   "larger than a pool can be", "make several");
	if (s->want > i->out_arena_size)
		return say(why, ZCBUF_LIMIT_BUFFER, s->want, i->out_arena_size,
			   "larger than an arena",
			   "make the pool with a larger arena_size");
	return !may_grow(i) &&
	       say(why, ZCBUF_LIMIT_POOL_MAX, i->out_size, i->out_max_size,
		   "the pool is as large as it may get",
		   "make it with a larger max_size");
}

/* ------------------------------------------------------------ descriptors */

static bool too_many(const struct scene *s, struct zcbuf_why *why)
{
	const struct zcbuf_pool_info *i = &s->info;
	const struct zcbuf_query *q = &s->query;
	int fd = dup(STDERR_FILENO);
	long most = sysconf(_SC_OPEN_MAX);

	if (fd >= 0)
		close(fd);
	else if (errno == EMFILE)
		return say_count(why, ZCBUF_LIMIT_FILES, (__u64)most,
				 (__u64)most, "descriptors of this process",
				 "close some, or raise ulimit -n");
	if (i->size && i->out_channels >= q->out_max_channels)
		return say_count(why, ZCBUF_LIMIT_CHANNELS, i->out_channels,
				 q->out_max_channels, "channels of this pool",
				 "close some, or use another pool");
	if (i->size && i->out_sessions >= q->out_max_sessions)
		return say_count(why, ZCBUF_LIMIT_SESSIONS, i->out_sessions,
				 q->out_max_sessions, "sessions of this pool",
				 "close some, or use another pool");
	return false;
}

static bool too_many_of_all(struct zcbuf_why *why)
{
	unsigned long long used, max;
	char text[96];

	if (!zcb_text_of("/proc/sys/fs/file-nr", text, sizeof(text)) ||
	    sscanf(text, "%llu %*u %llu", &used, &max) != 2)
		return false;
	return say_count(why, ZCBUF_LIMIT_ALL_FILES, used, max,
			 "open files of this machine",
			 "close some, or raise sysctl fs.file-max");
}

/* ---------------------------------------------------------------- channels */

/* The same is told first as by zcbuf_strwhy(): parked groups hold the rest. */
static __u32 limit_of_channel(__u32 cause)
{
	if (cause & ZCBUF_WHY_NO_CONSUMER)
		return ZCBUF_LIMIT_CONSUMERS;
	if (cause & ZCBUF_WHY_QUEUE)
		return ZCBUF_LIMIT_QUEUE;
	return cause & ZCBUF_WHY_LIMIT ? ZCBUF_LIMIT_CREDITS : ZCBUF_LIMIT_NONE;
}

static bool has_to_wait(const struct scene *s, struct zcbuf_why *why)
{
	why->limit = limit_of_channel(s->cause);
	if (why->limit == ZCBUF_LIMIT_NONE)
		return no_room(s, why);
	snprintf(why->text, sizeof(why->text), "%s", zcbuf_strwhy(s->cause));
	return true;
}

/* ------------------------------------------------------------------- all */

/* What cannot be asked stays 0. */
static void look(struct scene *s)
{
	int fd = s->pool ? zcbuf_pool_fd(s->pool) : zcbuf_open(O_RDWR);

	s->query.size = sizeof(s->query);
	s->info.size = sizeof(s->info);
	if (fd < 0 || zcbuf_query(fd, &s->query))
		memset(&s->query, 0, sizeof(s->query));
	if (!s->pool || zcbuf_pool_info(s->pool, &s->info))
		memset(&s->info, 0, sizeof(s->info));
	if (!s->pool && fd >= 0)
		close(fd);
}

static bool find_limit(const struct scene *s, int error, struct zcbuf_why *why)
{
	switch (error) {
	case ENOMEM:
		return out_of_memory(s, why);
	case EAGAIN:
	case ETIMEDOUT:
		return has_to_wait(s, why);
	case E2BIG:
		return too_big(s, why);
	case EMFILE:
		return too_many(s, why);
	case ENFILE:
		return too_many_of_all(why);
	default:
		return false;
	}
}

int zcbuf_explain(const struct zcbuf_pool *pool, int err, __u64 want,
		  struct zcbuf_why *user_why)
{
	struct scene s = { .pool = pool, .want = want };
	struct zcbuf_why why = {
		.sz = user_why->sz, .cause = user_why->cause,
	};
	unsigned int error = err;

	if (why.sz < sizeof(why) || why.sz > MAX_STRUCT)
		return -EINVAL;
	/* As unsigned: INT_MIN has no negative. */
	if (err < 0)
		error = -error;
	why.error = -error;
	s.cause = why.cause;
	look(&s);
	if (!find_limit(&s, error, &why))
		snprintf(why.text, sizeof(why.text), "%s", zcbuf_strerror(err));
	memset(user_why, 0, why.sz);
	memcpy(user_why, &why, sizeof(why));
	return 0;
}
