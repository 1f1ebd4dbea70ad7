// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The one stream of the fake device, as a producer sees it; what is received of it is
 * what the test says.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "fake.h"

static void *at(__u64 ptr)
{
	return (void *)(uintptr_t)ptr;
}

static void settle(__u64 id)
{
	struct fake_group *g = &fake.group[id];
	__u64 end = g->offset;
	bool failed = false;
	unsigned int i;

	if (!g->sealed || g->done)
		return;
	for (i = 0; i < fake.nresv; i++) {
		if (fake.resv[i].group != id)
			continue;
		if (fake.resv[i].state == FAKE_PENDING)
			return;
		failed |= fake.resv[i].state == FAKE_FAILED;
		end = fake.resv[i].offset + fake.resv[i].used;
	}
	g->done = true;
	if (failed) {
		fake.failure[fake.nfailure++] = id;
		return;
	}
	fake.success[fake.nsuccess].offset = g->offset;
	fake.success[fake.nsuccess++].length = end - g->offset;
}

static struct fake_group *open_group(__u64 offset)
{
	struct fake_group *g;

	if (fake.ngroups && !fake.group[fake.ngroups - 1].sealed)
		return &fake.group[fake.ngroups - 1];
	g = &fake.group[fake.ngroups++];
	g->offset = offset;
	return g;
}

static int reserve_one(struct zcbuf_reservation *r, __u32 flags)
{
	struct fake_resv *last = &fake.resv[fake.nresv ? fake.nresv - 1 : 0];
	__u64 offset = fake.nresv ? last->offset + last->length : 0;
	struct fake_resv *resv = &fake.resv[fake.nresv];
	struct fake_group *g;

	if (fake.finalized)
		return -ESHUTDOWN;
	if (!r->length)
		return -EINVAL;
	if (offset + r->length > fake.pool_size)
		return -EAGAIN;
	g = open_group(offset);
	g->total += r->length;
	g->sealed = g->total >= fake.channel_open.threshold ||
		    (flags & ZCBUF_RESERVE_F_WINDOW);
	r->out_id = fake.nresv++;
	r->out_group = g - fake.group;
	r->out_offset = offset;
	r->out_pool_offset = offset + fake.reserve_shift;
	resv->group = r->out_group;
	resv->offset = offset;
	resv->length = r->length;
	resv->used = r->length;
	resv->pool_offset = offset;
	resv->window = flags & ZCBUF_RESERVE_F_WINDOW;
	return 0;
}

static int find(__u64 group, __u64 id)
{
	if (fake.finalized)
		return -ESHUTDOWN;
	if (group >= fake.ngroups || id >= fake.nresv ||
	    fake.resv[id].group != group)
		return -ENOENT;
	return 0;
}

static int decided(const struct fake_resv *resv)
{
	if (resv->state == FAKE_COMMITTED)
		return -EALREADY;
	return resv->state == FAKE_FAILED ? -ESTALE : 0;
}

static int commit_one(__u64 entries, __u32 i, __u32 flags)
{
	bool tagged = flags & ZCBUF_COMMIT_F_TAGGED;
	size_t size = tagged ? sizeof(fake.commit) : sizeof(fake.commit.entry);
	const struct zcbuf_commit_entry *e = &fake.commit.entry;
	struct fake_resv *resv;
	int err;

	memset(&fake.commit, 0, sizeof(fake.commit));
	memcpy(&fake.commit, (char *)at(entries) + i * size, size);
	resv = &fake.resv[e->id % FAKE_MAX];
	err = find(e->group, e->id);
	if (err)
		return err;
	if (e->offset != resv->offset || (tagged && !resv->window))
		return -EINVAL;
	err = decided(resv);
	if (err)
		return err;
	if (resv->window ? !e->length || e->length > resv->length
			 : e->length != resv->length)
		return -EMSGSIZE;
	resv->state = FAKE_COMMITTED;
	resv->used = e->length;
	resv->nrecords = e->nrecords;
	settle(e->group);
	return 0;
}

static int abort_one(const struct zcbuf_abort_entry *e)
{
	int err;

	err = find(e->group, e->id);
	if (!err)
		err = decided(&fake.resv[e->id]);
	if (err)
		return err;
	fake.resv[e->id].state = FAKE_FAILED;
	settle(e->group);
	return 0;
}

static int do_reserve(struct zcbuf_reserve *arg)
{
	struct zcbuf_reservation *entries = at(arg->entries);
	int err;

	fake.reserve = *arg;
	if (!arg->count || arg->count > ZCBUF_MAX_BATCH)
		return -EINVAL;
	err = FAKE_EACH_OF(arg, reserve_one(&entries[arg->out_done],
					    arg->flags));
	arg->out_why = fake_why(arg->out_error);
	return err;
}

