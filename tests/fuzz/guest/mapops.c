// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Mappings. They are made within a window of addresses that has nothing else
 * in it, so that a stray one hurts nobody and all of them go in one call.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "exec.h"

#define PAGE		4096UL
#define STRIDE		(96UL << 20)	/* between the starts of mappings */

#ifndef MAP_SHARED_VALIDATE
#define MAP_SHARED_VALIDATE 3
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

static bool in_window(unsigned long addr, size_t len)
{
	return addr >= KF_WINDOW && len <= KF_WINDOW_SIZE &&
	       addr - KF_WINDOW <= KF_WINDOW_SIZE - len;
}

static unsigned long new_place(const struct kf_state *st)
{
	return KF_WINDOW + st->nmaps % (KF_WINDOW_SIZE / STRIDE) * STRIDE;
}

static void add_map(struct kf_state *st, unsigned long addr, size_t len)
{
	unsigned int n;

	if (!in_window(addr, len)) {
		munmap((void *)addr, len);
		return;
	}
	n = __atomic_load_n(&st->nmaps, __ATOMIC_RELAXED);
	st->map[n % KF_MAPS] = (struct kf_map){ addr, len };
	__atomic_store_n(&st->nmaps, n + 1, __ATOMIC_RELEASE);
}

static void run_mmap(struct kf_lane *l)
{
	static const __u64 offsets[] = {
		0, 4096, 8192, 1 << 20, (2 << 20) - 4096, 2 << 20, 100,
		~0ULL << 12 >> 1, ZCBUF_MMAP_CONTROL, ZCBUF_MMAP_CONTROL + 4096,
	};
	static const size_t lens[] = {
		2 << 20, 4096, 8192, 1 << 20, 4 << 20, (2 << 20) + 4096, 100,
		64 << 20, 0, 1UL << 40,
	};
	static const int prots[] = {
		PROT_READ | PROT_WRITE, PROT_READ, PROT_WRITE, PROT_NONE,
		PROT_READ | PROT_WRITE | PROT_EXEC, PROT_READ | PROT_WRITE,
	};
	static const int flags[] = {
		MAP_SHARED, MAP_SHARED | MAP_POPULATE, MAP_PRIVATE,
		MAP_SHARED | MAP_NORESERVE, MAP_SHARED_VALIDATE,
		MAP_SHARED | MAP_LOCKED, MAP_SHARED | MAP_32BIT, MAP_SHARED,
	};
	size_t len = KF_CHOICE(lens, kf_sel(l, 1));
	int how = KF_CHOICE(flags, kf_sel(l, 3));
	unsigned long at = new_place(l->st);
	struct kf_map map;
	long ret;

	if (kf_sel(l, 4) % 4 == 1 && kf_pick_map(l->st, 0, &map) &&
	    in_window(map.addr, len)) {
		at = map.addr;
		how |= MAP_FIXED;
	} else if (kf_sel(l, 4) % 4 == 2) {
		at = 0;
	}
	ret = KF_SYS(l, (long)mmap((void *)at, len,
				   KF_CHOICE(prots, kf_sel(l, 2)), how,
				   kf_session(l, l->op->fd),
				   KF_CHOICE(offsets, kf_sel(l, 0))));
	if (ret == -1)
		return;
	add_map(l->st, ret, len);
	l->st->attached |= 1U << kf_slot(l, l->op->fd);
}

/* Part of a mapping. */
static bool pick_part(struct kf_lane *l, struct kf_map *part)
{
	size_t half;

	if (!kf_pick_map(l->st, kf_sel(l, 0), part))
		return false;
	half = part->len / 2 & ~(PAGE - 1);
	switch (kf_sel(l, 1) % 5) {
	case 1:
		part->len = PAGE;
		break;
	case 2:
		part->addr += half;
		part->len -= half;
		break;
	case 3:
		part->addr += half;
		part->len = PAGE;
		break;
	case 4:
		part->len = half + PAGE;
		break;
	}
	return true;
}

static void run_munmap(struct kf_lane *l)
{
	struct kf_map part;

	if (pick_part(l, &part))
		KF_SYS(l, munmap((void *)part.addr, part.len));
}

static void run_mremap(struct kf_lane *l)
{
	static const int flags[] = {
		MREMAP_MAYMOVE, 0, MREMAP_MAYMOVE | MREMAP_FIXED,
		MREMAP_MAYMOVE | MREMAP_DONTUNMAP, MREMAP_MAYMOVE,
	};
	static const size_t lens[] = { 0, 4096, 1 << 20, 4 << 20, 64 << 20, 1 };
	int how = KF_CHOICE(flags, kf_sel(l, 2));
	unsigned long to = new_place(l->st);
	size_t len = KF_CHOICE(lens, kf_sel(l, 1));
	struct kf_map map;
	long ret;

	if (!kf_pick_map(l->st, kf_sel(l, 0), &map))
		return;
	if (!len)
		len = map.len;
	ret = KF_SYS(l, (long)mremap((void *)map.addr,
				     kf_sel(l, 3) == 1 ? 0 : map.len, len, how,
				     to));
	if (ret == -1)
		return;
	/* The kernel chose: bring it back where it is looked for. */
	if (!in_window(ret, len)) {
		to = (unsigned long)mremap((void *)ret, len, len, MREMAP_MAYMOVE |
					   MREMAP_FIXED, to);
		if (to == ~0UL) {
			munmap((void *)ret, len);
			return;
		}
		ret = to;
	}
	add_map(l->st, ret, len);
}

