// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Heartbeats: the word of a session, mapped. To beat is a store, and in the header.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

static int heartbeat_call(const struct zcbuf_pool *pool,
			  struct zcbuf_heartbeat *arg)
{
	arg->size = sizeof(*arg);
	return zcb_call(pool->session.fd, ZCBUF_NR_HEARTBEAT, arg);
}

/* The session lock is held: no child gets the descriptor. */
static int heartbeat_map(const struct zcbuf_heartbeat *arg,
			 struct zcbuf_pulse *pulse)
{
	void *page = zcb_map_part(arg->out_fd, arg->out_bytes,
				  PROT_READ | PROT_WRITE, 0);
	int err = page ? 0 : -errno;

	close(arg->out_fd);
	if (err)
		return err;
	pulse->page = page;
	pulse->bytes = arg->out_bytes;
	return 0;
}

int zcbuf_heartbeat_start(struct zcbuf_pool *pool, __u64 period_ns,
			  unsigned int misses, __u32 policy,
			  struct zcbuf_pulse *pulse)
{
	struct zcbuf_heartbeat arg = {
		.period_ns = period_ns, .misses = misses, .policy = policy,
	};
	struct zcbuf_heartbeat none = { .policy = ZCBUF_HEARTBEAT_NONE };
	int err;

	*pulse = (struct zcbuf_pulse){ NULL, 0 };
	if (policy == ZCBUF_HEARTBEAT_NONE)
		return -EINVAL;
	zcb_session_lock();
	err = heartbeat_call(pool, &arg);
	if (!err) {
		err = heartbeat_map(&arg, pulse);
		if (err)
			heartbeat_call(pool, &none);
	}
	zcb_session_unlock();
	return err;
}

int zcbuf_heartbeat_stop(struct zcbuf_pool *pool, struct zcbuf_pulse *pulse)
{
	struct zcbuf_heartbeat none = { .policy = ZCBUF_HEARTBEAT_NONE };
	int err = heartbeat_call(pool, &none);

	/* A fork child has no mapping; something else may be there now. */
	if (err != -EBADF && pulse->page)
		munmap(pulse->page, pulse->bytes);
	*pulse = (struct zcbuf_pulse){ NULL, 0 };
	return err;
}
