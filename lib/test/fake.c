// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake.h"
#include "test.h"
#include "wrap.h"

struct fake fake = {
	.rights = ZCBUF_RIGHTS_ALL,
	.arena_size = FAKE_ARENA,
	.pool_size = FAKE_ARENA,
};

static int pool_memory = -1;

int fake_take(int *error)
{
	int e = *error;

	if (e)
		*error = 0;
	return e;
}

/* Of a batch, up to the first that fails; @one is about that number out_done. */
#define EACH_OF(arg, one) __extension__ ({				\
	while ((arg)->out_done < (arg)->count &&			\
	       !((arg)->out_error = -(one)))				\
		(arg)->out_done++;					\
	(arg)->out_done ? 0 : -(int)(arg)->out_error; })

int fake_take_after(unsigned int *pass, int *error)
{
	if (!*pass)
		return fake_take(error);
	--*pass;
	return 0;
}

static void *at(__u64 ptr)
{
	return (void *)(uintptr_t)ptr;
}

static int new_session(void)
{
	int fd = memfd_create("session", MFD_CLOEXEC);

	ASSERT_EQ(fd >= 0 && fd < FAKE_FDS, true);
	fake.session[fd] = FAKE_SESSION + ++fake.nsessions;
	return fd;
}

int __wrap_open(const char *path, int flags, ...)
{
	int mode = 0;
	va_list args;

	if (strcmp(path, ZCBUF_DEVICE)) {
		va_start(args, flags);
		if (flags & O_CREAT)
			mode = va_arg(args, int);
		va_end(args);
		return __real_open(path, flags, mode);
	}
	fake.open_flags = flags;
	errno = fake_take(&fake.open_error);
	if (errno)
		return -1;
	return new_session();
}

/* ------------------------------------------------------------------- pools */

static int do_query(__u64 self, struct zcbuf_query *arg)
{
	const unsigned char *tail = (const unsigned char *)(arg + 1);
	__u32 i;

	if (arg->size < sizeof(*arg))
		return -EINVAL;
	for (i = 0; i < arg->size - sizeof(*arg); i++)
		if (tail[i])
			return -E2BIG;
	arg->out_version = ZCBUF_VERSION;
	arg->out_session = self;
	return 0;
}

static int do_create(int fd, struct zcbuf_pool_create *arg)
{
	fake.create = *arg;
	if (arg->name_len > ZCBUF_MAX_NAME)
		return -EINVAL;
	if (arg->name)
		memcpy(fake.name, at(arg->name), arg->name_len);
	if (ftruncate(fd, fake.pool_size))
		return -errno;
	pool_memory = dup(fd);
	return 0;
}

static int do_attach(int fd, struct zcbuf_pool_attach *arg)
{
	fake.attach = *arg;
	if (pool_memory < 0)
		return -ENOENT;
	if (arg->name)
		memcpy(fake.name, at(arg->name), arg->name_len);
	return dup3(pool_memory, fd, O_CLOEXEC) < 0 ? -errno : 0;
}

static int do_grow(struct zcbuf_pool_grow *arg)
{
	__u64 size = fake.pool_size + fake.arena_size;

	if (size > fake.max_size)
		return -E2BIG;
	if (ftruncate(pool_memory, size))
		return -errno;
	fake.pool_size = size;
	arg->out_size = size;
	arg->out_arena = size / fake.arena_size - 1;
	return 0;
}

static int do_retire(struct zcbuf_pool_retire *arg)
{
	fake.retire = *arg;
	arg->out_state = fake.arena_state;
	return 0;
}

void fake_grow(void)
{
	struct zcbuf_pool_grow arg = { .size = sizeof(arg) };

	ASSERT_EQ(do_grow(&arg), 0);
}