static void run_mprotect(struct kf_lane *l)
{
	static const int prots[] = {
		PROT_READ, PROT_READ | PROT_WRITE, PROT_NONE, PROT_EXEC,
		PROT_WRITE,
	};
	struct kf_map part;

	if (pick_part(l, &part))
		KF_SYS(l, mprotect((void *)part.addr, part.len,
				   KF_CHOICE(prots, kf_sel(l, 2))));
}

/*
 * Without huge pages in the kernel its split_folio() claims to have split what it did
 * not, and MADV_COLD and MADV_PAGEOUT of a part of a large folio never end.
 */
static bool advice_ends(int advice)
{
	if (advice != MADV_COLD && advice != MADV_PAGEOUT)
		return true;
	return !access("/sys/kernel/mm/transparent_hugepage", F_OK);
}

static long advise(const struct kf_map *part, unsigned int how)
{
	static const int advice[] = {
		MADV_DONTNEED, MADV_DONTFORK, MADV_DOFORK, MADV_HUGEPAGE,
		MADV_NOHUGEPAGE, MADV_COLD, MADV_PAGEOUT, MADV_FREE,
		MADV_REMOVE, MADV_WILLNEED, MADV_POPULATE_READ,
		MADV_POPULATE_WRITE, MADV_COLLAPSE, MADV_MERGEABLE,
		MADV_WIPEONFORK, MADV_DODUMP,
	};
	static unsigned char resident[(64 << 20) / 4096];
	void *addr = (void *)part->addr;

	switch (how % 20) {
	case 16:
		return msync(addr, part->len, MS_SYNC);
	case 17:
		return mlock(addr, part->len);
	case 18:
		return munlock(addr, part->len);
	case 19:
		return mincore(addr, part->len < 64 << 20 ? part->len : 4096,
			       resident);
	default:
		if (!advice_ends(advice[how % 20]))
			return -1;
		return madvise(addr, part->len, advice[how % 20]);
	}
}

static void run_madvise(struct kf_lane *l)
{
	struct kf_map part;

	if (pick_part(l, &part))
		KF_SYS(l, advise(&part, kf_sel(l, 2)));
}

static void run_touch(struct kf_lane *l)
{
	static const size_t at[] = {
		0, 4096, 1 << 20, (2 << 20) - 1, 2 << 20, 8, 65536, (4 << 20) - 1,
	};
	struct kf_map map;
	char bytes[64];
	size_t i;

	if (!kf_pick_map(l->st, kf_sel(l, 0), &map))
		return;
	l->ret = 0;
	switch (kf_sel(l, 1) % 4) {
	case 0:
		l->ret = kf_poke(map.addr + KF_CHOICE(at, kf_sel(l, 2)), 0x5a);
		break;
	case 1:
		l->ret = kf_copy(bytes, (void *)(map.addr +
				 KF_CHOICE(at, kf_sel(l, 2))), sizeof(bytes));
		break;
	case 2:
		for (i = 0; i < map.len && i < 4 << 20; i += 17 * PAGE)
			l->ret += kf_poke(map.addr + i, i >> 12);
		break;
	case 3:
		for (i = 0; i < map.len && i < 4 << 20; i += 64 << 10)
			l->ret += kf_copy(bytes, (void *)(map.addr + i), 8);
		break;
	}
}

/* Pages of a pool that are pinned for longer than their mapping is there. */
static void run_io(struct kf_lane *l)
{
	struct kf_state *st = l->st;
	struct iovec v, local;
	struct kf_map map;
	char bytes[4096];

	if (!kf_pick_map(st, kf_sel(l, 0), &map))
		return;
	if (st->pipe[0] < 0 && pipe2(st->pipe, O_NONBLOCK | O_CLOEXEC))
		return;
	v.iov_base = (void *)(map.addr + (kf_sel(l, 2) & 3) * 65536);
	v.iov_len = kf_sel(l, 2) & 4 ? 100 : 8192;
	local = (struct iovec){ bytes, sizeof(bytes) };
	switch (kf_sel(l, 1) % 5) {
	case 0:
		KF_SYS(l, vmsplice(st->pipe[1], &v, 1, SPLICE_F_NONBLOCK));
		break;
	case 1:
		KF_SYS(l, read(st->pipe[0], v.iov_base, v.iov_len));
		break;
	case 2:
		KF_SYS(l, write(st->pipe[1], v.iov_base, v.iov_len));
		break;
	case 3:
		KF_SYS(l, process_vm_readv(getpid(), &local, 1, &v, 1, 0));
		break;
	case 4:
		KF_SYS(l, process_vm_writev(getpid(), &local, 1, &v, 1, 0));
		break;
	}
}

/* kf_run_map() - an operation on mappings */
void kf_run_map(struct kf_lane *l, unsigned int call)
{
	switch (call) {
	case KF_MMAP:
		run_mmap(l);
		break;
	case KF_MUNMAP:
		run_munmap(l);
		break;
	case KF_MREMAP:
		run_mremap(l);
		break;
	case KF_MPROTECT:
		run_mprotect(l);
		break;
	case KF_MADVISE:
		run_madvise(l);
		break;
	case KF_TOUCH:
		run_touch(l);
		break;
	case KF_IO:
		run_io(l);
		break;
	}
}
