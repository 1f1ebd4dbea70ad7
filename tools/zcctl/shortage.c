// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include <linux/zcbuf.h>

#include "device.h"
#include "facts.h"
#include "shortage.h"
#include "show.h"

static bool fits(uint64_t charged, uint64_t bytes, uint64_t limit)
{
	return bytes <= limit && charged <= limit - bytes;
}

static char *show_limit(const struct zcctl *z, const char *who,
			uint64_t charged, uint64_t limit, const char *parameter)
{
	char *have = show_bytes(z, charged);
	char *most = show_bytes(z, limit);
	char *s = xasprintf("%s %s of %s: raise /sys/module/zcbuf/parameters/%s",
			    who, have, most, parameter);

	free(most);
	free(have);
	return s;
}

/* What is known of another user's charges is their sum with all others. */
static char *which_limit(const struct zcctl *z, const struct shortage *s,
			 const struct facts *f)
{
	const struct zcbuf_query *q = &f->query;

	if (!fits(q->out_total_charged, s->bytes, q->out_total_limit))
		return show_limit(z, "all users together already hold",
				  q->out_total_charged, q->out_total_limit,
				  "total_limit_mb");
	if (f->ipc_lock)
		return NULL;
	if (s->uid != geteuid())
		return xasprintf("user %" PRIu32 " may be at the limit (user_limit_mb), or memory is short",
				 s->uid);
	if (!fits(q->out_user_charged, s->bytes, q->out_user_limit))
		return show_limit(z, "you already hold", q->out_user_charged,
				  q->out_user_limit, "user_limit_mb");
	return NULL;
}

/* In the order in which the kernel asks. */
char *shortage_explain(struct zcctl *z, int fd, const struct shortage *s)
{
	struct facts f = {};
	char *limit;

	facts_read(z->root, &f);
	f.query.size = sizeof(f.query);
	if (device_call(fd, ZCBUF_IOC_QUERY, &f.query))
		return xstrdup("out of memory");
	limit = which_limit(z, s, &f);
	if (limit)
		return limit;
	if (f.available <= s->bytes)
		return xstrdup("the machine has not so much memory available");
	if (s->flags & ZCBUF_POOL_F_HUGE_STRICT)
		return xstrdup("there are not so many huge pages, and it takes no others (huge_strict)");
	return xasprintf("out of memory: the machine, or memory.max of %s",
			 s->cgroup);
}
