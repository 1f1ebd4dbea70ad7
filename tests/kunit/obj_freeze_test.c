// SPDX-License-Identifier: GPL-2.0-only
/*
 * Groups of IMMUTABLE channels: who gets a page of one, what they wait for, and what is
 * left when channels, sessions and pools end meanwhile. A reference that is no
 * mapping's stands for all that could still write.
 */
#include <linux/file.h>
#include <linux/pagemap.h>

#include "../../kmod/obj/pin.h"
#include "obj_topic.h"

/**
 * struct frozen - a channel
 * @pool: its pool
 * @w: who writes
 * @r: who reads, and cannot write
 * @in: of @w
 * @out: of @r
 */
struct frozen {
	struct zcb_pool *pool;
	struct zcb_session *w;
	struct zcb_session *r;
	struct zcb_port *in;
	struct zcb_port *out;
};

static struct zcb_session *reader_of(struct kunit *test, struct zcb_pool *pool)
{
	struct zcb_session *s = obj_open_session(test);
	u32 rights = ZCBUF_RIGHT_MAP_READ | ZCBUF_RIGHT_CONSUME;

	KUNIT_ASSERT_EQ(test, zcb_session_claim(s), 0);
	KUNIT_ASSERT_EQ(test, zcb_session_join(s, zcb_pool_get(pool), rights),
			0);
	return s;
}

/* Small pages, so that nothing but the page is kept. */
static struct zcb_pool *small_pages(struct kunit *test)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);

	cfg->flags = ZCBUF_POOL_F_SMALL_PAGES;
	return obj_make_pool(test, cfg);
}

static struct frozen channel_of(struct kunit *test, bool topic)
{
	struct frozen f = { .pool = small_pages(test) };
	struct zcb_channel_config cfg = topic ? topic_config(f.pool) :
						obj_config(f.pool);

	cfg.flags |= ZCBUF_CHANNEL_F_IMMUTABLE;
	cfg.stream.immutable = true;
	f.w = obj_session(test, f.pool);
	f.r = reader_of(test, f.pool);
	f.in = obj_channel(test, f.w, &cfg, ZCBUF_PORT_PRODUCE);
	f.out = obj_attach(test, f.r, f.in->handle, ZCBUF_PORT_CONSUME);
	return f;
}

/* It has looked at all there was. */
static void look(const struct frozen *f)
{
	mod_delayed_work(system_unbound_wq, &f->in->channel->freeze, 0);
	flush_delayed_work(&f->in->channel->freeze);
}

static bool may_have(struct frozen *f, u64 pool_offset, bool writer)
{
	struct page *page = zcb_pool_page_lock(f->pool,
					       pool_offset >> PAGE_SHIFT,
					       writer);

	if (!page)
		return false;
	unlock_page(page);
	put_page(page);
	return true;
}

static void expect_frozen(struct kunit *test, struct frozen *f, u64 pool_offset,
			  bool is)
{
	KUNIT_EXPECT_EQ(test, may_have(f, pool_offset, true), !is);
	KUNIT_EXPECT_TRUE(test, may_have(f, pool_offset, false));
}

static void expect_waiting(struct kunit *test, struct frozen *f, u32 n)
{
	KUNIT_EXPECT_EQ(test, obj_channel_stat(test, f->pool).freezing, n);
}

static void nothing_yet(struct kunit *test, struct frozen *f)
{
	struct zcbuf_delivery d;

	look(f);
	KUNIT_EXPECT_EQ(test, obj_try_receive(f->out, &d), -EAGAIN);
}

static struct page *hold(struct frozen *f, u64 pool_offset)
{
	return zcb_pool_page_get(f->pool, pool_offset >> PAGE_SHIFT, true);
}

/* ---------------------------------------------------------------- the page */

