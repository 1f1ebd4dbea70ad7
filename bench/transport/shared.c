// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What one would write by hand: memory of a memfd, a number that counts messages,
 * and a futex or an eventfd for who sleeps. Nothing is copied, and nothing is
 * looked after: the sender may write to a message before it was read, and if one of
 * them dies the other does not learn of it.
 */
#include <errno.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../messages.h"

#define SLOTS	16	/* which come round */
#define LINE	64

/*
 * struct shared - the memory
 * @sent: messages so far
 * @sleepers: who has to be woken, at most
 * @data: the slots
 */
struct shared {
	uint32_t sent __attribute__((__aligned__(LINE)));
	uint32_t sleepers __attribute__((__aligned__(LINE)));
	char data[] __attribute__((__aligned__(4096)));
};

static size_t bytes_of(const struct link *l)
{
	return sizeof(struct shared) + SLOTS * l->size;
}

static void shared_open(struct link *l)
{
	int fd = bench_sys(memfd_create("bench", MFD_CLOEXEC), "memfd");

	bench_sys(ftruncate(fd, bytes_of(l)), "memfd");
	l->shared = mmap(NULL, bytes_of(l), PROT_READ | PROT_WRITE, MAP_SHARED,
			 fd, 0);
	if (l->shared == MAP_FAILED)
		bench_sys(-1, "memfd");
	close(fd);
	memset(l->shared, 0, bytes_of(l));
}

static void shared_close(struct link *l)
{
	munmap(l->shared, bytes_of(l));
}

static void nothing(struct link *l)
{
	(void)l;
}

static void nothing_of(struct link *l, unsigned int i)
{
	(void)l;
	(void)i;
}

static __u64 *slot(const struct link *l, uint32_t number)
{
	return (__u64 *)(l->shared->data + number % SLOTS * l->size);
}

static uint32_t publish(struct link *l)
{
	uint32_t number = l->shared->sent;

	*slot(l, number) = l->size;
	__atomic_store_n(&l->shared->sent, number + 1, __ATOMIC_SEQ_CST);
	return number + 1;
}

static void look(struct link *l, unsigned int i)
{
	if (*slot(l, l->seen[i]++) != l->size)
		bench_ok(-EBADMSG, "receive");
}

/* -------------------------------------------------------------------- futex */

static void futex_send(struct link *l)
{
	publish(l);
	if (__atomic_load_n(&l->shared->sleepers, __ATOMIC_SEQ_CST))
		syscall(SYS_futex, &l->shared->sent, FUTEX_WAKE, MAX_RECEIVERS,
			NULL, NULL, 0);
}

static void futex_receive(struct link *l, unsigned int i)
{
	uint32_t seen = l->seen[i];

	while (__atomic_load_n(&l->shared->sent, __ATOMIC_SEQ_CST) == seen) {
		__atomic_fetch_add(&l->shared->sleepers, 1, __ATOMIC_SEQ_CST);
		syscall(SYS_futex, &l->shared->sent, FUTEX_WAIT, seen, NULL,
			NULL, 0);
		__atomic_fetch_sub(&l->shared->sleepers, 1, __ATOMIC_SEQ_CST);
	}
	look(l, i);
}

const struct transport futex_transport = {
	.who = "memfd and futex",
	.open = shared_open,
	.sender = nothing,
	.receiver = nothing_of,
	.send = futex_send,
	.receive = futex_receive,
	.close = shared_close,
};

/* ------------------------------------------------------------------ eventfd */

static void eventfd_open(struct link *l)
{
	unsigned int i;

	shared_open(l);
	for (i = 0; i < l->receivers; i++)
		l->fd[i][0] = bench_sys(eventfd(0, 0), "eventfd");
}

static void eventfd_send(struct link *l)
{
	uint64_t one = 1;
	unsigned int i;

	publish(l);
	for (i = 0; i < l->receivers; i++)
		bench_sys(write(l->fd[i][0], &one, sizeof(one)), "eventfd");
}

static void eventfd_receive(struct link *l, unsigned int i)
{
	uint64_t count;

	bench_sys(read(l->fd[i][0], &count, sizeof(count)), "eventfd");
	look(l, i);
}

static void eventfd_close(struct link *l)
{
	unsigned int i;

	for (i = 0; i < l->receivers; i++)
		close(l->fd[i][0]);
	shared_close(l);
}

const struct transport eventfd_transport = {
	.who = "memfd and eventfd",
	.open = eventfd_open,
	.sender = nothing,
	.receiver = nothing_of,
	.send = eventfd_send,
	.receive = eventfd_receive,
	.close = eventfd_close,
};
