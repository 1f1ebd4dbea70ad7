// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Calls on pools and buffers. Of every table of values the first is the usual.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <string.h>
#include <unistd.h>

#include "call.h"

static void now_attached(struct kf_lane *l)
{
	l->st->attached |= 1U << kf_slot(l, l->op->fd);
}

void kf_run_query(struct kf_lane *l)
{
	struct kf_argument c;

	KF_BEGIN(&c, l, zcbuf_query);
	kf_finish(&c);
}

/* ------------------------------------------------------------------ pools */

static __u32 make_name(char *name, unsigned int sel)
{
	static const char *const names[] = {
		"", "a", "b", "pool.c", "name/slash", "name blank", "\x80",
	};
	const char *chosen;

	if (sel % 9 >= 7) {
		memset(name, 'n', ZCBUF_MAX_NAME + 1);
		return ZCBUF_MAX_NAME + (sel % 9 == 8);
	}
	chosen = KF_CHOICE(names, sel % 9);
	strcpy(name, chosen);
	return strlen(chosen);
}

/*
 * Too many, one that is counted (or is not, where it should be), or a table of
 * those below.
 */
static __u32 make_classes(struct zcbuf_class *t, __u32 kind, unsigned int sel)
{
	static const __u32 tables[][4] = {
		{ 0 }, { 16 }, { 16, 32, 48, 4096 }, { 24, 100, 5000, 70000 },
		{ 1 << 20 }, { 64, 32 }, { 15 }, { (1 << 20) + 1 },
		{ 3000, 200000, 1 << 20 },
	};
	static const __u32 counts[] = { 1, 3, 40, 200, 1 << 20, ~0U };
	const __u32 *table = KF_CHOICE(tables, sel % 11);
	__u32 i, n = 0;

	if (sel % 11 == 9)
		for (; n < ZCBUF_MAX_CLASSES + 1; n++)
			t[n].length = 64 + n * 100;
	else
		for (; n < 4 && table[n]; n++)
			t[n].length = table[n];
	if (kind == ZCBUF_POOL_FIXED)
		for (i = 0; i < n; i++)
			t[i].count = KF_CHOICE(counts, sel + i);
	if (sel % 11 == 10)
		t[0].count = kind != ZCBUF_POOL_FIXED;
	return n;
}

static void make_pool(const struct kf_lane *l, struct zcbuf_pool_create *a)
{
	static const __u32 kinds[] = {
		ZCBUF_POOL_PAGES, ZCBUF_POOL_TIERS, ZCBUF_POOL_FIXED, 3
	};
	static const __u32 flags[] = {
		0, ZCBUF_POOL_F_NO_ZERO_ON_REUSE, ZCBUF_POOL_F_SMALL_PAGES,
		ZCBUF_POOL_F_NODE, ZCBUF_POOL_F_HUGE_STRICT, 5, 6, 8, 15,
		ZCBUF_POOL_F_SHARED_PAGES, ZCBUF_POOL_F_AUTO_GROW,
		ZCBUF_POOL_F_AUTO_GROW | ZCBUF_POOL_F_SMALL_PAGES,
		ZCBUF_POOL_F_PERSISTENT,
		ZCBUF_POOL_F_OWNER | ZCBUF_POOL_F_PERSISTENT,
		ZCBUF_POOL_F_INTERLEAVE,
		ZCBUF_POOL_F_INTERLEAVE | ZCBUF_POOL_F_SMALL_PAGES,
	};
	static const __u32 modes[] = {
		0, 0600, 0666, 0644, 0622, 0400, 04666, 0777
	};
	static const __u64 sizes[] = {
		2 << 20, 2 << 20, 4 << 20, 6 << 20, 2 << 20, 1 << 20, 2 << 20,
		0, 1ULL << 40, 1ULL << 35, 1ULL << 32, 2 << 20,
	};
	static const __u64 arenas[] = { 0, 2, 3, 64, 65, 1ULL << 20 };
	static const __u32 nodes[] = { 0, 1, 1 << 20 };

	a->kind = KF_CHOICE(kinds, kf_sel(l, 0));
	a->flags = KF_CHOICE(flags, kf_sel(l, 1));
	a->mode = KF_CHOICE(modes, kf_sel(l, 2));
	a->arena_size = KF_CHOICE(sizes, kf_sel(l, 3));
	a->max_size = KF_CHOICE(arenas, kf_sel(l, 7)) * a->arena_size;
	/* Which cannot be chosen, and which often shares pages. */
	if (a->kind == ZCBUF_POOL_FIXED && kf_sel(l, 3) % 4) {
		a->arena_size = 0;
		a->max_size = 0;
		a->flags |= ZCBUF_POOL_F_SHARED_PAGES;
	}
	a->node = KF_CHOICE(nodes, kf_sel(l, 6));
	if (a->flags & ZCBUF_POOL_F_OWNER)
		a->uid = 1000;
}