static void readers_have_it(struct kunit *test)
{
	struct frozen f = channel_of(test, false);
	struct zcbuf_reservation v = obj_reserve(test, f.in, PAGE_SIZE);
	struct zcbuf_delivery d;

	expect_frozen(test, &f, v.out_pool_offset, false);
	KUNIT_ASSERT_EQ(test, obj_commit(f.in, &v), 0);
	look(&f);
	expect_frozen(test, &f, v.out_pool_offset, true);
	expect_frozen(test, &f, v.out_pool_offset + PAGE_SIZE, false);
	d = obj_receive(test, f.out);
	KUNIT_EXPECT_EQ(test, d.extents[0].pool_offset, v.out_pool_offset);
	expect_frozen(test, &f, v.out_pool_offset, true);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(f.out, d.handle), 0);
	expect_frozen(test, &f, v.out_pool_offset, false);
}

/* Who may not have it leaves no trace, or it would never be quiet. */
static void who_is_refused_holds_nothing(struct kunit *test)
{
	struct frozen f = channel_of(test, false);
	struct zcbuf_reservation v = obj_send(test, f.in, PAGE_SIZE);
	u64 index = v.out_pool_offset >> PAGE_SHIFT;
	struct page *page;

	look(&f);
	page = zcb_pool_page(f.pool, index);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), 1);
	KUNIT_EXPECT_NULL(test, zcb_pool_page_get(f.pool, index, true));
	KUNIT_EXPECT_NULL(test, zcb_pool_page_lock(f.pool, index, true));
	KUNIT_EXPECT_EQ(test, page_ref_count(page), 1);
	KUNIT_EXPECT_FALSE(test, PageLocked(page));
}

/* Without the lock. */
static bool may_find(struct frozen *f, u64 pool_offset)
{
	struct page *page = hold(f, pool_offset);

	if (page)
		put_page(page);
	return page;
}

static void start(struct kunit *test, struct obj_task *t)
{
	init_completion(&t->done);
	t->task = kthread_run(obj_task_run, t, "zcb_obj");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t->task);
	get_task_struct(t->task);
}

/* One that has looked before, and is about to map it, is waited for. */
static int look_in_task(struct obj_task *t)
{
	look(t->arg);
	return 0;
}

static void a_fault_is_waited_for(struct kunit *test)
{
	struct frozen f = channel_of(test, false);
	struct zcbuf_reservation v = obj_reserve(test, f.in, PAGE_SIZE);
	struct obj_task t = { .call = look_in_task, .arg = &f };
	struct zcbuf_delivery d;
	struct page *page;

	page = zcb_pool_page_lock(f.pool, v.out_pool_offset >> PAGE_SHIFT,
				  true);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_EQ(test, obj_commit(f.in, &v), 0);
	start(test, &t);
	while (may_find(&f, v.out_pool_offset))
		schedule_timeout_uninterruptible(1);
	schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_FALSE(test, completion_done(&t.done));
	KUNIT_EXPECT_EQ(test, obj_try_receive(f.out, &d), -EAGAIN);
	unlock_page(page);
	put_page(page);
	KUNIT_EXPECT_EQ(test, obj_join(&t), 0);
	look(&f);
	obj_receive(test, f.out);
}

/* One that has found it open looks again when it has the lock. */
static int fault_in_task(struct obj_task *t)
{
	return may_have(t->arg, t->r.out_pool_offset, true);
}

static void a_fault_looks_again(struct kunit *test)
{
	struct frozen f = channel_of(test, false);
	struct zcbuf_reservation v = obj_reserve(test, f.in, PAGE_SIZE);
	struct obj_task t = { .call = fault_in_task, .arg = &f, .r = v };
	struct page *page = hold(&f, v.out_pool_offset);

	lock_page(page);
	start(test, &t);
	while (page_ref_count(page) < 3)
		schedule_timeout_uninterruptible(1);
	KUNIT_ASSERT_EQ(test, obj_commit(f.in, &v), 0);
	while (may_find(&f, v.out_pool_offset))
		schedule_timeout_uninterruptible(1);
	unlock_page(page);
	KUNIT_EXPECT_EQ(test, obj_join(&t), 0);
	put_page(page);
	look(&f);
	obj_receive(test, f.out);
}

