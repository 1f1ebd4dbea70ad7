// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fixed classes. The free objects of a class are a stack, which begins with
 * them in ascending order, linked both ways: one below the top may be wanted. An
 * object of one class is never given for another, so there is nothing to split, to
 * coalesce, or to fragment.
 *
 * The generation of an object advances when its handle ends, as in buf.c: an
 * older one was issued, one that is not older and does not match was not.
 */
#include "buf.h"
#include "fixed.h"

#define LENGTH_UNIT		16U	/* lengths are multiples of this */
#define GEN_MAX			ZCB_BUF_SLAB_GEN_MAX

const struct zcb_fixed_spec zcb_fixed_defaults[ZCB_FIXED_DEFAULTS] = {
	{ .length = 4096, .count = 1024 },
	{ .length = 8192, .count = 512 },
	{ .length = 16384, .count = 128 },
	{ .length = 32768, .count = 64 },
	{ .length = 65536, .count = 32 },
};

static int class_layout(struct zcb_fixed *f, const struct zcb_fixed_spec *spec,
			unsigned int page_shift)
{
	const struct zcb_fixed_class *last = f->n ? &f->class[f->n - 1] : NULL;
	u64 length = round_up((u64)spec->length, LENGTH_UNIT);
	u64 where;

	if (!length || length > U32_MAX || (last && length <= last->length))
		return -EINVAL;
	if (!spec->count || spec->count > ZCB_FIXED_OBJECTS - f->nobjects)
		return -EINVAL;
	where = f->size | length;
	f->class[f->n++] = (struct zcb_fixed_class){
		.base = f->size,
		.length = length,
		.count = spec->count,
		.align = where & -where,
		.first = f->nobjects,
		.free = ZCB_FIXED_NONE,
	};
	f->nobjects += spec->count;
	f->capacity += length * spec->count;
	f->size += round_up(length * spec->count, BIT_ULL(page_shift));
	return 0;
}

/**
 * zcb_fixed_layout() - lay out the classes of a pool
 * @f: the classes
 * @spec: them as they are asked for; lengths are rounded up to multiples of 16
 * @n: classes
 * @page_shift: of a page
 *
 * The caller limits @f->size, which may be beyond what a handle can name.
 *
 * Context: Any.
 * Return: 0; -EINVAL if the lengths do not ascend once rounded up, if one or a
 * count is 0, or if there are no or too many classes or objects.
 */
int zcb_fixed_layout(struct zcb_fixed *f, const struct zcb_fixed_spec *spec,
		     u32 n, unsigned int page_shift)
{
	u32 i;
	int err;

	f->objects = NULL;
	f->size = 0;
	f->capacity = 0;
	f->nobjects = 0;
	f->n = 0;
	if (!n || n > ZCB_FIXED_CLASSES)
		return -EINVAL;
	for (i = 0; i < n; i++) {
		err = class_layout(f, &spec[i], page_shift);
		if (err)
			return err;
	}
	return 0;
}

/**
 * zcb_fixed_shares_pages() - can two objects have bytes of one page?
 * @f: the classes
 * @page_shift: of a page
 *
 * Context: Any.
 * Return: Whether the length of any class is no multiple of a page.
 */
bool zcb_fixed_shares_pages(const struct zcb_fixed *f, unsigned int page_shift)
{
	u32 i;

	for (i = 0; i < f->n; i++)
		if (f->class[i].length & (BIT(page_shift) - 1))
			return true;
	return false;
}

/**
 * zcb_fixed_init() - all objects are free and were never used
 * @f: the classes, laid out
 * @objects: memory for @f->nobjects records; contents do not matter
 *
 * Context: Any.
 */
