// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Coverage, by KCOV: every thread records where in the module it has been. What
 * counts as new is an edge, from one place to the next within one operation,
 * and the order of magnitude of how often a program took it. On kernels without
 * KCOV a call with an answer it did not give before has to do instead.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "oracle.h"

#define KCOV_FILE	"/sys/kernel/debug/kcov"
#define KCOV_INIT	_IOR('c', 1, unsigned long)
#define KCOV_ENABLE	_IO('c', 100)
#define KCOV_DISABLE	_IO('c', 101)
#define KCOV_PC		0
#define KCOV_CMP	1
#define CMP_WORDS	4	/* type, two operands, place */

/* How often this program took each edge, and which edges those are. */
static struct counts {
	__u8 times[KF_EDGES];
	__u32 taken[KF_COV_ENTRIES];
} * counts;

/* Children of programs would have to copy it. */
static void *keep_from_children(void *p, size_t bytes)
{
	if (p != MAP_FAILED)
		madvise(p, bytes, MADV_DONTFORK);
	return p == MAP_FAILED ? NULL : p;
}

/* kf_cov_init() - before the first thread */
bool kf_cov_init(void)
{
	counts = keep_from_children(mmap(NULL, sizeof(*counts), PROT_READ |
					 PROT_WRITE, MAP_PRIVATE |
					 MAP_ANONYMOUS, -1, 0),
				    sizeof(*counts));
	return counts;
}

/* kf_cov_open() - records for one thread; without KCOV there are none */
void kf_cov_open(struct kf_cov *c)
{
	size_t bytes = KF_COV_ENTRIES * sizeof(*c->area);

	memset(c, 0, sizeof(*c));
	c->fd = open(KCOV_FILE, O_RDWR | O_CLOEXEC);
	if (c->fd < 0)
		return;
	if (!ioctl(c->fd, KCOV_INIT, KF_COV_ENTRIES))
		c->area = keep_from_children(mmap(NULL, bytes, PROT_READ |
						  PROT_WRITE, MAP_SHARED,
						  c->fd, 0), bytes);
	if (!c->area) {
		close(c->fd);
		c->fd = -1;
	}
}

/* kf_cov_start() - record this thread; false if that is not to be had */
bool kf_cov_start(struct kf_cov *c, bool compares)
{
	if (c->fd < 0)
		return false;
	if (ioctl(c->fd, KCOV_ENABLE, compares ? KCOV_CMP : KCOV_PC))
		return false;
	c->compares = compares;
	kf_cov_reset(c);
	return true;
}

void kf_cov_stop(struct kf_cov *c)
{
	if (c->fd >= 0)
		ioctl(c->fd, KCOV_DISABLE, 0);
	c->compares = false;
}

void kf_cov_reset(struct kf_cov *c)
{
	c->nmarks = 0;
	if (c->area)
		__atomic_store_n(&c->area[0], 0, __ATOMIC_RELAXED);
}

static unsigned long entries(const struct kf_cov *c)
{
	unsigned long n = __atomic_load_n(&c->area[0], __ATOMIC_RELAXED);

	return n < KF_COV_ENTRIES - 1 ? n : KF_COV_ENTRIES - 1;
}

/* Up to the last mark: what comes then is looking for what is wrong. */
static unsigned long marked(const struct kf_cov *c)
{
	return c->nmarks ? c->mark[c->nmarks - 1] : 0;
}

/* kf_cov_mark() - an operation ends */
void kf_cov_mark(struct kf_cov *c)
{
	if (c->area && c->nmarks < sizeof(c->mark) / sizeof(c->mark[0]))
		c->mark[c->nmarks++] = entries(c);
}

/* ---------------------------------------------------------- what is new */

static __u32 hash(unsigned long a, unsigned long b)
{
	__u64 h = (a ^ (b << 21 | b >> 43)) * 0x9e3779b97f4a7c15ULL;

	return h >> 40;
}

static void see_pc(struct kf_seen *seen, unsigned long pc)
{
	__u32 i = hash(pc, 0) % KF_PCS;

	if (seen->npcs >= KF_PCS / 2)
		return;
	for (; seen->pc[i]; i = (i + 1) % KF_PCS)
		if (seen->pc[i] == pc)
			return;
	seen->pc[i] = pc;
	seen->npcs++;
}