/* ---------------------------------------------------------------- who waits */

static void a_held_page_holds_up_those_behind(struct kunit *test)
{
	struct frozen f = channel_of(test, false);
	struct zcbuf_reservation v = obj_reserve(test, f.in, 3 * PAGE_SIZE);
	struct page *page = hold(&f, v.out_pool_offset + 2 * PAGE_SIZE);

	KUNIT_ASSERT_EQ(test, obj_commit(f.in, &v), 0);
	obj_send(test, f.in, PAGE_SIZE);
	nothing_yet(test, &f);
	expect_waiting(test, &f, 2);
	KUNIT_EXPECT_TRUE(test,
			  delayed_work_pending(&f.in->channel->freeze));
	put_page(page);
	look(&f);
	expect_waiting(test, &f, 0);
	KUNIT_EXPECT_EQ(test, obj_receive(test, f.out).group, 0);
	KUNIT_EXPECT_EQ(test, obj_receive(test, f.out).group, 1);
}

/* What nobody who may write had any more is not looked at again. */
static void it_goes_on_where_it_was(struct kunit *test)
{
	struct frozen f = channel_of(test, true);
	u64 handle = obj_alloc(test, f.w, 4 * PAGE_SIZE);
	u64 at = zcbuf_buf_offset(handle);
	struct page *page = hold(&f, at + PAGE_SIZE);
	struct page *last = hold(&f, at + 3 * PAGE_SIZE);
	struct page *again;

	obj_publish(test, f.in, handle);
	nothing_yet(test, &f);
	again = zcb_pool_page_get(f.pool, at >> PAGE_SHIFT, false);
	put_page(page);
	nothing_yet(test, &f);
	put_page(last);
	look(&f);
	obj_receive(test, f.out);
	put_page(again);
}

/* While it is held nobody has to ask. */
static void it_is_looked_at_again(struct kunit *test)
{
	struct frozen f = channel_of(test, false);
	struct zcbuf_reservation v = obj_reserve(test, f.in, PAGE_SIZE);
	struct page *page = hold(&f, v.out_pool_offset);
	struct zcbuf_delivery d;

	KUNIT_ASSERT_EQ(test, obj_commit(f.in, &v), 0);
	nothing_yet(test, &f);
	put_page(page);
	while (obj_try_receive(f.out, &d))
		schedule_timeout_uninterruptible(1);
	expect_waiting(test, &f, 0);
}

/* A token says who pins it, which makes it no less a way to write. */
static void a_token_excuses_nothing(struct kunit *test)
{
	struct frozen f = channel_of(test, false);
	struct zcbuf_reservation v = obj_reserve(test, f.in, PAGE_SIZE);
	struct page *page = hold(&f, v.out_pool_offset);
	struct file *token = zcb_pin_token(f.w, 1);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, token);
	page_ref_add(page, GUP_PIN_COUNTING_BIAS - 1);
	KUNIT_ASSERT_EQ(test, obj_commit(f.in, &v), 0);
	KUNIT_EXPECT_TRUE(test, zcb_pin_settled(f.pool, v.out_pool_offset,
						PAGE_SIZE));
	nothing_yet(test, &f);
	expect_waiting(test, &f, 1);
	page_ref_sub(page, GUP_PIN_COUNTING_BIAS);
	look(&f);
	obj_receive(test, f.out);
	__fput_sync(token);
}

static void the_writer_dies(struct kunit *test)
{
	struct frozen f = channel_of(test, false);
	struct zcbuf_reservation v = obj_reserve(test, f.in, PAGE_SIZE);
	struct page *page = hold(&f, v.out_pool_offset);
	struct zcbuf_delivery d;

	KUNIT_ASSERT_EQ(test, obj_commit(f.in, &v), 0);
	obj_die(test, f.w, f.in);
	f.in = f.out;	/* the channel is the same */
	nothing_yet(test, &f);
	expect_frozen(test, &f, v.out_pool_offset, true);
	put_page(page);
	look(&f);
	d = obj_receive(test, f.out);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(f.out, d.handle), 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, f.pool), 0);
	KUNIT_EXPECT_EQ(test, obj_try_receive(f.out, &d), -ESHUTDOWN);
}