void kf_run_pool_create(struct kf_lane *l)
{
	struct zcbuf_pool_create *a;
	struct kf_argument c;

	a = KF_BEGIN(&c, l, zcbuf_pool_create);
	make_pool(l, a);
	a->nclasses = make_classes(KF_ARRAY(&c, 0, zcbuf_pool_create, classes,
					    200, 0),
				   a->kind, a->kind ? kf_sel(l, 4) : 0);
	c.array[0].in = a->nclasses * sizeof(struct zcbuf_class);
	a->name_len = make_name(KF_ARRAY(&c, 1, zcbuf_pool_create, name, 72, 0),
				kf_sel(l, 5));
	c.array[1].in = a->name_len;
	if (kf_finish(&c))
		now_attached(l);
}

void kf_run_pool_attach(struct kf_lane *l)
{
	static const __u32 rights[] = {
		0, ZCBUF_RIGHT_MAP_READ, ZCBUF_RIGHT_MAP_WRITE,
		ZCBUF_RIGHT_MAP_READ | ZCBUF_RIGHT_MAP_WRITE,
		ZCBUF_RIGHT_PRODUCE, ZCBUF_RIGHT_CONSUME, ZCBUF_RIGHTS_ALL,
		ZCBUF_RIGHT_ADMIN, ZCBUF_RIGHTS_ALL + 1,
	};
	static const __u32 uids[] = { 0, 1000, 1001, ~0U };
	unsigned int how = kf_sel(l, 0) % 8;
	struct zcbuf_pool_attach *a;
	struct kf_argument c;

	a = KF_BEGIN(&c, l, zcbuf_pool_attach);
	a->rights = KF_CHOICE(rights, kf_sel(l, 2));
	if (how < 3 || how == 7) {
		a->flags = ZCBUF_ATTACH_F_FD;
		a->fd = kf_session(l, kf_sel(l, 1));
	}
	if (how >= 3) {
		a->name_len = make_name(KF_ARRAY(&c, 0, zcbuf_pool_attach, name,
						 72, 0), kf_sel(l, 4) + 1);
		c.array[0].in = a->name_len;
	}
	if (how == 5 || how == 6) {
		a->flags |= ZCBUF_ATTACH_F_UID;
		a->uid = KF_CHOICE(uids, kf_sel(l, 3));
	}
	if (kf_finish(&c))
		now_attached(l);
}

/* The kernel takes no larger ones. */
static size_t entry_room(__u32 entry_size)
{
	return entry_size <= 4096 ? entry_size : 1;
}

void kf_run_pool_info(struct kf_lane *l)
{
	static const __u32 rooms[] = { ZCBUF_MAX_CLASSES, 0, 1, 8, 100, ~0U };
	static const __u32 entries[] = {
		sizeof(struct zcbuf_class_info),
		sizeof(struct zcbuf_class_info) + 8, 0, 4096, ~0U,
	};
	struct zcbuf_pool_info *a;
	struct kf_argument c;

	a = KF_BEGIN(&c, l, zcbuf_pool_info);
	a->nclasses = KF_CHOICE(rooms, kf_sel(l, 0));
	a->entry_size = KF_CHOICE(entries, kf_sel(l, 1));
	if (a->nclasses)
		KF_ARRAY(&c, 0, zcbuf_pool_info, classes, 0,
			 ZCBUF_MAX_CLASSES * entry_room(a->entry_size));
	kf_finish(&c);
}

void kf_run_pool_grow(struct kf_lane *l)
{
	struct kf_argument c;

	KF_BEGIN(&c, l, zcbuf_pool_grow);
	kf_finish(&c);
}

void kf_run_pool_retire(struct kf_lane *l)
{
	static const __u32 arenas[] = { 1, 2, 3, 0, 64, ~0U };
	static const __u32 flags[] = {
		0, 0, ZCBUF_RETIRE_F_NOW, ZCBUF_RETIRE_F_CANCEL, 3, 4,
	};
	struct zcbuf_pool_retire *a;
	struct kf_argument c;

	a = KF_BEGIN(&c, l, zcbuf_pool_retire);
	a->arena = KF_CHOICE(arenas, kf_sel(l, 0));
	a->flags = KF_CHOICE(flags, kf_sel(l, 1));
	if (!a->flags)
		a->deadline_ns = kf_deadline(kf_sel(l, 2));
	c.deadline = offsetof(struct zcbuf_pool_retire, deadline_ns);
	kf_finish(&c);
}

/* ---------------------------------------------------------------- buffers */

