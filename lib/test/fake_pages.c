// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <errno.h>
#include <pthread.h>
#include <stdint.h>

#include "fake_pages.h"

#define PAGES	((unsigned int)(FAKE_ARENA / 4096))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static __u64 handle_at[PAGES];		/* of a page that a buffer begins with */
static bool used[PAGES];
static __u64 generation[PAGES];
static unsigned int refused;

void (*fake_pages_wait)(void);
void (*fake_pages_busy)(unsigned int nr);

static void *at(__u64 ptr)
{
	return (void *)(uintptr_t)ptr;
}

/* Of the smallest class that will do; 63: there is none. */
static __u32 class_of(__u64 length)
{
	__u32 i;

	for (i = 0; i < fake.nclasses; i++)
		if (length <= fake.classes[i].length)
			return ZCBUF_BUF_SLAB + i;
	if (fake.kind == ZCBUF_POOL_FIXED || length > FAKE_ARENA)
		return 63;
	for (i = 0; 4096ULL << i < length; i++)
		;
	return i;
}

static __u64 class_bytes(__u32 cls)
{
	return cls < ZCBUF_BUF_SLAB ? 4096ULL << cls :
	       fake.classes[cls - ZCBUF_BUF_SLAB].length;
}

static unsigned int class_pages(__u32 cls)
{
	unsigned int n = 1;

	while (n * 4096ULL < class_bytes(cls))
		n *= 2;
	return n;
}

static bool is_free(unsigned int page, unsigned int n)
{
	while (n--)
		if (used[page + n])
			return false;
	return true;
}

static void mark(unsigned int page, unsigned int n, bool as)
{
	while (n--)
		used[page + n] = as;
}

static bool has_room(__u32 cls)
{
	unsigned int n = 0;
	unsigned int i;

	if (fake.kind != ZCBUF_POOL_FIXED)
		return true;
	for (i = 0; i < PAGES; i++)
		n += handle_at[i] && zcbuf_buf_class(handle_at[i]) == cls;
	return n < fake.classes[cls - ZCBUF_BUF_SLAB].total;
}

static int alloc_one(__u32 cls, __u64 *handle)
{
	const unsigned int n = class_pages(cls);
	unsigned int i;

	for (i = 0; i + n <= PAGES; i += n)
		if (is_free(i, n) && has_room(cls))
			break;
	if (i + n > PAGES)
		return -ENOMEM;
	mark(i, n, true);
	*handle = (__u64)cls << ZCBUF_BUF_CLASS_SHIFT |
		  (++generation[i] & 0xffff) << 36 |
		  (cls < ZCBUF_BUF_SLAB ? i : (__u64)i << 8);
	handle_at[i] = *handle;
	return 0;
}

static int alloc_some(struct zcbuf_alloc *arg)
{
	const __u32 cls = class_of(arg->length);
	__u64 *handles = at(arg->handles);

	if (cls == 63)
		return -E2BIG;
	return FAKE_EACH_OF(arg, alloc_one(cls, &handles[arg->out_done]));
}

static int do_alloc(struct zcbuf_alloc *arg)
{
	int err;

	pthread_mutex_lock(&lock);
	fake.alloc = *arg;
	err = alloc_some(arg);
	pthread_mutex_unlock(&lock);
	if (err != -ENOMEM || !arg->deadline_ns)
		return err;
	if (fake_pages_wait)
		fake_pages_wait();
	pthread_mutex_lock(&lock);
	err = alloc_some(arg);
	pthread_mutex_unlock(&lock);
	return err == -ENOMEM ? -ETIMEDOUT : err;
}

static int free_one(__u64 handle)
{
	const unsigned int page = zcbuf_buf_offset(handle) / 4096;

	if (page >= PAGES || handle_at[page] != handle) {
		refused++;
		return -EBADSLT;
	}
	mark(page, class_pages(zcbuf_buf_class(handle)), false);
	handle_at[page] = 0;
	return 0;
}

static int do_free(struct zcbuf_batch *arg)
{
	const __u64 *handles = at(arg->entries);
	int err;

	pthread_mutex_lock(&lock);
	err = FAKE_EACH_OF(arg, free_one(handles[arg->out_done]));
	pthread_mutex_unlock(&lock);
	return err;
}

int fake_pages_call(__u64 self, unsigned int nr, void *arg)
{
	(void)self;
	if (nr != ZCBUF_NR_ALLOC && nr != ZCBUF_NR_FREE)
		return FAKE_NO_CALL;
	if (fake_pages_busy)
		fake_pages_busy(nr);
	return nr == ZCBUF_NR_ALLOC ? do_alloc(arg) : do_free(arg);
}

unsigned int fake_pages_out(void)
{
	unsigned int n = 0;
	unsigned int i;

	pthread_mutex_lock(&lock);
	for (i = 0; i < PAGES; i++)
		n += !!handle_at[i];
	pthread_mutex_unlock(&lock);
	return n;
}

__u64 fake_pages_bytes(void)
{
	__u64 sum = 0;
	unsigned int i;

	pthread_mutex_lock(&lock);
	for (i = 0; i < PAGES; i++)
		if (handle_at[i])
			sum += class_bytes(zcbuf_buf_class(handle_at[i]));
	pthread_mutex_unlock(&lock);
	return sum;
}

unsigned int fake_pages_refused(void)
{
	return refused;
}