static void finalize_waits_for_nobody(struct kunit *test)
{
	struct frozen f = channel_of(test, false);
	struct zcbuf_reservation v = obj_reserve(test, f.in, PAGE_SIZE);
	struct page *page = hold(&f, v.out_pool_offset);
	struct zcb_stream_counts n;

	KUNIT_ASSERT_EQ(test, obj_commit(f.in, &v), 0);
	KUNIT_EXPECT_EQ(test, zcb_channel_finalize(f.in, &n), 0);
	nothing_yet(test, &f);
	put_page(page);
	look(&f);
	obj_receive(test, f.out);
}

/* The page is still held, and is memory of the pool, of nobody, all the same. */
static void the_channel_ends(struct kunit *test)
{
	struct frozen f = channel_of(test, false);
	struct zcbuf_reservation v = obj_reserve(test, f.in, PAGE_SIZE);
	struct page *page = hold(&f, v.out_pool_offset);

	KUNIT_ASSERT_EQ(test, obj_commit(f.in, &v), 0);
	nothing_yet(test, &f);
	expect_frozen(test, &f, v.out_pool_offset, true);
	KUNIT_EXPECT_EQ(test, zcb_channel_close(f.w, f.in->handle, 0), 0);
	KUNIT_EXPECT_EQ(test, zcb_channel_close(f.r, f.in->handle, 0), 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, f.pool), 0);
	expect_frozen(test, &f, v.out_pool_offset, false);
	put_page(page);
}

static int close_in_task(struct obj_task *t)
{
	struct frozen *f = t->arg;
	u64 handle = f->in->handle;

	return zcb_channel_close(f->w, handle, 0) ?:
	       zcb_channel_close(f->r, handle, 0);
}

/* Who ends it does not wait for all of a large group. */
static void the_channel_ends_in_the_midst(struct kunit *test)
{
	struct frozen f = channel_of(test, true);
	struct zcb_channel *ch = f.in->channel;
	u64 handle = obj_alloc(test, f.w, OBJ_ARENA);
	u64 index = zcbuf_buf_offset(handle) >> PAGE_SHIFT;
	struct page *first = zcb_pool_page(f.pool, index);
	struct page *last = zcb_pool_page(f.pool, index +
					  (OBJ_ARENA >> PAGE_SHIFT) - 1);
	struct obj_task t = { .call = close_in_task, .arg = &f };

	lock_page(first);
	lock_page(last);
	obj_publish(test, f.in, handle);
	while (may_find(&f, zcbuf_buf_offset(handle)))
		schedule_timeout_uninterruptible(1);
	start(test, &t);
	while (!READ_ONCE(ch->ended))
		schedule_timeout_uninterruptible(1);
	unlock_page(first);
	/* No more than a bound of a test that fails. */
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&t.done, 20 * HZ), 0);
	unlock_page(last);
	complete(&t.done);
	KUNIT_EXPECT_EQ(test, obj_join(&t), 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, f.pool), 0);
	expect_frozen(test, &f, 0, false);
}

static void all_of_them_die(struct kunit *test)
{
	struct frozen f = channel_of(test, false);

	obj_send(test, f.in, PAGE_SIZE);
	obj_die(test, f.r, f.out);
	obj_die(test, f.w, f.in);
	KUNIT_EXPECT_EQ(test, obj_used(test, f.pool), 0);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, f.pool)->channels, 0);
	expect_frozen(test, &f, 0, false);
}

/* --------------------------------------------------------- readers that linger */

