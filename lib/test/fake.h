/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A device without a kernel: open(), ioctl() and all that maps memory, of the
 * library, end up here (ld --wrap). A session is a memfd; the model knows one
 * pool, one stream (fake_stream.c) as a producer sees it, topics (fake_topic.c), and
 * whose a buffer is. It is not the judge of the kernel module: that is tested on its
 * own and in a kernel.
 */
#ifndef ZCBUF_LIB_TEST_FAKE_H
#define ZCBUF_LIB_TEST_FAKE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include <zcbuf/zcbuf.h>

#define FAKE_ARENA	(2UL << 20)
#define FAKE_CHANNEL	0x700000001ULL
#define FAKE_TOPIC	0x800000000ULL	/* handles of topics are above */
#define FAKE_SESSION	0x900000000ULL	/* ids are above */
#define FAKE_MAX	512	/* objects of a kind */
#define FAKE_TOPICS	32
#define FAKE_FDS	64	/* a descriptor of a session is below */
#define FAKE_NO_CALL	1	/* no errno: not what is meant */

/* Of a batch, up to the first that fails; @one is about that number out_done. */
#define FAKE_EACH_OF(arg, one) __extension__ ({				\
	while ((arg)->out_done < (arg)->count &&			\
	       !((arg)->out_error = -(one)))				\
		(arg)->out_done++;					\
	(arg)->out_done ? 0 : -(int)(arg)->out_error; })

enum fake_state { FAKE_PENDING, FAKE_COMMITTED, FAKE_FAILED };

struct fake_resv {
	__u64 group;
	__u64 offset;
	__u64 length;
	__u64 used;
	__u64 pool_offset;
	__u32 nrecords;
	enum fake_state state;
	bool window;
};

struct fake_group {
	__u64 offset;
	__u64 total;
	bool sealed;
	bool done;
};

struct fake {
	/* What to do: errors are positive errnos, given once. */
	int open_error;
	int map_error;
	unsigned int map_pass;	/* calls that go well before it */
	int madvise_error;
	unsigned int madvise_pass;
	int mremap_error;
	bool mremap_hole;	/* and what was there is gone */
	__u64 pressure;		/* that there was before it is mapped */
	bool no_control;	/* a kernel that has no control page */
	void (*on_info)(void);	/* called in POOL_INFO */
	/* Instead of what there is here, unless it answers FAKE_NO_CALL. */
	int (*on_call)(__u64 self, unsigned int nr, void *arg);
	void (*on_map)(void);	/* called where memory comes into its place */
	void (*on_receive)(void);	/* called once in RECEIVE of a topic */
	void (*on_watch)(void);	/* called once in WATCH */
	int fail[ZCBUF_NR_CALLS];
	unsigned int fail_pass[ZCBUF_NR_CALLS];
	__u64 reserve_shift;	/* added to where reservations are */
	int reserve_error;	/* of the RESERVE half of COMMIT_RESERVE */
	__u32 why;		/* of who would have to wait, ZCBUF_WHY_* */
	__u64 features;		/* what QUERY answers */
	struct zcbuf_query query;	/* and its limits, calls and version */
	struct zcbuf_pool_info info;	/* what is in use, and flags */
	__u32 rights;		/* of whoever attaches */
	__u64 arena_size;
	__u64 pool_size;
	__u64 max_size;		/* 0: it does not grow */
	__u64 max_end;		/* 0: max_size */
	__u32 arena_state;	/* what RETIRE answers */
	__u32 kind;
	__u64 retiring;		/* arenas, as POOL_INFO says */
	struct zcbuf_class_info classes[ZCBUF_MAX_CLASSES];
	__u32 nclasses;
	struct zcbuf_delivery deliveries[4];
	unsigned int ndeliveries;
	__u32 npieces;		/* of the failed group that waits, or 0 */
	__u32 nlost;
	__u32 grow;		/* pieces it gains at each EMSGSIZE, once */