static int do_info(struct zcbuf_pool_info *arg)
{
	bool fits = arg->nclasses >= fake.nclasses;

	if (fake.on_info)
		fake.on_info();
	if (arg->nclasses && arg->entry_size != sizeof(*fake.classes))
		return -EINVAL;
	if (arg->nclasses && fits)
		memcpy(at(arg->classes), fake.classes,
		       fake.nclasses * sizeof(*fake.classes));
	arg->out_size = fake.pool_size;
	arg->out_end = fake.pool_size;
	arg->out_present = ~(__u64)0;
	if (fake.pool_size)
		arg->out_present = ((__u64)2 << (fake.pool_size - 1) /
				    fake.arena_size) - 1;
	arg->out_max_size = fake.max_size ? fake.max_size : fake.pool_size;
	arg->out_max_end = fake.max_end ? fake.max_end : arg->out_max_size;
	arg->out_arena_size = fake.arena_size;
	arg->out_rights = fake.rights;
	if (arg->nclasses && !fits) {
		arg->nclasses = fake.nclasses;
		return -EMSGSIZE;
	}
	arg->nclasses = fake.nclasses;
	return 0;
}

/* A page for each object, whatever its class; the generation is not 0. */
static __u64 slab_handle(__u64 length, __u64 page)
{
	__u64 class = 0;

	while (class < fake.nclasses && fake.classes[class].length < length)
		class++;
	if (class == fake.nclasses)
		return 0;
	return (ZCBUF_BUF_SLAB + class) << ZCBUF_BUF_CLASS_SHIFT | 1ULL << 40 |
	       page << 8;
}

static int find_buf(__u64 self, __u64 handle, unsigned int *i)
{
	if (zcbuf_buf_class(handle) == 63)
		return -EINVAL;
	for (*i = 0; *i < fake.nhandles; ++*i) {
		if (fake.handle[*i] != handle)
			continue;
		if (!fake.live[*i])
			return -EBADSLT;
		return fake.holders[*i] & fake_bit(self) ? 0 : -EPERM;
	}
	return -ENOENT;
}

/* All of them are in the second arena. */
static int buf_info_one(__u64 self, __u64 handle, struct zcbuf_buf_place *place)
{
	__u32 sizes[ZCBUF_MAX_CLASSES] = { 0 };
	unsigned int i, n;
	int err;

	err = find_buf(self, handle, &i);
	if (err)
		return err;
	for (n = 0; n < fake.nclasses; n++)
		sizes[n] = fake.classes[n].length;
	*place = (struct zcbuf_buf_place){
		.offset = zcbuf_buf_offset(handle),
		.capacity = zcbuf_buf_capacity(handle, sizes),
		.arena = 1,
		.holders = __builtin_popcountll(fake.holders[i]),
	};
	return 0;
}

static int do_buf_info(__u64 self, struct zcbuf_buf_info *arg)
{
	struct zcbuf_buf_place *places = at(arg->entries);
	const __u64 *handles = at(arg->handles);

	if (!arg->count || arg->entry_size != sizeof(*places))
		return -EINVAL;
	return EACH_OF(arg, buf_info_one(self, handles[arg->out_done],
					 &places[arg->out_done]));
}

/* A block of pages for each: order by length, index by a bump. */
static int do_alloc(__u64 self, struct zcbuf_alloc *arg)
{
	static __u64 next;
	__u64 *handles = at(arg->handles);
	__u64 class = 0;
	__u32 i;

	fake.alloc = *arg;
	if (arg->length > fake.arena_size)
		return -E2BIG;
	while ((4096ULL << class) < arg->length)
		class++;
	for (i = 0; i < arg->count; i++) {
		next = (next + (1ULL << class) - 1) & ~((1ULL << class) - 1);
		handles[i] = slab_handle(arg->length, next);
		if (!handles[i])
			handles[i] = class << ZCBUF_BUF_CLASS_SHIFT |
				     1ULL << 40 | next;
		fake.handle[fake.nhandles] = handles[i];
		fake.holders[fake.nhandles] = fake_bit(self);
		fake.live[fake.nhandles++] = true;
		next += 1ULL << class;
	}
	arg->out_done = arg->count;
	return 0;
}