/* As I/O of who only reads. */
static struct page *hold_reading(struct frozen *f, u64 pool_offset)
{
	return zcb_pool_page_get(f->pool, pool_offset >> PAGE_SHIFT, false);
}

/* A group that was received and released, and a page of it that is still held. */
static struct page *release_reading(struct kunit *test, struct frozen *f,
				    u64 *pool_offset)
{
	struct zcbuf_reservation v = obj_send(test, f->in, PAGE_SIZE);
	struct zcbuf_delivery d;
	struct page *page;

	look(f);
	d = obj_receive(test, f->out);
	page = hold_reading(f, v.out_pool_offset);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(f->out, d.handle), 0);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(f->out, d.handle), -EBADSLT);
	*pool_offset = v.out_pool_offset;
	return page;
}

/* Nobody gets its memory, and nobody who may write a page of it; others go on. */
static void a_reader_keeps_what_it_released(struct kunit *test)
{
	struct frozen f = channel_of(test, false);
	struct zcbuf_reservation v;
	struct page *page;
	u64 at;

	page = release_reading(test, &f, &at);
	KUNIT_EXPECT_EQ(test, obj_used(test, f.pool), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, obj_channel_stat(test, f.pool).bytes, PAGE_SIZE);
	expect_frozen(test, &f, at, true);
	v = obj_send(test, f.in, PAGE_SIZE);
	KUNIT_EXPECT_NE(test, v.out_pool_offset, at);
	look(&f);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(f.out, obj_receive(
						  test, f.out).handle), 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, f.pool), PAGE_SIZE);
	put_page(page);
	look(&f);
	KUNIT_EXPECT_EQ(test, obj_used(test, f.pool), 0);
	expect_frozen(test, &f, at, false);
}

/* Each for itself. */
static void several_linger(struct kunit *test)
{
	struct frozen f = channel_of(test, false);
	struct page *page[3];
	u64 at[3];
	u32 i;

	for (i = 0; i < 3; i++)
		page[i] = release_reading(test, &f, &at[i]);
	KUNIT_EXPECT_EQ(test, obj_used(test, f.pool), 3 * PAGE_SIZE);
	put_page(page[1]);
	look(&f);
	KUNIT_EXPECT_EQ(test, obj_used(test, f.pool), 2 * PAGE_SIZE);
	expect_frozen(test, &f, at[0], true);
	expect_frozen(test, &f, at[1], false);
	expect_frozen(test, &f, at[2], true);
	put_page(page[2]);
	put_page(page[0]);
	look(&f);
	KUNIT_EXPECT_EQ(test, obj_used(test, f.pool), 0);
}

/* One that was held last is not forgotten for what was quiet before it. */
static void all_of_it_is_looked_at(struct kunit *test)
{
	struct frozen f = channel_of(test, true);
	u64 handle = obj_alloc(test, f.w, 3 * PAGE_SIZE);
	u64 at = zcbuf_buf_offset(handle);
	struct zcbuf_delivery d;
	struct page *page;

	obj_publish(test, f.in, handle);
	look(&f);
	d = obj_receive(test, f.out);
	page = hold_reading(&f, at + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(f.out, d.handle), 0);
	KUNIT_EXPECT_NE(test, obj_used(test, f.pool), 0);
	look(&f);
	KUNIT_EXPECT_NE(test, obj_used(test, f.pool), 0);
	put_page(page);
	look(&f);
	KUNIT_EXPECT_EQ(test, obj_used(test, f.pool), 0);
	expect_frozen(test, &f, at, false);
}

/* Nobody has to ask for its memory. */
static void it_goes_by_itself(struct kunit *test)
{
	struct frozen f = channel_of(test, false);
	struct page *page;
	u64 at;

	page = release_reading(test, &f, &at);
	KUNIT_EXPECT_TRUE(test,
			  delayed_work_pending(&f.in->channel->freeze));
	put_page(page);
	while (obj_used(test, f.pool))
		schedule_timeout_uninterruptible(1);
	expect_frozen(test, &f, at, false);
}

