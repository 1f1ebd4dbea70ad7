// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Pin tokens: a ring that has memory of a pool keeps a file of the pool's among
 * its fixed files, which goes when the ring is really gone.
 */
#include <errno.h>
#include <unistd.h>

#include "internal.h"

/* zcbuf_uring.token: where it is */
enum { TOKEN_NONE, TOKEN_OWN_TABLE, TOKEN_IN_SLOT };

/*
 * The descriptor, -EBADF without session, -ENOTTY: no module knows them, -EPERM: the
 * pool is attached read-only, and there is nothing to register.
 */
static int token_open(const struct zcbuf_pool *pool, unsigned int arenas)
{
	struct zcbuf_pin_token arg = { .size = sizeof(arg), .arenas = arenas };
	int err = zcb_call(pool->session.fd, ZCBUF_NR_PIN_TOKEN, &arg);

	return err ? err : arg.out_fd;
}

/*
 * The session lock is held: a child forked with the descriptor would pass for a
 * ring.
 */
static int token_put(struct zcbuf_uring *uring, unsigned int slot,
		     unsigned int arenas)
{
	int fd = token_open(uring->pool, arenas);
	int err;

	/* What registering would say. */
	if (fd == -EPERM)
		return -EFAULT;
	if (fd < 0)
		return fd == -ENOTTY ? 0 : fd;
	err = uring->registrar->update_file(uring->ctx, slot, fd);
	close(fd);
	if (err)
		return err;
	if (uring->token == TOKEN_NONE)
		uring->token = TOKEN_IN_SLOT;
	uring->token_slot = slot;
	uring->token_arenas = arenas;
	return 0;
}

static int tokens_put(struct zcbuf_uring *urings, unsigned int n,
		      unsigned int slot, unsigned int arenas)
{
	unsigned int i;
	int err;

	for (i = 0; i < n; i++) {
		zcb_session_lock();
		err = token_put(&urings[i], slot + i, arenas);
		zcb_session_unlock();
		if (err)
			return err;
	}
	return 0;
}

int zcb_tokens_add(struct zcbuf_uring *urings, unsigned int n,
		   const struct zcbuf_uring_opts *opts, unsigned int arenas)
{
	const struct zcbuf_registrar *registrar = urings->registrar;
	unsigned int i;
	int err;

	for (i = 0; i < n; i++) {
		urings[i].token = TOKEN_NONE;
		urings[i].token_arenas = 0;
	}
	if ((opts->flags & ZCBUF_URING_NO_TOKEN) || !registrar->register_files)
		return 0;
	if (!(opts->flags & ZCBUF_URING_TOKEN_SLOT)) {
		err = registrar->register_files(urings->ctx, n);
		if (err)
			return err;
	}
	err = tokens_put(urings, n, opts->token_slot, arenas);
	if (!err && urings->token == TOKEN_NONE)
		zcb_log(urings->pool, -ENOTTY, "no pin tokens: memory of the dead stays quarantined while the ring lives");
	if (err || urings->token == TOKEN_NONE)
		zcb_tokens_undo(urings, n, opts);
	else if (n == 1 && !(opts->flags & ZCBUF_URING_TOKEN_SLOT))
		urings->token = TOKEN_OWN_TABLE;
	return err;
}

int zcb_token_renew(struct zcbuf_uring *uring)
{
	unsigned int arenas = uring->size / uring->arena_size;
	int err;

	if (!uring->token_arenas || arenas <= uring->token_arenas)
		return 0;
	zcb_session_lock();
	err = token_put(uring, uring->token_slot, arenas);
	zcb_session_unlock();
	return err;
}

int zcb_token_drop(struct zcbuf_uring *uring)
{
	const struct zcbuf_registrar *registrar = uring->registrar;

	switch (uring->token) {
	case TOKEN_OWN_TABLE:
		return registrar->unregister_files(uring->ctx);
	case TOKEN_IN_SLOT:
		return registrar->update_file(uring->ctx, uring->token_slot,
					      -1);
	default:
		return 0;
	}
}

void zcb_tokens_undo(struct zcbuf_uring *urings, unsigned int n,
		     const struct zcbuf_uring_opts *opts)
{
	const struct zcbuf_registrar *registrar = urings->registrar;
	unsigned int i;

	if ((opts->flags & ZCBUF_URING_NO_TOKEN) || !registrar->register_files)
		return;
	if (!(opts->flags & ZCBUF_URING_TOKEN_SLOT)) {
		registrar->unregister_files(urings->ctx);
		return;
	}
	for (i = 0; i < n; i++)
		zcb_token_drop(&urings[i]);
}