static int free_one(__u64 self, __u64 handle)
{
	unsigned int i;
	int err = find_buf(self, handle, &i);

	if (err)
		return err;
	fake.holders[i] &= ~fake_bit(self);
	fake.live[i] = fake.holders[i];
	return 0;
}

static int transfer_one(__u64 self, __u64 to, __u64 handle, bool keep)
{
	unsigned int i;
	int err = find_buf(self, handle, &i);

	if (!err && fake.holders[i] & fake_bit(to))
		err = -EALREADY;
	if (err)
		return err;
	fake.holders[i] ^= fake_bit(to) | (keep ? 0 : fake_bit(self));
	return 0;
}

static int do_transfer(__u64 self, struct zcbuf_transfer *arg, bool keep)
{
	const __u64 *handles = at(arg->handles);

	fake.transfer = *arg;
	if (!arg->count || arg->session == self)
		return -EINVAL;
	if (arg->session <= FAKE_SESSION ||
	    arg->session > FAKE_SESSION + fake.nsessions ||
	    fake.ended & fake_bit(arg->session))
		return -ENOENT;
	return EACH_OF(arg, transfer_one(self, arg->session,
					 handles[arg->out_done], keep));
}

int fake_buf_publish(__u64 self, __u64 handle, __u64 *length)
{
	struct zcbuf_buf_place place;
	unsigned int i;
	int err;

	for (i = 0; i < fake.nhandles; i++)
		if (fake.handle[i] == handle &&
		    fake.holders[i] & FAKE_PUBLISHED)
			return -EALREADY;
	err = buf_info_one(self, handle, &place);
	if (err)
		return err;
	if (*length > place.capacity)
		return -ERANGE;
	if (!*length)
		*length = place.capacity;
	find_buf(self, handle, &i);
	fake.holders[i] ^= fake_bit(self) | FAKE_PUBLISHED;
	return 0;
}

void fake_buf_forget(__u64 handle)
{
	unsigned int i = 0;

	while (fake.handle[i] != handle)
		i++;
	fake.holders[i] &= ~FAKE_PUBLISHED;
	fake.live[i] = fake.holders[i];
}

unsigned int fake_bufs(void)
{
	unsigned int n = 0;
	unsigned int i;

	for (i = 0; i < fake.nhandles; i++)
		n += fake.live[i];
	return n;
}

static int do_export(__u64 self, struct zcbuf_export *arg)
{
	unsigned int i;

	fake.export = *arg;
	arg->out_fd = memfd_create("dmabuf", MFD_CLOEXEC);
	return find_buf(self, arg->handle, &i);
}

/* ------------------------------------------------------------------ stream */

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

static int batch_one(__u64 self, unsigned int nr,
		     const struct zcbuf_batch *arg, __u32 i)
{
	struct zcbuf_release_entry *apart = at(arg->entries);

	switch (nr) {
	case ZCBUF_NR_FREE:
		return free_one(self, ((__u64 *)at(arg->entries))[i]);
	case ZCBUF_NR_COMMIT:
		return commit_one(arg->entries, i, arg->flags);
	case ZCBUF_NR_ABORT:
		return abort_one((struct zcbuf_abort_entry *)
				 at(arg->entries) + i);
	default:
		fake.released = arg->channel ? ((__u64 *)at(arg->entries))[i] :
					       apart[i].handle;
		return arg->channel || apart[i].channel ? 0 : -EINVAL;
	}
}

static int do_batch(__u64 self, unsigned int nr, struct zcbuf_batch *arg)
{
	if (!arg->count || arg->count > ZCBUF_MAX_BATCH)
		return -EINVAL;
	return EACH_OF(arg, batch_one(self, nr, arg, arg->out_done));
}