/* However long it is until what lingers is looked at again. */
static void the_living_do_not_wait_for_it(struct kunit *test)
{
	struct frozen f = channel_of(test, false);
	struct delayed_work *work = &f.in->channel->freeze;
	struct zcbuf_delivery d;
	struct page *page;
	u32 i = 0;
	u64 at;

	page = release_reading(test, &f, &at);
	look(&f);
	mod_delayed_work(system_unbound_wq, work, 3600 * HZ);
	obj_send(test, f.in, PAGE_SIZE);
	while (obj_try_receive(f.out, &d) && i++ < OBJ_PATIENCE)
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_LT(test, i, OBJ_PATIENCE);
	put_page(page);
	look(&f);
	KUNIT_EXPECT_EQ(test, obj_used(test, f.pool), PAGE_SIZE);
}

/* Nor for the time that it has been waited for. */
static void the_living_begin_anew(struct kunit *test)
{
	struct frozen f = channel_of(test, false);
	unsigned long *wait = &f.in->channel->freeze_wait;
	unsigned long most = msecs_to_jiffies(100);
	struct page *page[2];
	struct zcbuf_reservation v;
	u64 at;

	page[0] = release_reading(test, &f, &at);
	while (READ_ONCE(*wait) < most)
		look(&f);
	v = obj_reserve(test, f.in, PAGE_SIZE);
	page[1] = hold(&f, v.out_pool_offset);
	cancel_delayed_work_sync(&f.in->channel->freeze);
	KUNIT_ASSERT_EQ(test, obj_commit(f.in, &v), 0);
	flush_delayed_work(&f.in->channel->freeze);
	KUNIT_EXPECT_LT(test, READ_ONCE(*wait), most);
	put_page(page[0]);
	put_page(page[1]);
	look(&f);
	zcb_channel_release(f.out, obj_receive(test, f.out).handle);
}

static void the_channel_ends_before_it(struct kunit *test)
{
	struct frozen f = channel_of(test, false);
	struct page *page;
	u64 at;

	page = release_reading(test, &f, &at);
	KUNIT_EXPECT_EQ(test, zcb_channel_close(f.w, f.in->handle, 0), 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, f.pool), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, zcb_channel_close(f.r, f.in->handle, 0), 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, f.pool), 0);
	expect_frozen(test, &f, at, false);
	put_page(page);
}

/* What it has released is not its any more; who wrote it is not asked for. */
static void the_reader_dies_before_it(struct kunit *test)
{
	struct frozen f = channel_of(test, false);
	struct page *page;
	u64 at;

	page = release_reading(test, &f, &at);
	obj_die(test, f.r, f.out);
	KUNIT_EXPECT_EQ(test, obj_used(test, f.pool), PAGE_SIZE);
	expect_frozen(test, &f, at, true);
	put_page(page);
	look(&f);
	KUNIT_EXPECT_EQ(test, obj_used(test, f.pool), 0);
}

static void all_of_them_die_before_it(struct kunit *test)
{
	struct frozen f = channel_of(test, false);
	struct page *page;
	u64 at;

	page = release_reading(test, &f, &at);
	obj_die(test, f.r, f.out);
	obj_die(test, f.w, f.in);
	KUNIT_EXPECT_EQ(test, obj_used(test, f.pool), 0);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, f.pool)->channels, 0);
	put_page(page);
}

/* ---------------------------------------------------------- buffers, rights */

static void a_buffer_is_frozen(struct kunit *test)
{
	struct frozen f = channel_of(test, true);
	u64 handle = obj_alloc(test, f.w, 2 * PAGE_SIZE);
	u64 at = zcbuf_buf_offset(handle);
	struct zcbuf_delivery d;

	KUNIT_EXPECT_EQ(test, obj_publish(test, f.in, handle).out_delivered, 0);
	look(&f);
	expect_frozen(test, &f, at, true);
	expect_frozen(test, &f, at + PAGE_SIZE, true);
	d = obj_receive(test, f.out);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(f.out, d.handle), 0);
	expect_frozen(test, &f, at, false);
	expect_frozen(test, &f, at + PAGE_SIZE, false);
}

