/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fixed classes: so many objects of each length, laid out back to back in one
 * region. One record per object, out of line. An object is free, taken (nobody
 * can name it yet) or out, with an owner who keeps it on an index-linked list.
 *
 * Handles are those of slab objects in uapi/linux/zcbuf.h. The caller locks.
 */
#ifndef ZCB_CORE_FIXED_H
#define ZCB_CORE_FIXED_H

#include "env.h"

#define ZCB_FIXED_CLASSES	ZCBUF_MAX_CLASSES
#define ZCB_FIXED_OBJECTS	ZCBUF_MAX_FIXED	/* in all classes together */
#define ZCB_FIXED_DEFAULTS	5		/* classes of the default table */
#define ZCB_FIXED_NONE		(~0U)
#define ZCB_FIXED_TAKEN		(~1U)
#define ZCB_FIXED_LOOK		256U		/* see zcb_fixed_bring() */

/**
 * struct zcb_fixed_spec - a class as it is asked for
 * @length: bytes of an object
 * @count: objects
 */
struct zcb_fixed_spec {
	u32 length;
	u32 count;
};

extern const struct zcb_fixed_spec zcb_fixed_defaults[ZCB_FIXED_DEFAULTS];

/**
 * struct zcb_fixed_object - one object
 * @owner: who holds it, opaque; NULL: nobody
 * @prev: out: previous object of the owner; free: previous free one of the class;
 *	or ZCB_FIXED_NONE. Neither: ZCB_FIXED_TAKEN
 * @next: out: next object of the owner; free: next free one of the class
 * @domain: who used it last; 0: nobody ever, it is zero; ZCB_BUF_NOBODY: whoever
 *	is next is somebody else
 * @gen: generation of the handle that is out or, when there is none, of the
 *	next; from 1
 */
struct zcb_fixed_object {
	void *owner;
	u32 prev;
	u32 next;
	u32 domain;
	u32 gen;
};

/**
 * struct zcb_fixed_class - the objects of one length
 * @base: of the first object, bytes from the start of the region; page-aligned
 * @length: bytes of an object, a multiple of 16
 * @count: objects
 * @align: what the offset of every object is a multiple of, a power of two
 * @first: record of the first object
 * @free: record of the object to hand out next, or ZCB_FIXED_NONE
 * @seek: which of them zcb_fixed_bring() found last by its place
 * @used: objects that are not free
 * @max_used: most there ever were
 */
struct zcb_fixed_class {
	u64 base;
	u32 length;
	u32 count;
	u32 align;
	u32 first;
	u32 free;
	u32 seek;
	u32 used;
	u32 max_used;
};

/**
 * struct zcb_fixed_walk - how far a search has come; zeroes: nowhere
 * @from: which object of the class was looked at first
 * @seen: how many were
 */
struct zcb_fixed_walk {
	u32 from;
	u32 seen;
};

/**
 * struct zcb_fixed - the classes of a pool, ascending
 * @objects: @nobjects records, by class and place
 * @size: bytes from the start of the first class to the end of the last, whole
 *	pages
 * @capacity: bytes of all objects
 * @nobjects: of all classes
 * @n: classes
 * @class: them
 */
struct zcb_fixed {
	struct zcb_fixed_object *objects;
	u64 size;
	u64 capacity;
	u32 nobjects;
	u32 n;
	struct zcb_fixed_class class[ZCB_FIXED_CLASSES];
};

/**
 * struct zcb_fixed_list - the objects of one owner
 * @first: the first, or ZCB_FIXED_NONE
 * @count: objects
 * @bytes: of them
 */
struct zcb_fixed_list {
	u32 first;
	u32 count;
	u64 bytes;
};

int zcb_fixed_layout(struct zcb_fixed *f, const struct zcb_fixed_spec *spec,
		     u32 n, unsigned int page_shift);