static __u8 magnitude(unsigned int times)
{
	if (times < 2)
		return 1;
	if (times < 8)
		return 2;
	return times < 64 ? 4 : 8;
}

static unsigned int count_edges(const struct kf_cov *c, struct kf_seen *seen)
{
	unsigned long i, last = 0, n = marked(c);
	unsigned int mark = 0, ntaken = 0;
	__u32 edge;

	for (i = 0; i < n; i++) {
		for (; mark < c->nmarks && i >= c->mark[mark]; mark++)
			last = 0;
		edge = hash(c->area[i + 1], last) % KF_EDGES;
		last = c->area[i + 1];
		if (!counts->times[edge])
			counts->taken[ntaken++] = edge;
		if (counts->times[edge] < 255)
			counts->times[edge]++;
		see_pc(seen, last);
	}
	return ntaken;
}

/*
 * kf_cov_merge() - take what a thread has executed into account
 * @counted: how often matters as well
 * Returns how much of it is new.
 */
unsigned int kf_cov_merge(const struct kf_cov *c, struct kf_seen *seen,
			  bool counted)
{
	unsigned int i, n, found = 0;
	__u32 edge;
	__u8 bit;

	if (!c->area || c->compares)
		return 0;
	n = count_edges(c, seen);
	for (i = 0; i < n; i++) {
		edge = counts->taken[i];
		bit = counted ? magnitude(counts->times[edge]) : 1;
		counts->times[edge] = 0;
		if (!seen->edge[edge])
			seen->nedges++;
		else if (!counted)
			continue;
		found += !(seen->edge[edge] & bit);
		seen->edge[edge] |= bit;
	}
	return found;
}

/* kf_cov_answer() - as above, of a call that gave an answer */
unsigned int kf_cov_answer(struct kf_seen *seen, unsigned int call, int err)
{
	__u32 edge = hash(call + 1, err + 1) % KF_EDGES;
	unsigned int found = !seen->edge[edge];

	seen->edge[edge] = 1;
	seen->nedges += found;
	return found;
}

/* ------------------------------------------------------------ comparisons */

static void note_hint(struct kf_cov *c, unsigned int call, unsigned int at,
		      unsigned int size, __u64 value)
{
	struct kf_hint *h = &c->hint[c->nhints];

	if (c->nhints == KF_COV_HINTS || at > 255)
		return;
	memset(h, 0, sizeof(*h));
	h->call = call;
	h->patch = 1 | size << 2;
	h->at = at;
	h->value = value;
	c->nhints++;
}

/* Does the argument have @mine somewhere? Then @theirs is worth a try there. */
static void match(struct kf_cov *c, unsigned int call, const char *arg,
		  size_t bytes, unsigned int size, __u64 mine, __u64 theirs)
{
	unsigned int n = 1U << size, at;
	__u64 value;

	if (!mine || mine == theirs)
		return;
	for (at = 8; at + n <= bytes; at += n) {
		value = 0;
		memcpy(&value, arg + at, n);
		if (value == mine)
			note_hint(c, call, at, size, theirs);
	}
}

/* kf_cov_compared() - what was an argument just compared with? */
void kf_cov_compared(struct kf_cov *c, unsigned int call, const void *arg,
		     size_t bytes)
{
	unsigned long i, n = entries(c) / CMP_WORDS;
	const unsigned long *r = c->area + 1;
	unsigned int size;

	for (i = 0; i < n; i++, r += CMP_WORDS) {
		size = r[0] >> 1 & 3;
		if (size < 2)
			continue;
		match(c, call, arg, bytes, size, r[1], r[2]);
		match(c, call, arg, bytes, size, r[2], r[1]);
	}
	kf_cov_reset(c);
}

/* kf_cov_save() - the places, one a line, from the start of the module's text */
int kf_cov_save(const struct kf_seen *seen, const char *path)
{
	unsigned long text = 0, i;
	FILE *f = fopen("/sys/module/zcbuf/sections/.text", "r");

	if (f) {
		if (fscanf(f, "%lx", &text) != 1)
			text = 0;
		fclose(f);
	}
	f = fopen(path, "w");
	if (!f)
		return -errno;
	for (i = 0; i < KF_PCS; i++)
		if (seen->pc[i])
			fprintf(f, "%lx\n", seen->pc[i] - text);
	return fclose(f) ? -errno : 0;
}