static void remember_buffers(struct kf_argument *c)
{
	const struct zcbuf_alloc *a = c->arg;
	struct kf_item item = { .live = true,
				.slot = kf_slot(c->l, c->l->op->fd) };
	__u32 i, done = a->out_done;
	const __u64 *handles;

	if (done > ZCBUF_MAX_BATCH)
		return;	/* somebody has scribbled over it */
	handles = kf_result(c, 0, done * sizeof(*handles));
	for (i = 0; i < done; i++) {
		item.handle = handles[i];
		kf_remember(&c->l->st->buffers, &item);
	}
}

void kf_run_alloc(struct kf_lane *l)
{
	static const __u64 sizes[] = {
		4096, 64, 0, 1, 16, 100, 5000, 8192, 65536, 262144, 1 << 20,
		2 << 20, 4 << 20, (2 << 20) + 1, 4095, 4097, 32 << 20, ~0ULL,
		300, 24,
	};
	static const __u32 aligns[] = {
		0, 1, 16, 64, 4096, 65536, 2 << 20, 4 << 20, 3, 1U << 31,
	};
	static const __u32 nodes[] = { 0, 0, 1, 1, 2, ~0U };
	struct zcbuf_alloc *a;
	struct kf_argument c;

	a = KF_BEGIN(&c, l, zcbuf_alloc);
	a->length = KF_CHOICE(sizes, kf_sel(l, 0));
	a->count = KF_COUNT(kf_sel(l, 1));
	a->align = KF_CHOICE(aligns, kf_sel(l, 2));
	a->flags = kf_sel(l, 3) & (ZCBUF_ALLOC_F_ZERO | ZCBUF_ALLOC_F_NODE);
	a->deadline_ns = kf_deadline(kf_sel(l, 4));
	a->node = KF_CHOICE(nodes, kf_sel(l, 5));
	c.deadline = offsetof(struct zcbuf_alloc, deadline_ns);
	KF_ARRAY(&c, 0, zcbuf_alloc, handles, 0, a->count * sizeof(__u64));
	if (kf_finish(&c))
		remember_buffers(&c);
}

void kf_run_free(struct kf_lane *l)
{
	struct kf_item *item[KF_ITEMS];
	struct zcbuf_batch *a;
	struct kf_argument c;
	unsigned int n;

	a = kf_begin_batch(&c, l, &l->st->buffers, 5, item, &n);
	if (kf_sel(l, 3) == 2)
		a->channel = 1;
	if (kf_finish(&c))
		kf_give_back(item, n, a->out_done);
}

void kf_run_buf_info(struct kf_lane *l)
{
	static const __u32 entries[] = {
		sizeof(struct zcbuf_buf_place),
		sizeof(struct zcbuf_buf_place) + 8, 0, 4096, ~0U,
	};
	struct kf_item *item[KF_ITEMS];
	unsigned int n, how = kf_sel(l, 2) % 8;
	struct zcbuf_buf_info *a;
	struct kf_argument c;

	a = KF_BEGIN(&c, l, zcbuf_buf_info);
	a->count = KF_COUNT(kf_sel(l, 1));
	a->entry_size = KF_CHOICE(entries, kf_sel(l, 0));
	n = kf_pick(l, &l->st->buffers, how > 5, item, a->count);
	if (n && n < a->count && a->count < ZCBUF_MAX_BATCH)
		a->count = n;
	kf_put_handles(KF_ARRAY(&c, 0, zcbuf_buf_info, handles,
				a->count * sizeof(__u64), 0),
		       item, n, a->count, how == 5);
	KF_ARRAY(&c, 1, zcbuf_buf_info, entries, 0,
		 a->count * entry_room(a->entry_size));
	kf_finish(&c);
}

/* The session in a slot, or nothing. */
static struct zcbuf_query query_of(const struct kf_lane *l, unsigned int slot)
{
	struct zcbuf_query q = { .size = sizeof(q) };

	if (ioctl(l->st->slot[slot], ZCBUF_IOC_QUERY, &q))
		memset(&q, 0, sizeof(q));
	return q;
}

/* Its own pool, that of a slot, or one by name; the last is both. */
void kf_run_pool_remove(struct kf_lane *l)
{
	static const __u32 uids[] = { 0, 1000, 1001, ~0U };
	unsigned int how = kf_sel(l, 0) % 8;
	struct zcbuf_pool_remove *a;
	struct kf_argument c;

	a = KF_BEGIN(&c, l, zcbuf_pool_remove);
	if (how == 1 || how == 2 || how == 7)
		a->pool = query_of(l, kf_slot(l, kf_sel(l, 1))).out_pool;
	if (how >= 3) {
		a->name_len = make_name(KF_ARRAY(&c, 0, zcbuf_pool_remove, name,
						 72, 0), kf_sel(l, 2) + 1);
		c.array[0].in = a->name_len;
	}
	if (how == 5 || how == 6) {
		a->flags |= ZCBUF_REMOVE_F_UID;
		a->uid = KF_CHOICE(uids, kf_sel(l, 3));
	}
	kf_finish(&c);
}