void zcb_fixed_init(struct zcb_fixed *f, struct zcb_fixed_object *objects)
{
	struct zcb_fixed_class *c;
	u32 i;

	f->objects = objects;
	for (c = f->class; c < f->class + f->n; c++) {
		for (i = c->first; i < c->first + c->count; i++)
			objects[i] = (struct zcb_fixed_object){
				.prev = i == c->first ? ZCB_FIXED_NONE : i - 1,
				.next = i + 1,
				.gen = 1,
			};
		objects[i - 1].next = ZCB_FIXED_NONE;
		c->free = c->first;
		c->seek = 0;
		c->used = 0;
		c->max_used = 0;
	}
}

/**
 * zcb_fixed_list_init() - the list of an owner who has nothing
 * @l: the list
 *
 * Context: Any.
 */
void zcb_fixed_list_init(struct zcb_fixed_list *l)
{
	l->first = ZCB_FIXED_NONE;
	l->count = 0;
	l->bytes = 0;
}

/**
 * zcb_fixed_class_for() - the class to take an object of
 * @f: the classes
 * @length: bytes wanted
 * @align: a power of two its offset should be a multiple of; 0: any
 *
 * Context: Any.
 * Return: The number of the smallest class that will do; -E2BIG if none does.
 */
int zcb_fixed_class_for(const struct zcb_fixed *f, u64 length, u32 align)
{
	u32 i;

	for (i = 0; i < f->n; i++)
		if (f->class[i].length >= length && f->class[i].align >= align)
			return i;
	return -E2BIG;
}

/**
 * zcb_fixed_largest() - the largest class with a free object
 * @f: the classes
 *
 * Context: The caller locks. Does not sleep.
 * Return: Its number, or -EAGAIN.
 */
int zcb_fixed_largest(const struct zcb_fixed *f)
{
	u32 i;

	for (i = f->n; i--;)
		if (f->class[i].free != ZCB_FIXED_NONE)
			return i;
	return -EAGAIN;
}

static void free_insert(struct zcb_fixed *f, struct zcb_fixed_class *c,
			u32 object)
{
	struct zcb_fixed_object *o = &f->objects[object];

	o->prev = ZCB_FIXED_NONE;
	o->next = c->free;
	if (o->next != ZCB_FIXED_NONE)
		f->objects[o->next].prev = object;
	c->free = object;
}

static void free_remove(struct zcb_fixed *f, struct zcb_fixed_class *c,
			u32 object)
{
	struct zcb_fixed_object *o = &f->objects[object];

	if (o->prev == ZCB_FIXED_NONE)
		c->free = o->next;
	else
		f->objects[o->prev].next = o->next;
	if (o->next != ZCB_FIXED_NONE)
		f->objects[o->next].prev = o->prev;
	o->prev = ZCB_FIXED_TAKEN;
}

/**
 * zcb_fixed_take() - take a free object
 * @f: the classes
 * @class: number of its class
 * @object: its record
 *
 * It has no handle, so it is the caller's alone until zcb_fixed_hand_out().
 *
 * Context: The caller locks. Does not sleep.
 * Return: 0; -EAGAIN if none is free.
 */
int zcb_fixed_take(struct zcb_fixed *f, u32 class, u32 *object)
{
	struct zcb_fixed_class *c = &f->class[class];

	if (c->free == ZCB_FIXED_NONE)
		return -EAGAIN;
	*object = c->free;
	free_remove(f, c, *object);
	c->used++;
	c->max_used = max(c->max_used, c->used);
	return 0;
}

static bool is_free(const struct zcb_fixed_object *o)
{
	return !o->owner && o->prev != ZCB_FIXED_TAKEN;
}

/* struct fixed_want - an object that is looked for */
struct fixed_want {
	bool (*fits)(const void *of, u64 offset, u32 length);
	const void *of;
	u32 class;
};

static bool is_wanted(const struct zcb_fixed *f, const struct fixed_want *w,
		      u32 object)
{
	return w->fits(w->of, zcb_fixed_offset(f, w->class, object),
		       f->class[w->class].length);
}