bool zcb_fixed_shares_pages(const struct zcb_fixed *f, unsigned int page_shift);
void zcb_fixed_init(struct zcb_fixed *f, struct zcb_fixed_object *objects);
void zcb_fixed_list_init(struct zcb_fixed_list *l);

/* The smallest class for @length bytes at @align (0: any), or -E2BIG. */
int zcb_fixed_class_for(const struct zcb_fixed *f, u64 length, u32 align);
/* The largest class that has a free object, or -EAGAIN. */
int zcb_fixed_largest(const struct zcb_fixed *f);

/* Take a free object: nobody can find it yet. -EAGAIN: there is none. */
int zcb_fixed_take(struct zcb_fixed *f, u32 class, u32 *object);
/*
 * Make a free one that @fits, by where it is and what is known of that, the one to
 * be taken next. -EAGAIN: none does. -EINPROGRESS: not all have been looked at; the
 * caller may let go of the lock before he goes on.
 */
int zcb_fixed_bring(struct zcb_fixed *f, u32 class,
		    bool (*fits)(const void *of, u64 offset, u32 length),
		    const void *of, struct zcb_fixed_walk *walk);
/* Make one that was taken @owner's, and name it. */
u64 zcb_fixed_hand_out(struct zcb_fixed *f, struct zcb_fixed_list *l,
		       void *owner, u32 class, u32 object);
/* The handle of one that is out. */
u64 zcb_fixed_handle(const struct zcb_fixed *f, u32 class, u32 object);
/*
 * Find the object a handle names: -EINVAL no such object could be, -ENOENT
 * never issued, -EBADSLT free, -ESTALE freed and handed out again, -EPERM not
 * @owner's.
 */
int zcb_fixed_find(const struct zcb_fixed *f, u64 handle, const void *owner,
		   u32 *class, u32 *object);
/* Give it to another owner; its handle stays. */
void zcb_fixed_move(struct zcb_fixed *f, struct zcb_fixed_list *from,
		    struct zcb_fixed_list *to, void *owner, u32 class,
		    u32 object);
/* It is free, and the one to be handed out next. */
void zcb_fixed_put(struct zcb_fixed *f, struct zcb_fixed_list *l, u32 class,
		   u32 object);
/* The class a record belongs to. */
u32 zcb_fixed_class_of(const struct zcb_fixed *f, u32 object);

/* zcb_fixed_offset() - where an object is, bytes from the start */
static inline u64 zcb_fixed_offset(const struct zcb_fixed *f, u32 class,
				   u32 object)
{
	const struct zcb_fixed_class *c = &f->class[class];

	return c->base + (u64)(object - c->first) * c->length;
}

/* zcb_fixed_next_domain() - who used the object last that is taken next; or 0 */
static inline u32 zcb_fixed_next_domain(const struct zcb_fixed *f, u32 class)
{
	u32 next = f->class[class].free;

	return next == ZCB_FIXED_NONE ? 0 : f->objects[next].domain;
}

/*
 * zcb_fixed_was_used() - was it ever tagged? If not, it is zero. This and
 * zcb_fixed_tag() are about one that is taken: they need no lock.
 */
static inline bool zcb_fixed_was_used(const struct zcb_fixed *f, u32 object)
{
	return f->objects[object].domain;
}

/* zcb_fixed_domain() - who used it last; ZCB_BUF_NOBODY: several did */
static inline u32 zcb_fixed_domain(const struct zcb_fixed *f, u32 object)
{
	return f->objects[object].domain;
}

/*
 * zcb_fixed_tag() - @domain, which is not 0, will use it. Returns whether
 * another domain used it last: it must be zeroed before it is handed out.
 */
static inline bool zcb_fixed_tag(struct zcb_fixed *f, u32 object, u32 domain)
{
	u32 last = f->objects[object].domain;

	f->objects[object].domain = domain;
	return last && last != domain;
}

#endif /* ZCB_CORE_FIXED_H */
