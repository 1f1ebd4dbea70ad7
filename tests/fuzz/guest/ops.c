// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The other operations: descriptors, waiting, looking, being somebody else.
 * Children are exec.c, mappings are mapops.c.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "call.h"
#include "exec.h"
#include "oracle.h"

/* kf_slot() - which slot an operation means: that, or the next one in use */
unsigned int kf_slot(const struct kf_lane *l, unsigned int sel)
{
	unsigned int i, slot = sel % KF_SLOTS;

	if (sel & 0x80)
		return slot;
	for (i = 0; i < KF_SLOTS; i++)
		if (l->st->slot[(slot + i) % KF_SLOTS] >= 0)
			return (slot + i) % KF_SLOTS;
	return slot;
}

/* kf_session() - a session, or rarely something else */
int kf_session(const struct kf_lane *l, unsigned int sel)
{
	if ((sel & 0xc0) == 0x40)
		return sel & 1 ? l->st->eventfd : l->st->pipe[0];
	return l->st->slot[kf_slot(l, sel)];
}

int kf_need_eventfd(struct kf_state *st)
{
	if (st->eventfd < 0)
		st->eventfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return st->eventfd;
}

static void put_slot(struct kf_state *st, unsigned int slot, int fd)
{
	int old = __atomic_exchange_n(&st->slot[slot], fd, __ATOMIC_RELAXED);

	st->attached &= ~(1U << slot);
	if (old >= 0)
		close(old);
}

static void run_open(struct kf_lane *l)
{
	static const int modes[] = {
		O_RDWR, O_RDONLY, O_WRONLY, O_RDWR | O_NONBLOCK, O_RDWR,
	};
	int fd = KF_SYS(l, open(ZCBUF_DEVICE, O_CLOEXEC |
				KF_CHOICE(modes, kf_sel(l, 0))));

	if (fd >= 0)
		put_slot(l->st, l->op->fd % KF_SLOTS, fd);
}

static void run_close(struct kf_lane *l)
{
	struct kf_state *st = l->st;
	unsigned int slot = kf_slot(l, l->op->fd);
	int fd = __atomic_exchange_n(&st->slot[slot], -1, __ATOMIC_RELAXED);

	st->attached &= ~(1U << slot);
	if (fd >= 0)
		KF_SYS(l, close(fd));
}

static void run_dup(struct kf_lane *l)
{
	struct kf_state *st = l->st;
	unsigned int from = kf_slot(l, l->op->fd);
	unsigned int to = kf_sel(l, 0) % KF_SLOTS;
	int fd = KF_SYS(l, fcntl(st->slot[from], F_DUPFD_CLOEXEC, 0));

	if (fd < 0)
		return;
	put_slot(st, to, fd);
	if (st->attached >> from & 1)
		st->attached |= 1U << to;
}

static void run_poll(struct kf_lane *l)
{
	static const short events[] = { POLLIN | POLLOUT, POLLIN, POLLOUT, 0 };
	struct pollfd p[KF_SLOTS];
	unsigned int i, n = 0;

	for (i = 0; i < KF_SLOTS; i++)
		if (l->st->slot[i] >= 0)
			p[n++] = (struct pollfd){
				.fd = l->st->slot[i],
				.events = KF_CHOICE(events, kf_sel(l, 0)),
			};
	KF_SYS(l, poll(p, n, kf_sel(l, 0) & 1));
}

static void run_epoll(struct kf_lane *l)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT }, got[4];
	struct kf_state *st = l->st;
	int fd = kf_session(l, l->op->fd);

	if (st->epoll < 0)
		st->epoll = epoll_create1(EPOLL_CLOEXEC);
	switch (kf_sel(l, 0) % 4) {
	case 1:
		e.events |= EPOLLET;
		break;
	case 2:
		KF_SYS(l, epoll_ctl(st->epoll, EPOLL_CTL_DEL, fd, NULL));
		return;
	case 3:
		KF_SYS(l, epoll_wait(st->epoll, got, 4, 1));
		return;
	}
	KF_SYS(l, epoll_ctl(st->epoll, EPOLL_CTL_ADD, fd, &e));
}

static void run_send(struct kf_lane *l)
{
	char control[CMSG_SPACE(sizeof(int))] = "", byte = 0;
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	struct kf_state *st = l->st;
	int fd = kf_session(l, l->op->fd);

	if (st->socket[0] < 0 &&
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		       st->socket))
		return;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	KF_SYS(l, sendmsg(st->socket[0], &m, 0));
}