/* -EAGAIN: there are no others. -EINPROGRESS: there are more. */
static int find_recent(const struct zcb_fixed *f, const struct fixed_want *w,
		       u32 *object)
{
	u32 left = ZCB_FIXED_LOOK;

	for (*object = f->class[w->class].free; *object != ZCB_FIXED_NONE;
	     *object = f->objects[*object].next) {
		if (!left--)
			return -EINPROGRESS;
		if (is_wanted(f, w, *object))
			return 0;
	}
	return -EAGAIN;
}

static int find_by_place(struct zcb_fixed *f, const struct fixed_want *w,
			 struct zcb_fixed_walk *walk, u32 *object)
{
	struct zcb_fixed_class *c = &f->class[w->class];
	u32 i, left = ZCB_FIXED_LOOK;

	while (walk->seen < c->count) {
		if (!left--)
			return -EINPROGRESS;
		i = (walk->from + walk->seen++) % c->count;
		*object = c->first + i;
		if (is_free(&f->objects[*object]) && is_wanted(f, w, *object)) {
			c->seek = i;
			return 0;
		}
	}
	return -EAGAIN;
}

/**
 * zcb_fixed_bring() - which object is to be taken next
 * @f: the classes
 * @class: number of its class
 * @fits: is it one like this, bytes from the start of the region
 * @of: for @fits
 * @walk: how far the search has come
 *
 * The one that was freed last of those that will do, if it is one of the
 * ZCB_FIXED_LOOK that were freed last; the others keep their order. Else all of the
 * class are looked at by their places, from where one was found last, and
 * ZCB_FIXED_LOOK of them in each call, the first one included. So what is free all
 * along is found, whatever others do between the calls.
 *
 * Context: The caller locks. Does not sleep.
 * Return: 0; -EAGAIN if none fits; -EINPROGRESS if that is not known yet.
 */
int zcb_fixed_bring(struct zcb_fixed *f, u32 class,
		    bool (*fits)(const void *of, u64 offset, u32 length),
		    const void *of, struct zcb_fixed_walk *walk)
{
	const struct fixed_want w = { fits, of, class };
	struct zcb_fixed_class *c = &f->class[class];
	int err = -EINPROGRESS;
	u32 object;

	if (!walk->seen) {
		walk->from = c->seek;
		err = find_recent(f, &w, &object);
	}
	if (err == -EINPROGRESS)
		err = find_by_place(f, &w, walk, &object);
	if (err)
		return err;
	free_remove(f, c, object);
	free_insert(f, c, object);
	return 0;
}

static void list_insert(struct zcb_fixed *f, struct zcb_fixed_list *l,
			u32 class, u32 object)
{
	struct zcb_fixed_object *o = &f->objects[object];

	o->prev = ZCB_FIXED_NONE;
	o->next = l->first;
	if (l->first != ZCB_FIXED_NONE)
		f->objects[l->first].prev = object;
	l->first = object;
	l->count++;
	l->bytes += f->class[class].length;
}

static void list_remove(struct zcb_fixed *f, struct zcb_fixed_list *l,
			u32 class, u32 object)
{
	struct zcb_fixed_object *o = &f->objects[object];

	if (o->prev == ZCB_FIXED_NONE)
		l->first = o->next;
	else
		f->objects[o->prev].next = o->next;
	if (o->next != ZCB_FIXED_NONE)
		f->objects[o->next].prev = o->prev;
	l->count--;
	l->bytes -= f->class[class].length;
}

/**
 * zcb_fixed_hand_out() - an object that was taken is out
 * @f: the classes
 * @l: the owner's list
 * @owner: who gets it
 * @class: number of its class
 * @object: its record
 *
 * Context: The caller locks. Does not sleep.
 * Return: Its handle.
 */
u64 zcb_fixed_hand_out(struct zcb_fixed *f, struct zcb_fixed_list *l,
		       void *owner, u32 class, u32 object)
{
	struct zcb_fixed_object *o = &f->objects[object];

	o->owner = owner;
	list_insert(f, l, class, object);
	return zcb_fixed_handle(f, class, object);
}

