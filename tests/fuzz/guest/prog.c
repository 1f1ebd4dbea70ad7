// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Programs in files, and in words.
 *
 * A file has the magic and then programs one after the other, each a header of
 * 8 bytes and its operations. One format for inputs and for corpora.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kfuzz.h"

#define MAGIC		"kfuzz 1\n"
#define MAGIC_BYTES	8
#define HEAD_BYTES	offsetof(struct kf_prog, op)

_Static_assert(sizeof(struct kf_op) == 24 && HEAD_BYTES == 8,
	       "programs are files");

const struct kf_grammar kf_grammar[KF_NCALLS] = {
	[ZCBUF_NR_QUERY] = { "query", 1, { 0 } },
	[ZCBUF_NR_POOL_CREATE] = { "pool_create", 8,
				   { 4, 14, 8, 12, 11, 9, 3, 6 } },
	[ZCBUF_NR_POOL_ATTACH] = { "pool_attach", 8, { 8, 8, 9, 4, 10, 4 } },
	[ZCBUF_NR_POOL_INFO] = { "pool_info", 2, { 6, 5 } },
	[ZCBUF_NR_ALLOC] = { "alloc", 10, { 20, 10, 10, 4, 16, 12 } },
	[ZCBUF_NR_FREE] = { "free", 8, { 16, 8, 8, 3 } },
	[ZCBUF_NR_CHANNEL_OPEN] = { "channel_open", 8,
				    { 6, 50, 32, 10, 8, 64, 64, 255 } },
	[ZCBUF_NR_CHANNEL_CLOSE] = { "channel_close", 4, { 6, 8 } },
	[ZCBUF_NR_RESERVE] = { "reserve", 16, { 6, 10, 14, 4, 4, 16 } },
	[ZCBUF_NR_COMMIT] = { "commit", 14, { 8, 8, 12, 4, 4 } },
	[ZCBUF_NR_COMMIT_RESERVE] = { "commit_reserve", 8,
				      { 8, 8, 12, 8, 14, 8, 4, 16 } },
	[ZCBUF_NR_ABORT] = { "abort", 5, { 8, 8, 4 } },
	[ZCBUF_NR_FLUSH] = { "flush", 4, { 6 } },
	[ZCBUF_NR_FINALIZE] = { "finalize", 3, { 6 } },
	[ZCBUF_NR_RECEIVE] = { "receive", 12, { 6, 8, 8, 16 } },
	[ZCBUF_NR_RECEIVE_FAILED] = { "receive_failed", 8, { 6, 10, 10, 16 } },
	[ZCBUF_NR_RELEASE] = { "release", 10, { 8, 8, 6, 4 } },
	[ZCBUF_NR_EVENTFD] = { "eventfd", 6, { 6, 6, 2 } },
	[KF_OPEN] = { "open", 6, { 5 } },
	[KF_CLOSE] = { "close", 4, { 0 } },
	[KF_DUP] = { "dup", 1, { 8 } },
	[KF_MMAP] = { "mmap", 8, { 10, 10, 6, 8, 4 } },
	[KF_MUNMAP] = { "munmap", 2, { 4, 5 } },
	[KF_MREMAP] = { "mremap", 2, { 4, 6, 5, 4 } },
	[KF_MPROTECT] = { "mprotect", 1, { 4, 5, 5 } },
	[KF_MADVISE] = { "madvise", 3, { 4, 5, 20 } },
	[KF_TOUCH] = { "touch", 3, { 4, 4, 8 } },
	[KF_POLL] = { "poll", 3, { 4 } },
	[KF_EPOLL] = { "epoll", 1, { 4 } },
	[KF_FORK] = { "fork", 1, { 6, 4 } },
	[KF_SEND] = { "send", 1, { 0 } },
	[KF_RECV] = { "recv", 1, { 8 } },
	[KF_READ_EVENTFD] = { "read_eventfd", 1, { 0 } },
	[KF_DUMP] = { "dump", 2, { 5, 4 } },
	[KF_IO] = { "io", 2, { 4, 5, 6 } },
	[KF_BADCALL] = { "badcall", 1, { 5 } },
	[KF_FDINFO] = { "fdinfo", 1, { 0 } },
	[KF_NONBLOCK] = { "nonblock", 1, { 2 } },
	[KF_SETUID] = { "setuid", 1, { 2 } },
	[KF_PAUSE] = { "pause", 1, { 3 } },
	[KF_BUF_INFO] = { "buf_info", 3, { 5, 10, 8 } },
	[KF_POOL_GROW] = { "pool_grow", 2, { 0 } },
	[KF_TRANSFER] = { "transfer", 6, { 16, 8, 10, 8 } },
	[KF_PIN_TOKEN] = { "pin_token", 2, { 4 } },
	[KF_SHARE] = { "share", 6, { 16, 8, 10, 8 } },
	[KF_EXPORT] = { "export", 3, { 16, 6, 6, 4, 2, 3 } },
	[KF_POOL_REMOVE] = { "pool_remove", 2, { 8, 16, 10, 4 } },
	[KF_POOL_RETIRE] = { "pool_retire", 4, { 6, 6, 16 } },
	[KF_PUBLISH] = { "publish", 14, { 8, 10, 8, 10, 16, 16, 6 } },
	[KF_QUEUE] = { "queue", 6, { 6, 8, 4 } },
	[KF_WATCH] = { "watch", 4, { 6, 8, 4, 16 } },
	[KF_READY] = { "ready", 4, { 8 } },
	[KF_HEARTBEAT] = { "heartbeat", 1, { 4, 4, 4, 4 } },
};

