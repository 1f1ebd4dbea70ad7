// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Where arguments lie, and touching memory that may not be there.
 *
 * Four bits say where: 0 to 8 at home; 9 so that they end where a page that
 * cannot be touched begins; 10 and 11 in a pool that is mapped; 12 half in such
 * a mapping and half behind it; 13 in memory that can only be read; 14 nowhere;
 * 15 in the kernel.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "exec.h"

#define PAGE		4096UL
#define HOME_STRIDE	(64UL << 20)
#define ARG_ROOM	(2 * PAGE)
#define ARRAY_ROOM	((4UL << 20) + 16 * PAGE)	/* 1024 large entries */

static __thread sigjmp_buf fault_exit;
static __thread volatile sig_atomic_t fault_expected;

static void *get_pages(size_t bytes, int prot)
{
	static unsigned long next = KF_HOMES;
	unsigned long at = __atomic_fetch_add(&next, HOME_STRIDE,
					      __ATOMIC_RELAXED);
	void *p = mmap((void *)at, bytes, prot, MAP_PRIVATE | MAP_ANONYMOUS |
		       MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	if (p == MAP_FAILED) {
		perror("kfuzz: memory");
		exit(2);
	}
	return p;
}

/* kf_harmless() - may the kernel be told to write there? */
bool kf_harmless(__u64 addr)
{
	return addr < 65536 || addr >= 1ULL << 47 ||
	       (addr >= KF_WINDOW && addr < KF_HOMES_END);
}

static char *get_home(size_t room)
{
	char *p = get_pages(room + PAGE, PROT_READ | PROT_WRITE);

	mprotect(p + room, PAGE, PROT_NONE);
	return p;
}

/* kf_mem_init() - the memory of a lane */
void kf_mem_init(struct kf_mem *m)
{
	int i;

	for (i = 0; i < KF_PLACES; i++) {
		m->room[i] = i == KF_ARG ? ARG_ROOM : ARRAY_ROOM;
		m->home[i] = get_home(m->room[i]);
		m->stage[i] = get_pages(KF_STAGE, PROT_READ | PROT_WRITE);
	}
	m->readonly = get_pages(PAGE, PROT_READ);
}

/* ----------------------------------------------------------------- faults */

static void on_fault(int sig, siginfo_t *info, void *context)
{
	const ucontext_t *uc = context;

	if (fault_expected) {
		fault_expected = 0;
		siglongjmp(fault_exit, 1);
	}
	/* A bug of our own. */
	fprintf(stderr, "kfuzz: signal %d at %p, ip %#llx, on_fault is %p\n",
		sig, info->si_addr,
		(unsigned long long)uc->uc_mcontext.gregs[REG_RIP], on_fault);
	_exit(3);
}

/* kf_faults_init() - before the first access that may fault */
void kf_faults_init(void)
{
	struct sigaction sa = { .sa_sigaction = on_fault,
				.sa_flags = SA_NODEFER | SA_SIGINFO };

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
}

/* kf_copy() - memcpy(), false if a byte of it was not accessible */
bool kf_copy(void *to, const void *from, size_t n)
{
	if (sigsetjmp(fault_exit, 0))
		return false;
	fault_expected = 1;
	__asm__ volatile("" ::: "memory");
	memcpy(to, from, n);
	__asm__ volatile("" ::: "memory");
	fault_expected = 0;
	return true;
}

/* kf_poke() - store a byte, false if that is not possible */
bool kf_poke(unsigned long addr, __u8 value)
{
	return kf_copy((void *)addr, &value, 1);
}

/* kf_populate() - bring memory in that the kernel will access, if there is any */
void kf_populate(unsigned long addr, size_t bytes)
{
	unsigned long end = addr + (bytes < KF_STAGE ? bytes : KF_STAGE);
	__u8 byte;

	for (; addr < end; addr = (addr | (PAGE - 1)) + 1)
		if (!kf_copy(&byte, (void *)addr, 1) || !kf_poke(addr, byte))
			return;
}

/* ----------------------------------------------------------------- places */

/* kf_pick_map() - a mapping, the newest first; false if there is none */
bool kf_pick_map(const struct kf_state *st, unsigned int sel,
		 struct kf_map *map)
{
	unsigned int n = __atomic_load_n(&st->nmaps, __ATOMIC_RELAXED);
	unsigned int known = n < KF_MAPS ? n : KF_MAPS;

	if (!known)
		return false;
	*map = st->map[(n - 1 - sel % known) % KF_MAPS];
	return map->len;
}

static unsigned long place_in_pool(struct kf_lane *l, enum kf_place_of what,
				   unsigned int how, size_t bytes)
{
	const struct kf_op *op = l->op;
	unsigned long offset;
	struct kf_map map;

	if (!kf_pick_map(l->st, how & 1 ? 0 : op->sel[KF_SEL_HEAD - 1], &map) ||
	    bytes > map.len)
		return 0;
	offset = (op->call * 7 + op->fd * 3 + what * 5) * 512UL;
	if (how == 12)
		offset = map.len - bytes / 2;
	else if (offset + bytes > map.len)
		offset = 0;
	l->st->hot = map.addr + offset;
	l->st->hot_bytes = bytes;
	return map.addr + offset;
}

/*
 * kf_place() - an address for an argument or an array
 * @what: which of them
 * @how: see above
 * @bytes: how large it is
 */
unsigned long kf_place(struct kf_lane *l, enum kf_place_of what,
		       unsigned int how, size_t bytes)
{
	const struct kf_mem *m = &l->mem;
	unsigned long home = (unsigned long)m->home[what];
	unsigned long addr;

	if (bytes > m->room[what])
		bytes = m->room[what];
	switch (how) {
	case 9:
		return home + m->room[what] - bytes;
	case 10 ... 12:
		addr = place_in_pool(l, what, how, bytes);
		return addr ? addr : home;
	case 13:
		return (unsigned long)m->readonly;
	case 14:
		return l->op->sel[KF_SEL_HEAD - 1] * 8UL;
	case 15:
		return 0xffff888000001000UL;
	default:
		return home;
	}
}

/* ------------------------------------------------------------- scribbling */

static void scribble_at(unsigned long addr, unsigned int n, __u64 *random)
{
	while (n-- && kf_poke(addr++, kf_random(random)))
		;
}

/*
 * kf_scribble() - random bytes into everything that is mapped
 * Mostly where the kernel is just reading its arguments.
 */
void kf_scribble(const struct kf_state *st, __u64 *random)
{
	unsigned long hot = st->hot;
	size_t bytes = st->hot_bytes;
	struct kf_map map;

	if (hot && bytes && !kf_one_in(random, 4))
		scribble_at(hot + kf_below(random, bytes), 1, random);
	else if (kf_pick_map(st, kf_below(random, KF_MAPS), &map))
		scribble_at(map.addr + kf_below(random, map.len),
			    1 + kf_below(random, 16), random);
}