/* With nobody there it is gone at once, and can be written to. */
static void a_buffer_for_nobody(struct kunit *test)
{
	struct frozen f = channel_of(test, true);
	u64 handle = obj_alloc(test, f.w, PAGE_SIZE);

	obj_die(test, f.r, f.out);
	obj_publish(test, f.in, handle);
	look(&f);
	KUNIT_EXPECT_EQ(test, obj_used(test, f.pool), 0);
	expect_frozen(test, &f, zcbuf_buf_offset(handle), false);
}

static void not_what_others_hold(struct kunit *test)
{
	struct frozen f = channel_of(test, true);
	struct zcb_session *other = obj_session(test, f.pool);
	u64 handle = obj_alloc(test, f.w, PAGE_SIZE);
	struct zcbuf_publication p;

	KUNIT_ASSERT_EQ(test, share(f.w, other, handle), 0);
	obj_refused(test, f.in, handle, 0, -EBUSY);
	KUNIT_EXPECT_EQ(test, zcb_memory_free(f.pool, &other->hold, handle), 0);
	KUNIT_EXPECT_EQ(test, obj_try_publish(f.in, handle, 0, &p), 0);
}

static void readers_may_not_write(struct kunit *test)
{
	struct frozen f = channel_of(test, false);
	struct zcb_session *other = obj_session(test, f.pool);
	struct zcb_port *port;
	u32 added;

	KUNIT_EXPECT_EQ(test, obj_open(other, f.in->handle, NULL,
				       ZCBUF_PORT_CONSUME, 0, &port, &added),
			-EPERM);
	KUNIT_EXPECT_EQ(test, obj_open(f.w, f.in->handle, NULL, OBJ_PORTS, 0,
				       &port, &added), -EPERM);
	KUNIT_EXPECT_EQ(test, f.in->kinds, ZCBUF_PORT_PRODUCE);
	obj_attach(test, other, f.in->handle, ZCBUF_PORT_RECV_FAILED);
}

static struct kunit_case freeze_cases[] = {
	KUNIT_CASE(readers_have_it),
	KUNIT_CASE(who_is_refused_holds_nothing),
	KUNIT_CASE(a_fault_is_waited_for),
	KUNIT_CASE(a_fault_looks_again),
	KUNIT_CASE(a_held_page_holds_up_those_behind),
	KUNIT_CASE(it_goes_on_where_it_was),
	KUNIT_CASE(it_is_looked_at_again),
	KUNIT_CASE(a_token_excuses_nothing),
	KUNIT_CASE(the_writer_dies),
	KUNIT_CASE(finalize_waits_for_nobody),
	KUNIT_CASE(the_channel_ends),
	KUNIT_CASE(the_channel_ends_in_the_midst),
	KUNIT_CASE(all_of_them_die),
	KUNIT_CASE(a_reader_keeps_what_it_released),
	KUNIT_CASE(several_linger),
	KUNIT_CASE(all_of_it_is_looked_at),
	KUNIT_CASE(it_goes_by_itself),
	KUNIT_CASE(the_living_do_not_wait_for_it),
	KUNIT_CASE(the_living_begin_anew),
	KUNIT_CASE(the_channel_ends_before_it),
	KUNIT_CASE(the_reader_dies_before_it),
	KUNIT_CASE(all_of_them_die_before_it),
	KUNIT_CASE(a_buffer_is_frozen),
	KUNIT_CASE(a_buffer_for_nobody),
	KUNIT_CASE(not_what_others_hold),
	KUNIT_CASE(readers_may_not_write),
	{}
};

static struct kunit_suite freeze_suite = {
	.name = "zcb_freeze",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = freeze_cases,
};

kunit_test_suite(freeze_suite);