size_t kf_prog_bytes(const struct kf_prog *p)
{
	return HEAD_BYTES + p->nops * sizeof(p->op[0]);
}

/* 1: read one, 0: there are no more, else -errno. */
static int read_prog(FILE *f, struct kf_prog *p)
{
	size_t n;

	memset(p, 0, sizeof(*p));
	n = fread(p, 1, HEAD_BYTES, f);
	if (!n)
		return 0;
	if (n != HEAD_BYTES || p->nops > KF_OPS || p->setup > p->nops)
		return -EINVAL;
	return fread(p->op, sizeof(p->op[0]), p->nops, f) == p->nops ? 1 :
								       -EINVAL;
}

/*
 * kf_read_progs() - the programs of a file
 * Returns how many were read, at most @max, or a negative errno.
 */
int kf_read_progs(const char *path, struct kf_prog *p, unsigned int max)
{
	char magic[MAGIC_BYTES];
	FILE *f = fopen(path, "rb");
	unsigned int n = 0;
	int err;

	if (!f)
		return -errno;
	if (fread(magic, sizeof(magic), 1, f) != 1 ||
	    memcmp(magic, MAGIC, sizeof(magic))) {
		fclose(f);
		return -EINVAL;
	}
	while (n < max) {
		err = read_prog(f, &p[n]);
		if (err <= 0)
			break;
		n++;
	}
	fclose(f);
	return n == max || !err ? (int)n : err;
}

int kf_write_progs(const char *path, const struct kf_prog *p, unsigned int n)
{
	FILE *f = fopen(path, "wb");
	unsigned int i;
	int err = 0;

	if (!f)
		return -errno;
	fwrite(MAGIC, MAGIC_BYTES, 1, f);
	for (i = 0; i < n; i++)
		fwrite(&p[i], kf_prog_bytes(&p[i]), 1, f);
	if (ferror(f))
		err = -EIO;
	if (fclose(f))
		err = -errno;
	return err;
}

static size_t show_patch(const struct kf_op *op, char *line, size_t room)
{
	static const char *const what[] = { "", "arg", "array0", "array1" };

	if (!(op->patch & 3))
		return 0;
	return snprintf(line, room, " %s[%u..%u]=0x%llx", what[op->patch & 3],
			op->at, op->at + (1 << (op->patch >> 2 & 3)) - 1,
			(unsigned long long)op->value);
}

static size_t show_way(const struct kf_op *op, char *line, size_t room)
{
	if (!(op->patch & KF_COMMAND))
		return 0;
	return snprintf(line, room, " command%s%s%s",
			op->patch & KF_COMMAND_ALL ? ",all" : "",
			op->patch & KF_COMMAND_ASYNC ? ",async" : "",
			op->patch & KF_COMMAND_BAD ? ",bad" : "");
}

/* kf_show_op() - an operation in words, choices that are the usual left out */
void kf_show_op(const struct kf_op *op, char *line, size_t room)
{
	unsigned int i, last = 0;
	size_t n;

	n = snprintf(line, room, "%u: %-14s fd=%02x", op->lane % KF_LANES,
		     kf_grammar[kf_call(op)].name, op->fd);
	for (i = 0; i < KF_SEL; i++)
		if (op->sel[i])
			last = i + 1;
	for (i = 0; i < last && n < room; i++)
		n += snprintf(line + n, room - n, "%c%u", i ? ',' : ' ',
			      op->sel[i]);
	if (op->place && n < room)
		n += snprintf(line + n, room - n, " place=%02x", op->place);
	if (op->fail && n < room)
		n += snprintf(line + n, room - n, " fail=%u", op->fail);
	if (n < room)
		n += show_way(op, line + n, room - n);
	if (n < room)
		show_patch(op, line + n, room - n);
}

void kf_show(const struct kf_prog *p)
{
	char line[200];
	unsigned int i;

	for (i = 0; i < p->nops; i++) {
		if (i == p->setup)
			printf("  -- %s\n", p->flags & KF_PROG_PARALLEL ?
			       "lanes at once" : "lanes in turn");
		kf_show_op(&p->op[i], line, sizeof(line));
		printf("  %s\n", line);
	}
}
