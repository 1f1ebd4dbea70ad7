// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What an error means, and what to do about it.
 */
#include <errno.h>

#include "internal.h"

#define EXPLAIN(error, meaning, remedy) { error, meaning ": " remedy }

struct explanation {
	int error;
	const char *text;
};

static const struct explanation explanations[] = {
	{ 0, "no error" },
	EXPLAIN(EACCES,
		"not permitted to open /dev/zcbuf",
		"add the user to group zcbuf, or ask for read-only rights"),
	EXPLAIN(EAGAIN,
		"would have to wait",
		"nothing is ready, or what zcbuf_strwhy() names is short; poll the session, or give a deadline"),
	EXPLAIN(EALREADY,
		"done before",
		"a reservation committed or aborted, a buffer published, or one that session has already; do it once"),
	EXPLAIN(EBADF,
		"no session",
		"the pool was closed, this is a fork child, or the descriptor is none; attach again"),
	EXPLAIN(EBADSLT,
		"freed or released twice",
		"nothing was done, but look for the other owner of this handle"),
	EXPLAIN(EBUSY,
		"in use",
		"attached already; the arena is retired, or somebody has something of it; or the ring has a table: name a slot of it"),
	EXPLAIN(ECANCELED,
		"not begun",
		"what the command of a ring is linked to failed, or its SQE was used again too early; nothing was done"),
	EXPLAIN(E2BIG,
		"can never fit",
		"larger than an arena (arena_size) or than the pool may get (max_size), or a struct newer than this side knows"),
	EXPLAIN(EEXIST,
		"exists with other options",
		"attach to it as it is, or take another name"),
	EXPLAIN(EFAULT,
		"memory is not accessible",
		"a bad pointer, or memory that is read-only where it is to be written or registered"),
	EXPLAIN(EFBIG,
		"does not fit in what is left of the reservation",
		"put less, or reserve more"),
	EXPLAIN(EINTR,
		"a signal came while waiting",
		"nothing was done, call again"),
	EXPLAIN(EINVAL,
		"wrong argument",
		"a length, count, alignment, name or combination outside of what the manual allows"),
	EXPLAIN(EIO,
		"the device failed, or wrote less than was asked for",
		"see how much was moved, and the kernel log"),
	EXPLAIN(EMFILE,
		"too many sessions or channels in this pool, or descriptors in this process",
		"close some, or raise the limit"),
	EXPLAIN(EMSGSIZE,
		"length differs from the reservation, or an array is too small",
		"write exactly what was reserved, pass the room asked for"),
	EXPLAIN(ENFILE,
		"too many open files on this machine",
		"close some, or raise fs.file-max"),
	EXPLAIN(ENOBUFS,
		"no buffer left to receive into",
		"put some back with zcbuf_bufring_add(), and receive again"),
	EXPLAIN(ENODATA,
		"the file ended before all was read",
		"the view's length is what there was"),
	EXPLAIN(ENODEV,
		"no /dev/zcbuf",
		"the zcbuf module is not loaded; run modprobe zcbuf as root, then zcctl check"),
	EXPLAIN(ENOENT,
		"no such thing",
		"never issued, or gone; check name, user and id"),
	EXPLAIN(ENOMEM,
		"out of memory",
		"the pool, or a limit of user, module, cgroup or memlock; free some, let it grow, or raise what zcctl check names"),
	EXPLAIN(ENOSPC,
		"full",
		"no room in the buffer, queue or table, or max_held messages are taken; make room, or release some"),
	EXPLAIN(ENOTTY,
		"no such call",
		"the descriptor is no zcbuf session, or the module is older than this program; update it"),
	EXPLAIN(ENXIO,
		"no such slot",
		"the ring has no table of buffers, or of files; register one first"),
	EXPLAIN(EOPNOTSUPP,
		"not supported",
		"an unknown flag, a reserved field that is not 0, or a feature this kernel lacks; ask zcbuf_query()"),
	EXPLAIN(EPERM,
		"not yours",
		"the session is not attached, lacks the right or the port, or does not own the object; attach with that right"),
	EXPLAIN(EPIPE,
		"nobody consumes this channel, and the caller asked for somebody",
		"start a consumer"),
	EXPLAIN(EPROTONOSUPPORT,
		"no transform for the encoding of this message",
		"give the subscriber one that decodes it, or read it as it is"),
	EXPLAIN(ERANGE,
		"outside its object",
		"stay within the buffer's capacity, the reservation or the pool"),
	EXPLAIN(ESHUTDOWN,
		"the channel is finalized",
		"nothing can be written any more, or all was read; stop, or make a new channel"),
	EXPLAIN(ESTALE,
		"freed and reissued, or failed by somebody else",
		"do not touch that memory any more, and reserve or allocate anew"),
	EXPLAIN(ETIMEDOUT,
		"the deadline passed",
		"nothing was done, call again or look for who holds the memory with zcctl holders"),
};

const char *zcbuf_strerror(int err)
{
	unsigned int error = err;
	unsigned int i;

	/* As unsigned: INT_MIN has no negative. */
	if (err < 0)
		error = -error;
	for (i = 0; i < ARRAY_SIZE(explanations); i++)
		if ((unsigned int)explanations[i].error == error)
			return explanations[i].text;
	return "an error outside zcbuf's vocabulary: see errno(3)";
}

/* The first that is set is told. */
static const struct {
	__u32 why;
	const char *text;
} shortages[] = {
	{ ZCBUF_WHY_NO_CONSUMER,
	  "nobody consumes, what is complete is parked: start a consumer" },
	{ ZCBUF_WHY_QUEUE,
	  "a consumer's queue is full: let it receive and release, or give it a deeper queue or another policy" },
	{ ZCBUF_WHY_LIMIT,
	  "the channel holds max_outstanding reservations: decide those that are pending, release what was received" },
	{ ZCBUF_WHY_MEMORY,
	  "the pool has no such block free: free or release some (zcctl holders), or let it grow" },
};

const char *zcbuf_strwhy(__u32 why)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(shortages); i++)
		if (why & shortages[i].why)
			return shortages[i].text;
	return why ? "something this library is too old to know: update it" :
		     "nothing was short";
}