/**
 * zcb_fixed_handle() - what names an object
 * @f: the classes
 * @class: number of its class
 * @object: its record; it is out
 *
 * Context: The caller locks. Does not sleep.
 * Return: Its handle.
 */
u64 zcb_fixed_handle(const struct zcb_fixed *f, u32 class, u32 object)
{
	return zcb_buf_object_handle(class, f->objects[object].gen,
				     zcb_fixed_offset(f, class, object));
}

/**
 * zcb_fixed_find() - the object a handle names
 * @f: the classes
 * @handle: whatever user space says
 * @owner: who must own it
 * @class: number of its class
 * @object: its record
 *
 * Context: The caller locks. Does not sleep.
 * Return: 0; -EINVAL if no object of that class starts there; -ENOENT if the
 * handle was never issued; -EBADSLT if the object is free; -ESTALE if it was
 * freed and is out again; -EPERM if it is not @owner's.
 */
int zcb_fixed_find(const struct zcb_fixed *f, u64 handle, const void *owner,
		   u32 *class, u32 *object)
{
	u32 number = zcbuf_buf_class(handle) - ZCBUF_BUF_SLAB;
	u32 gen = handle >> ZCBUF_BUF_SLAB_BITS & GEN_MAX;
	u64 offset = zcbuf_buf_offset(handle);
	const struct zcb_fixed_object *o;
	const struct zcb_fixed_class *c;
	u32 i;

	if (number >= f->n)
		return -EINVAL;
	number = array_index_nospec(number, f->n);
	c = &f->class[number];
	if (offset < c->base || offset - c->base >= (u64)c->count * c->length)
		return -EINVAL;
	i = div_u64(offset - c->base, c->length);
	if ((u64)i * c->length != offset - c->base)
		return -EINVAL;
	i = array_index_nospec(i, c->count);
	o = &f->objects[c->first + i];
	if (!gen || gen > o->gen || (gen == o->gen && !o->owner))
		return -ENOENT;
	if (gen < o->gen)
		return o->owner ? -ESTALE : -EBADSLT;
	if (o->owner != owner)
		return -EPERM;
	*class = number;
	*object = c->first + i;
	return 0;
}

/**
 * zcb_fixed_move() - an object gets another owner
 * @f: the classes
 * @from: the list of the one it has
 * @to: the list of the other one
 * @owner: him
 * @class: number of its class
 * @object: its record
 *
 * Context: The caller locks. Does not sleep.
 */
void zcb_fixed_move(struct zcb_fixed *f, struct zcb_fixed_list *from,
		    struct zcb_fixed_list *to, void *owner, u32 class,
		    u32 object)
{
	list_remove(f, from, class, object);
	f->objects[object].owner = owner;
	list_insert(f, to, class, object);
}

/**
 * zcb_fixed_put() - an object that was out is free
 * @f: the classes
 * @l: the owner's list
 * @class: number of its class
 * @object: its record; it was handed out to the owner of @l
 *
 * Context: The caller locks. Does not sleep.
 */
void zcb_fixed_put(struct zcb_fixed *f, struct zcb_fixed_list *l, u32 class,
		   u32 object)
{
	struct zcb_fixed_class *c = &f->class[class];
	struct zcb_fixed_object *o = &f->objects[object];

	list_remove(f, l, class, object);
	o->owner = NULL;
	o->gen = zcb_buf_next_gen(o->gen, GEN_MAX);
	free_insert(f, c, object);
	c->used--;
}

/**
 * zcb_fixed_class_of() - the class of a record
 * @f: the classes
 * @object: the record
 *
 * Context: Any.
 * Return: Its number.
 */
u32 zcb_fixed_class_of(const struct zcb_fixed *f, u32 object)
{
	u32 i = f->n - 1;

	while (object < f->class[i].first)
		i--;
	return i;
}