static int do_commit_reserve(struct zcbuf_commit_reserve *arg)
{
	struct zcbuf_reservation *reserves = at(arg->reserves);
	__u32 *n = &arg->out_committed;

	fake.commit_reserve = *arg;
	while (*n < arg->ncommits && !arg->out_commit_error) {
		arg->out_commit_error = -commit_one(arg->commits, *n,
						    arg->flags);
		*n += !arg->out_commit_error;
	}
	if (arg->out_commit_error)
		return *n ? 0 : -(int)arg->out_commit_error;
	arg->out_reserve_error = fake_take(&fake.reserve_error);
	n = &arg->out_reserved;
	while (*n < arg->nreserves && !arg->out_reserve_error) {
		arg->out_reserve_error = -reserve_one(&reserves[*n],
						      arg->flags);
		*n += !arg->out_reserve_error;
	}
	arg->out_why = fake_why(arg->out_reserve_error);
	return 0;
}

static int do_finalize(struct zcbuf_finalize *arg)
{
	unsigned int success = fake.nsuccess;
	unsigned int failure = fake.nfailure;
	unsigned int i;

	fake.finalized = true;
	for (i = 0; i < fake.nresv; i++) {
		if (fake.resv[i].state != FAKE_PENDING)
			continue;
		fake.resv[i].state = FAKE_FAILED;
		arg->out_reservations++;
	}
	for (i = 0; i < fake.ngroups; i++) {
		fake.group[i].sealed = true;
		settle(i);
	}
	arg->out_success = fake.nsuccess - success;
	arg->out_failure = fake.nfailure - failure;
	return 0;
}

static int do_receive(struct zcbuf_receive *arg)
{
	struct zcbuf_delivery *entries = at(arg->entries);

	fake.receive = *arg;
	if (arg->entry_size < sizeof(*entries))
		return -EINVAL;
	while (arg->out_done < arg->count && arg->out_done < fake.ndeliveries) {
		entries[arg->out_done] = fake.deliveries[arg->out_done];
		arg->out_done++;
	}
	return arg->out_done ? 0 : -EAGAIN;
}

static int do_receive_failed(struct zcbuf_receive_failed *arg)
{
	struct zcbuf_piece *pieces = at(arg->pieces);
	struct zcbuf_lost *lost = at(arg->lost);
	bool fits = arg->npieces >= fake.npieces && arg->nlost >= fake.nlost;
	__u32 i;

	if (!fake.npieces && !fake.nlost)
		return -EAGAIN;
	arg->npieces = fake.npieces;
	arg->nlost = fake.nlost;
	if (!fits) {
		/* Meanwhile somebody takes it, and the next one is larger. */
		fake.npieces += fake.grow;
		fake.grow = 0;
		return -EMSGSIZE;
	}
	for (i = 0; i < fake.npieces; i++)
		pieces[i] = (struct zcbuf_piece){ i * 64, 64, i * 4096 };
	for (i = 0; i < fake.nlost; i++)
		lost[i] = (struct zcbuf_lost){ i, i * 100, i + 1 };
	arg->out_delivery.handle = 42;
	return 0;
}

static int release_one(const struct zcbuf_batch *arg, __u32 i)
{
	const struct zcbuf_release_entry *apart = at(arg->entries);
	const __u64 *handles = at(arg->entries);

	fake.released = arg->channel ? handles[i] : apart[i].handle;
	return arg->channel || apart[i].channel ? 0 : -EINVAL;
}

static int batch_one(unsigned int nr, const struct zcbuf_batch *arg, __u32 i)
{
	const struct zcbuf_abort_entry *aborts = at(arg->entries);

	switch (nr) {
	case ZCBUF_NR_COMMIT:
		return commit_one(arg->entries, i, arg->flags);
	case ZCBUF_NR_ABORT:
		return abort_one(&aborts[i]);
	default:
		return release_one(arg, i);
	}
}

static int do_batch(unsigned int nr, struct zcbuf_batch *arg)
{
	if (!arg->count || arg->count > ZCBUF_MAX_BATCH)
		return -EINVAL;
	return FAKE_EACH_OF(arg, batch_one(nr, arg, arg->out_done));
}

static int do_open(struct zcbuf_channel_open *arg)
{
	fake.channel_open = *arg;
	arg->out_channel = FAKE_CHANNEL;
	arg->out_block = 8192;
	return 0;
}

int fake_stream_call(unsigned int nr, void *arg)
{
	switch (nr) {
	case ZCBUF_NR_CHANNEL_OPEN:
		return do_open(arg);
	case ZCBUF_NR_CHANNEL_CLOSE:
		fake.channel_close = *(struct zcbuf_channel_close *)arg;
		return 0;
	case ZCBUF_NR_RESERVE:
		return do_reserve(arg);
	case ZCBUF_NR_COMMIT_RESERVE:
		return do_commit_reserve(arg);
	case ZCBUF_NR_FLUSH:
		((struct zcbuf_flush *)arg)->out_sealed = 1;
		return 0;
	case ZCBUF_NR_FINALIZE:
		return do_finalize(arg);
	case ZCBUF_NR_RECEIVE:
		return do_receive(arg);
	case ZCBUF_NR_RECEIVE_FAILED:
		return do_receive_failed(arg);
	case ZCBUF_NR_COMMIT:
	case ZCBUF_NR_ABORT:
	case ZCBUF_NR_RELEASE:
		return do_batch(nr, arg);
	default:
		return FAKE_NO_CALL;
	}
}