static void run_recv(struct kf_lane *l)
{
	char control[CMSG_SPACE(sizeof(int))] = "", byte;
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	int fd;

	if (KF_SYS(l, recvmsg(l->st->socket[1], &m, MSG_CMSG_CLOEXEC)) < 0)
		return;
	c = CMSG_FIRSTHDR(&m);
	if (!c || c->cmsg_type != SCM_RIGHTS)
		return;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	put_slot(l->st, kf_sel(l, 0) % KF_SLOTS, fd);
	/* If it is not, the attempt to join it at the end costs nothing. */
	l->st->attached |= 1U << kf_sel(l, 0) % KF_SLOTS;
}

static void run_read_eventfd(struct kf_lane *l)
{
	__u64 n;

	KF_SYS(l, read(l->st->eventfd, &n, sizeof(n)));
}

static void run_badcall(struct kf_lane *l)
{
	static const unsigned int requests[] = {
		_IO(ZCBUF_IOC_TYPE, 18), _IO(ZCBUF_IOC_TYPE, 31),
		_IO(ZCBUF_IOC_TYPE, 255), _IOW(ZCBUF_IOC_TYPE, 0, __u64),
		_IO('T', 1),
	};

	KF_SYS(l, ioctl(kf_session(l, l->op->fd),
			KF_CHOICE(requests, kf_sel(l, 0)),
			l->mem.home[KF_ARG]));
}

static void run_fdinfo(struct kf_lane *l)
{
	char path[40], text[512];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d",
		 kf_session(l, l->op->fd));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	KF_SYS(l, read(fd, text, sizeof(text)));
	close(fd);
}

static void run_nonblock(struct kf_lane *l)
{
	KF_SYS(l, fcntl(kf_session(l, l->op->fd), F_SETFL,
			kf_sel(l, 0) & 1 ? 0 : O_NONBLOCK));
}

/* Of this thread alone, which libc would not do. */
static void run_setuid(struct kf_lane *l)
{
	l->foreign = !(kf_sel(l, 0) & 1);
	KF_SYS(l, syscall(SYS_setresuid, -1, l->foreign ? 1000 : 0, -1));
}

static void run_pause(struct kf_lane *l)
{
	static const unsigned int us[] = { 0, 150, 1500 };

	KF_SYS(l, usleep(KF_CHOICE(us, kf_sel(l, 0))));
}

/* kf_run_op() - the operation of a lane, all but fork */
void kf_run_op(struct kf_lane *l)
{
	static void (*const run[KF_NCALLS])(struct kf_lane *) = {
		[KF_OPEN] = run_open,
		[KF_CLOSE] = run_close,
		[KF_DUP] = run_dup,
		[KF_POLL] = run_poll,
		[KF_EPOLL] = run_epoll,
		[KF_SEND] = run_send,
		[KF_RECV] = run_recv,
		[KF_READ_EVENTFD] = run_read_eventfd,
		[KF_DUMP] = kf_run_dump,
		[KF_BADCALL] = run_badcall,
		[KF_FDINFO] = run_fdinfo,
		[KF_NONBLOCK] = run_nonblock,
		[KF_SETUID] = run_setuid,
		[KF_PAUSE] = run_pause,
		[KF_BUF_INFO] = kf_run_buf_info,
		[KF_POOL_GROW] = kf_run_pool_grow,
		[KF_TRANSFER] = kf_run_transfer,
		[KF_PIN_TOKEN] = kf_run_pin_token,
		[KF_SHARE] = kf_run_share,
		[KF_EXPORT] = kf_run_export,
		[KF_POOL_REMOVE] = kf_run_pool_remove,
		[KF_POOL_RETIRE] = kf_run_pool_retire,
		[KF_PUBLISH] = kf_run_publish,
		[KF_QUEUE] = kf_run_queue,
		[KF_WATCH] = kf_run_watch,
		[KF_READY] = kf_run_ready,
		[KF_HEARTBEAT] = kf_run_heartbeat,
	};
	unsigned int call = kf_call(l->op);

	if (call < KF_OPEN)
		kf_run_call(l, call);
	else if (run[call])
		run[call](l);
	else
		kf_run_map(l, call);
}