static int do_reserve(struct zcbuf_reserve *arg)
{
	struct zcbuf_reservation *entries = at(arg->entries);

	fake.reserve = *arg;
	if (!arg->count || arg->count > ZCBUF_MAX_BATCH)
		return -EINVAL;
	return EACH_OF(arg, reserve_one(&entries[arg->out_done], arg->flags));
}

static int do_commit_reserve(struct zcbuf_commit_reserve *arg)
{
	struct zcbuf_reservation *reserves = at(arg->reserves);
	__u32 *n = &arg->out_committed;

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

/* One page, whoever asks for it; what was asked last. */
static int do_heartbeat(struct zcbuf_heartbeat *arg)
{
	arg->out_fd = -1;
	arg->out_bytes = 0;
	if (arg->policy != ZCBUF_HEARTBEAT_NONE) {
		arg->out_fd = memfd_create("heartbeat", MFD_CLOEXEC);
		ASSERT_EQ(ftruncate(arg->out_fd, 4096), 0);
		arg->out_bytes = 4096;
	}
	fake.heartbeat = *arg;
	return 0;
}

static int call(int fd, unsigned int nr, void *arg)
{
	__u64 self = fake.session[fd];
	int err = fake_topic_call(self, nr, arg);

	if (err != FAKE_NO_CALL)
		return err;
	switch (nr) {
	case ZCBUF_NR_QUERY:
		return do_query(self, arg);
	case ZCBUF_NR_POOL_CREATE:
		return do_create(fd, arg);
	case ZCBUF_NR_POOL_ATTACH:
		return do_attach(fd, arg);
	case ZCBUF_NR_POOL_INFO:
		return do_info(arg);
	case ZCBUF_NR_POOL_GROW:
		return do_grow(arg);
	case ZCBUF_NR_POOL_REMOVE:
		fake.remove = *(struct zcbuf_pool_remove *)arg;
		return fake.removed++ ? -ENOENT : 0;
	case ZCBUF_NR_POOL_RETIRE:
		return do_retire(arg);
	case ZCBUF_NR_ALLOC:
		return do_alloc(self, arg);
	case ZCBUF_NR_CHANNEL_OPEN:
		fake.channel_open = *(struct zcbuf_channel_open *)arg;
		((struct zcbuf_channel_open *)arg)->out_channel = FAKE_CHANNEL;
		((struct zcbuf_channel_open *)arg)->out_block = 8192;
		return 0;
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
	case ZCBUF_NR_BUF_INFO:
		return do_buf_info(self, arg);
	case ZCBUF_NR_TRANSFER:
		return do_transfer(self, arg, false);
	case ZCBUF_NR_SHARE:
		return do_transfer(self, arg, true);
	case ZCBUF_NR_EXPORT:
		return do_export(self, arg);
	case ZCBUF_NR_PIN_TOKEN:
		((struct zcbuf_pin_token *)arg)->out_fd =
			memfd_create("token", MFD_CLOEXEC);
		return 0;
	case ZCBUF_NR_HEARTBEAT:
		return do_heartbeat(arg);
	case ZCBUF_NR_EVENTFD:
		fake.eventfd = *(struct zcbuf_eventfd *)arg;
		return 0;
	default:
		return do_batch(self, nr, arg);
	}
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (_IOC_TYPE(request) != ZCBUF_IOC_TYPE)
		return __real_ioctl(fd, request, arg);
	__atomic_fetch_add(&fake.calls[_IOC_NR(request)], 1, __ATOMIC_RELAXED);
	errno = fake_take_after(&fake.fail_pass[_IOC_NR(request)],
				&fake.fail[_IOC_NR(request)]);
	if (!errno)
		errno = -call(fd, _IOC_NR(request), arg);
	return errno ? -1 : 0;
}

/* -------------------------------------------------------------- descriptors */

unsigned int fake_open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n - (pool_memory >= 0);
}