	/* What was done. */
	int open_flags;
	int map_prot;
	unsigned int maps;	/* of the device */
	void *map_at;		/* where the last of them was made */
	struct zcbuf_control *control;	/* the last that was mapped */
	long long mapped;	/* bytes of addresses taken and not given back */
	unsigned int calls[ZCBUF_NR_CALLS];
	char name[ZCBUF_MAX_NAME + 2];
	struct zcbuf_pool_create create;
	struct zcbuf_pool_attach attach;
	struct zcbuf_pool_remove remove;
	struct zcbuf_pool_retire retire;
	unsigned int removed;
	struct zcbuf_alloc alloc;
	struct zcbuf_transfer transfer;
	struct zcbuf_export exported;
	struct zcbuf_channel_open channel_open;
	struct zcbuf_channel_close channel_close;
	struct zcbuf_eventfd eventfd;
	struct zcbuf_reserve reserve;
	struct zcbuf_commit_reserve commit_reserve;
	struct zcbuf_receive receive;
	struct zcbuf_commit_tagged commit;
	struct zcbuf_channel_name channel_name;
	struct zcbuf_publish publish;
	struct zcbuf_watch watch;
	__u64 released;

	/* The stream. */
	struct fake_resv resv[FAKE_MAX];
	unsigned int nresv;
	struct fake_group group[FAKE_MAX];
	unsigned int ngroups;
	struct {
		__u64 offset, length;
	} success[FAKE_MAX];
	unsigned int nsuccess;
	__u64 failure[FAKE_MAX];	/* group ids */
	unsigned int nfailure;
	bool finalized;

	struct zcbuf_heartbeat heartbeat;	/* as it was last asked for */

	/* Buffers. */
	__u64 handle[FAKE_MAX];
	bool live[FAKE_MAX];
	__u64 holders[FAKE_MAX];	/* fake_bit() of sessions */
	unsigned int nhandles;

	/* Ids, by descriptor; one that was closed keeps its own. */
	__u64 session[FAKE_FDS];
	unsigned int nsessions;
	__u64 ended;		/* fake_bit() of those that are no more */
};

extern struct fake fake;

/* A session's bit: there are fewer than 64. */
static inline __u64 fake_bit(__u64 id)
{
	return 1ULL << (id - FAKE_SESSION) % 64;
}

/* Who has a buffer that is published: no session, the topics. */
#define FAKE_PUBLISHED	(1ULL << 63)

/* Another of a session's buffers becomes a message: 0 or a negative errno. */
int fake_buf_publish(__u64 self, __u64 handle, __u64 *length);

/* Nobody has the message any more. */
void fake_buf_forget(__u64 handle);

/* A call on a topic, or FAKE_NO_CALL: it is on something else. */
int fake_topic_call(__u64 self, unsigned int nr, void *arg);

/* A call on the stream, or FAKE_NO_CALL: none of those. */
int fake_stream_call(unsigned int nr, void *arg);

/* Topics there are, and messages that somebody has. */
unsigned int fake_topics(void);
unsigned int fake_messages(void);

/* Buffers that somebody has. */
unsigned int fake_bufs(void);

/* What was short, of a positive errno. */
static inline __u32 fake_why(__u32 error)
{
	return error == EAGAIN || error == ETIMEDOUT ? fake.why : 0;
}

/* An error that was to be given: now, and then no more. */
int fake_take(int *error);
int fake_take_after(unsigned int *pass, int *error);

/* Somebody else adds an arena to the pool. */
void fake_grow(void);

/* The session behind @fd is killed: all is gone but its mapping. */
static inline void fake_kill(int fd)
{
	__u64 bit = fake_bit(fake.session[fd]);
	unsigned int i;

	fake.ended |= bit;
	for (i = 0; i < fake.nhandles; i++) {
		fake.holders[i] &= ~bit;
		fake.live[i] = fake.holders[i];
	}
}

/* Descriptors of this process. */
unsigned int fake_open_fds(void);

/* A pool with one channel, threshold as given; all rights, all ports. */
struct zcbuf_channel *fake_channel(__u64 threshold);
void fake_channel_close(struct zcbuf_channel *channel);

#endif /* ZCBUF_LIB_TEST_FAKE_H */
