/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Inside kfuzz: what the operations of a program work on.
 *
 * Lanes share it without a lock. Everything is an index that is checked on the
 * local copy, a number, or an address that is only used with care: the worst
 * that a race does here is another argument for the kernel.
 */
#ifndef KFUZZ_EXEC_H
#define KFUZZ_EXEC_H

#include <errno.h>
#include <signal.h>
#include <sys/types.h>
#include <time.h>

#include "kfuzz.h"

#define KF_SLOTS	8	/* sessions of a program */
#define KF_MAPS		16
#define KF_CHILDREN	4
#define KF_ITEMS	256	/* handles of each kind that are remembered */
#define KF_MIB		(1UL << 20)

/*
 * Mappings are made in the window, so that one call removes them; arguments
 * live above it. Nothing else is near: an address in there with a bit or a byte
 * changed never is one of our own memory, which the kernel would overwrite.
 */
#define KF_WINDOW	0x1000000000UL
#define KF_WINDOW_SIZE	(1UL << 32)
#define KF_HOMES	0x1800000000UL
#define KF_HOMES_END	0x2000000000UL

/* ---------------------------------------------------------------- memory */

enum kf_place_of { KF_ARG, KF_ARRAY0, KF_ARRAY1, KF_PLACES };

#define KF_STAGE	(128UL << 10)	/* of an array, what we look at */

/**
 * struct kf_mem - where a lane's arguments are made and where they lie
 * @home: usual places
 * @room: bytes of each; behind it lies a page that cannot be touched
 * @stage: copies, where arguments are made
 * @readonly: a page that cannot be written
 */
struct kf_mem {
	char *home[KF_PLACES];
	size_t room[KF_PLACES];
	char *stage[KF_PLACES];
	char *readonly;
};

/* ------------------------------------------------------------------ state */

struct kf_map {
	unsigned long addr;
	size_t len;
};

/**
 * struct kf_item - something the kernel gave
 * @slot: to which session
 * @live: and it was not given back since
 * @channel: of a reservation or a delivery
 * @handle: of a buffer, delivery or channel; else the reservation's id
 */
struct kf_item {
	__u8 slot;
	bool live;
	__u64 channel;
	__u64 handle;
	__u64 group;
	__u64 offset;
	__u64 length;
};

/* The last KF_ITEMS; @n counts all. */
struct kf_list {
	unsigned int n;
	struct kf_item item[KF_ITEMS];
};

/**
 * struct kf_state - what the operations of a program have made
 * @slot: sessions, -1: none
 * @attached: bit n: the session in slot n is attached
 * @hot: address of the last argument or array that lay in a pool
 */
struct kf_state {
	int slot[KF_SLOTS];
	unsigned int attached;
	int eventfd;
	int token;
	int epoll;
	int socket[2];
	int pipe[2];
	pid_t child[KF_CHILDREN];
	unsigned int nmaps;
	struct kf_map map[KF_MAPS];
	struct kf_list buffers;
	struct kf_list channels;
	struct kf_list resvs;
	struct kf_list deliveries;
	unsigned long hot;
	size_t hot_bytes;
};

/**
 * struct kf_lane - a thread that executes operations
 * @name: of the thread while it does
 * @op: the operation at hand
 * @fail_fd: its fail-nth file, or -1
 * @timer: interrupts a call that waits
 * @ring: for commands, once there was one; see command.c
 * @ret: what the last system call returned
 * @err: its errno, 0 if there was none
 * @wrong: what is wrong about that, or NULL
 * @answer: of the operations of this program
 * @foreign: runs as another user
 * @child: this is a child of the lane
 * @verbose: say what happens
 */
struct kf_lane {
	int nr;
	char name[16];
	const struct kf_op *op;
	struct kf_state *st;
	struct kf_cov *cov;
	struct kf_mem mem;
	int fail_fd;
	timer_t timer;
	struct kf_ring *ring;
	long ret;
	int err;
	const char *wrong;
	unsigned int nanswers;
	struct {
		__u8 call;
		__u8 err;
	} answer[KF_OPS];
	bool foreign;
	bool child;
	bool verbose;
};

/* ------------------------------------------------------------------ parts */

/* mem.c */
void kf_mem_init(struct kf_mem *m);
void kf_faults_init(void);
bool kf_copy(void *to, const void *from, size_t n);
bool kf_poke(unsigned long addr, __u8 value);
bool kf_harmless(__u64 addr);
void kf_populate(unsigned long addr, size_t bytes);
unsigned long kf_place(struct kf_lane *l, enum kf_place_of what,
		       unsigned int how, size_t bytes);
bool kf_pick_map(const struct kf_state *st, unsigned int sel,
		 struct kf_map *map);
void kf_scribble(const struct kf_state *st, __u64 *random);

/* calls.c */
void kf_run_call(struct kf_lane *l, unsigned int nr);

/* command.c */
void kf_ring_init(struct kf_lane *l);
int kf_command(struct kf_lane *l, int fd, unsigned int nr, unsigned long addr);

/* ops.c, mapops.c */
void kf_run_op(struct kf_lane *l);
void kf_run_map(struct kf_lane *l, unsigned int call);
int kf_session(const struct kf_lane *l, unsigned int sel);
unsigned int kf_slot(const struct kf_lane *l, unsigned int sel);
int kf_need_eventfd(struct kf_state *st);

/* exec.c */
void kf_run_range(struct kf_lane *l, const struct kf_prog *p,
		  unsigned int first, unsigned int last, bool all);
__u64 kf_now(void);

/* A system call of an operation: its result is noted, and it may fail early. */
bool kf_may_fail(const struct kf_lane *l);
void kf_enter(struct kf_lane *l);
void kf_leave(struct kf_lane *l, long ret);

#define KF_SYS(l, call) ({			\
	long ret_;				\
	kf_enter(l);				\
	ret_ = (call);				\
	kf_leave(l, ret_);			\
	ret_; })

static __inline__ __u8 kf_sel(const struct kf_lane *l, unsigned int i)
{
	return l->op->sel[i];
}

#define KF_CHOICE(table, sel)	((table)[(sel) % (sizeof(table) / \
						  sizeof((table)[0]))])

#endif /* KFUZZ_EXEC_H */
