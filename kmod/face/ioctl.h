/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside the ioctl face: one call as its handler sees it, and helpers for user
 * memory. Handlers are grouped by noun in ioctl_*.c; the table is ioctl.c.
 *
 * No lock of obj/ is held while user memory is accessed: it may be memory of a
 * pool, and anybody may stop the access for as long as he likes.
 */
#ifndef ZCB_FACE_IOCTL_H
#define ZCB_FACE_IOCTL_H

#include <linux/err.h>
#include <linux/types.h>
#include <linux/zcbuf.h>

#include "../obj/channel.h"
#include "../obj/session.h"

#define ZCB_CALL_FEW	128U	/* bytes: one delivery, or 16 handles */
#define ZCB_CALL_ARRAYS	2	/* of a call, at most */

/**
 * struct zcb_call - one call
 * @s: the caller's session
 * @pool: what it is attached to; NULL only if the call needs no attachment
 * @arg: the argument, as copied; handlers fill in its out_ fields
 * @uarg: where it came from
 * @copy: bytes of it the caller knows
 * @answered: zcb_call_answer() has copied it back
 * @nonblock: the file is O_NONBLOCK
 * @nowait: a command that must not sleep for locks or to zero much: -ZCB_ESLEEP
 *	if it would have to, and nothing has been done
 * @nmany: entries of @many
 * @used: bytes of @few
 * @many: what zcb_call_memory() had to allocate
 * @few: where it need not
 */
struct zcb_call {
	struct zcb_session *s;
	struct zcb_pool *pool;
	void *arg;
	void __user *uarg;
	u32 copy;
	bool answered;
	bool nonblock;
	bool nowait;
	u8 nmany;
	u32 used;
	void *many[ZCB_CALL_ARRAYS];
	u64 few[ZCB_CALL_FEW / sizeof(u64)];
};

/* Arrays of entries, which are there as long as the call. */
void *zcb_call_memory(struct zcb_call *c, u32 count, size_t size);
void *zcb_call_array(struct zcb_call *c, u64 uptr, u32 count, size_t size);
void *zcb_call_answered(struct zcb_call *c, u64 uptr, u32 count, size_t size);

int zcb_call_answer(struct zcb_call *c);
int zcb_call_install(struct zcb_call *c, int fd, s32 *out_fd,
		     struct file *file);
u64 zcb_call_deadline(const struct zcb_call *c, u64 deadline_ns);
struct zcb_port *zcb_call_port(const struct zcb_call *c, u64 channel);

#define ZCB_ENTRY_MAX	4096U	/* bytes of an entry whose size the caller says */

int zcb_user_probe(u64 uptr, u64 bytes);
int zcb_user_probe_entries(u64 uptr, u32 count, u32 entry_size, size_t least);
int zcb_user_entries(u64 uptr, u32 entry_size, const void *entries, size_t size,
		     u32 count);
struct zcb_pool *zcb_user_pool(u64 uptr, u32 len, bool of_uid, u32 uid);
u32 zcb_user_rights(const struct zcb_pool *pool, u32 wanted);
int zcb_batch_result(u32 done, int err, u32 *out_done, u32 *out_error);

int zcb_ioctl_pool_create(struct zcb_call *c);
int zcb_ioctl_pool_attach(struct zcb_call *c);
int zcb_ioctl_pool_info(struct zcb_call *c);
int zcb_ioctl_pool_grow(struct zcb_call *c);
int zcb_ioctl_pool_remove(struct zcb_call *c);
int zcb_ioctl_pool_retire(struct zcb_call *c);
int zcb_ioctl_transfer(struct zcb_call *c);
int zcb_ioctl_share(struct zcb_call *c);
int zcb_ioctl_pin_token(struct zcb_call *c);
int zcb_ioctl_export(struct zcb_call *c);
int zcb_ioctl_alloc(struct zcb_call *c);
int zcb_ioctl_free(struct zcb_call *c);
int zcb_ioctl_buf_info(struct zcb_call *c);

int zcb_ioctl_channel_open(struct zcb_call *c);
int zcb_ioctl_channel_close(struct zcb_call *c);
int zcb_ioctl_reserve(struct zcb_call *c);
int zcb_ioctl_publish(struct zcb_call *c);
int zcb_ioctl_commit(struct zcb_call *c);
int zcb_ioctl_commit_reserve(struct zcb_call *c);
int zcb_ioctl_abort(struct zcb_call *c);
int zcb_ioctl_flush(struct zcb_call *c);
int zcb_ioctl_finalize(struct zcb_call *c);

int zcb_ioctl_receive(struct zcb_call *c);
int zcb_ioctl_receive_failed(struct zcb_call *c);
int zcb_ioctl_release(struct zcb_call *c);
int zcb_ioctl_eventfd(struct zcb_call *c);
int zcb_ioctl_queue(struct zcb_call *c);
int zcb_ioctl_watch(struct zcb_call *c);
int zcb_ioctl_ready(struct zcb_call *c);
int zcb_ioctl_heartbeat(struct zcb_call *c);

#endif /* ZCB_FACE_IOCTL_H */