/* One more session has it, or has it instead. */
static void pass_on(struct kf_list *list, struct kf_item *item,
		    unsigned int slot, bool keep)
{
	struct kf_item other = *item;

	if (!keep) {
		item->slot = slot;
		return;
	}
	other.slot = slot;
	kf_remember(list, &other);
}

static void run_give(struct kf_lane *l, bool keep)
{
	unsigned int i, n, how = kf_sel(l, 2) % 8;
	unsigned int slot = kf_slot(l, kf_sel(l, 0));
	struct kf_item *item[KF_ITEMS];
	struct zcbuf_transfer *a;
	struct kf_argument c;

	a = KF_BEGIN(&c, l, zcbuf_transfer);
	a->session = query_of(l, slot).out_session;
	a->count = KF_COUNT(kf_sel(l, 1));
	n = kf_pick(l, &l->st->buffers, how > 5, item, a->count);
	if (n && n < a->count && a->count < ZCBUF_MAX_BATCH)
		a->count = n;
	kf_put_handles(KF_ARRAY(&c, 0, zcbuf_transfer, handles,
				a->count * sizeof(__u64), 0),
		       item, n, a->count, how == 5);
	if (!kf_finish(&c))
		return;
	for (i = 0; i < n && i < a->out_done; i++)
		pass_on(&l->st->buffers, item[i], slot, keep);
}

void kf_run_transfer(struct kf_lane *l)
{
	run_give(l, false);
}

void kf_run_share(struct kf_lane *l)
{
	run_give(l, true);
}

/* One of a few is kept: its session may die before it. */
void kf_run_pin_token(struct kf_lane *l)
{
	unsigned int keep = kf_sel(l, 0) % 4;
	struct zcbuf_pin_token *a;
	struct kf_argument c;

	a = KF_BEGIN(&c, l, zcbuf_pin_token);
	if (!kf_finish(&c))
		return;
	if (keep || l->st->token >= 0)
		close(a->out_fd);
	else
		l->st->token = a->out_fd;
}

/* Mapped and touched, or not; then it goes. */
static void use_export(struct kf_lane *l, int fd)
{
	unsigned int how = kf_sel(l, 3) % 4;
	char *p;

	if (how) {
		p = mmap(NULL, 4096, how & 1 ? PROT_READ | PROT_WRITE : PROT_READ,
			 MAP_SHARED, fd, how & 2 ? 4096 : 0);
		if (p != MAP_FAILED) {
			*(volatile char *)p;
			munmap(p, 4096);
		}
	}
	close(fd);
}

void kf_run_export(struct kf_lane *l)
{
	static const __u64 bytes[] = { 0, 4096, 8192, 1, -4096ULL, ~0ULL };
	struct kf_item *item;
	struct zcbuf_export *a;
	struct kf_argument c;

	a = KF_BEGIN(&c, l, zcbuf_export);
	a->flags |= kf_sel(l, 4) & ZCBUF_EXPORT_F_READ_ONLY;
	a->handle = kf_pick(l, &l->st->buffers, kf_sel(l, 5) > 1, &item, 1) ?
		    item->handle : KF_HANDLE_BAD;
	a->offset = KF_CHOICE(bytes, kf_sel(l, 1));
	a->length = KF_CHOICE(bytes, kf_sel(l, 2));
	if (kf_finish(&c))
		use_export(l, a->out_fd);
}

/*
 * Short or long, beaten or not: with EVICT the session is one that others may find
 * dead at any time.
 */
void kf_run_heartbeat(struct kf_lane *l)
{
	static const __u64 periods[] = { 1000000, 3600000000000, 0, ~0ULL };
	static const __u32 misses[] = { 1, 1000, 0, ~0U };
	static const __u32 policies[] = {
		ZCBUF_HEARTBEAT_REPORT, ZCBUF_HEARTBEAT_EVICT,
		ZCBUF_HEARTBEAT_NONE, 3,
	};
	struct zcbuf_heartbeat_page *page;
	struct zcbuf_heartbeat *a;
	struct kf_argument c;

	a = KF_BEGIN(&c, l, zcbuf_heartbeat);
	a->policy = KF_CHOICE(policies, kf_sel(l, 0));
	if (a->policy) {
		a->period_ns = KF_CHOICE(periods, kf_sel(l, 1));
		a->misses = KF_CHOICE(misses, kf_sel(l, 2));
	}
	if (!kf_finish(&c) || a->out_fd < 0)
		return;
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, a->out_fd,
		    0);
	if (page != MAP_FAILED) {
		page->beats = kf_sel(l, 3);
		munmap(page, 4096);
	}
	close(a->out_fd);
}
