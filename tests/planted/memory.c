// SPDX-License-Identifier: GPL-2.0-only
/* Bugs about memory: slab objects, pages, a page of a zcbuf pool. */
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "bugs.h"

/* Odd sizes: the byte after the last one is no object's, and nobody uses it. */
#define SLAB_SIZE	60
#define ARRAY_BYTES	13

/* Without memory there is no bug, and its test fails, as it must. */

void plant_slab_uaf(void)
{
	u8 *p = kmalloc(SLAB_SIZE, GFP_KERNEL);
	u8 *stale = planted_veil(p);

	if (!p)
		return;
	kfree(p);
	READ_ONCE(*stale);
}

void plant_slab_oob(void)
{
	u8 *p = kmalloc(SLAB_SIZE, GFP_KERNEL);
	u8 *q = planted_veil(p);

	if (!p)
		return;
	READ_ONCE(q[SLAB_SIZE]);
	kfree(p);
}

/*
 * Several, because what still lies in a register or on a stack hides one. The
 * text appears in kmemleak's report.
 */
void plant_slab_leak(void)
{
	int i;

	for (i = 0; i < 8; i++)
		planted_veil(kstrdup("planted leak", GFP_KERNEL));
}

void plant_cache_leak(void)
{
	struct kmem_cache *cache;

	cache = kmem_cache_create("zcbuf_planted", SLAB_SIZE, 0, 0, NULL);
	if (!cache)
		return;
	planted_veil(kmem_cache_alloc(cache, GFP_KERNEL));
	kmem_cache_destroy(cache);
}

void plant_double_free(void)
{
	u8 *p = kmalloc(SLAB_SIZE, GFP_KERNEL);
	u8 *stale = planted_veil(p);

	kfree(p);
	kfree(stale);
}

/* Within its last page, so that nothing worse happens than a report. */
void plant_vmalloc_oob(void)
{
	u8 *p = vmalloc(SLAB_SIZE);
	u8 *q = planted_veil(p);

	if (!p)
		return;
	READ_ONCE(q[SLAB_SIZE]);
	vfree(p);
}

void plant_stack_oob(void)
{
	u8 array[ARRAY_BYTES] = { 0 };
	u8 *p = planted_veil(array);

	READ_ONCE(p[ARRAY_BYTES]);
}

void plant_global_oob(void)
{
	static u8 array[ARRAY_BYTES];
	u8 *p = planted_veil(array);

	READ_ONCE(p[ARRAY_BYTES]);
}

void plant_page_uaf(void)
{
	struct page *page = alloc_page(GFP_KERNEL);
	u8 *stale;

	if (!page)
		return;
	stale = page_address(page);
	__free_page(page);
	READ_ONCE(*stale);
}

void plant_page_leak(void)
{
	planted_veil(alloc_page(GFP_KERNEL));
}

/* As large as the smallest pool. */
void plant_folio_leak(void)
{
	planted_veil(alloc_pages(GFP_KERNEL | __GFP_COMP, get_order(SZ_2M)));
}

/* A page that is freed while it still belongs to a mapping. */
void plant_bad_page(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	if (!page)
		return;
	page->mapping = (struct address_space *)page;
	__free_page(page);
}

/*
 * A reference to a page of a pool that is never dropped. This mapping is the
 * only user of the pool, and goes with the process.
 */
void plant_pool_ref(void)
{
	struct file *file = filp_open("/dev/zcbuf", O_RDWR, 0);
	unsigned long addr;
	struct page *page;

	if (IS_ERR(file))
		return;
	addr = vm_mmap(file, 0, SZ_2M, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	fput(file);
	if (!IS_ERR_VALUE(addr))
		get_user_pages_fast(addr, 1, FOLL_WRITE, &page);
}

/* More of an object is given to a user than there is of it. */
void plant_usercopy(void)
{
	u8 *p = kzalloc(SLAB_SIZE, GFP_KERNEL);
	unsigned long addr = vm_mmap(NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, 0);

	if (p && !IS_ERR_VALUE(addr) &&
	    copy_to_user((void __user *)addr, planted_veil(p),
			 planted_number(4 * SLAB_SIZE)))
		return;
	kfree(p);
}
