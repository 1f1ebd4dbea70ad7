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
	.features = ZCBUF_FEATURE_WATCH,
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
	i = arg->size;
	*arg = fake.query;
	arg->size = i;
	if (!arg->out_version)
		arg->out_version = ZCBUF_VERSION;
	arg->out_features = fake.features;
	arg->out_max_channels = FAKE_TOPICS;
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
	arg->out_kind = fake.kind;
	arg->out_retiring = fake.retiring;
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
	arg->out_used = fake.info.out_used;
	arg->out_largest_free = fake.info.out_largest_free;
	arg->out_sessions = fake.info.out_sessions;
	arg->out_channels = fake.info.out_channels;
	arg->out_flags = fake.info.out_flags;
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
	return FAKE_EACH_OF(arg, buf_info_one(self, handles[arg->out_done],
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

static int do_free(__u64 self, struct zcbuf_batch *arg)
{
	const __u64 *handles = at(arg->entries);

	if (!arg->count || arg->count > ZCBUF_MAX_BATCH)
		return -EINVAL;
	return FAKE_EACH_OF(arg, free_one(self, handles[arg->out_done]));
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
	return FAKE_EACH_OF(arg, transfer_one(self, arg->session,
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

	fake.exported = *arg;
	arg->out_fd = memfd_create("dmabuf", MFD_CLOEXEC);
	return find_buf(self, arg->handle, &i);
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
	int err = fake.on_call ? fake.on_call(self, nr, arg) : FAKE_NO_CALL;

	if (err == FAKE_NO_CALL)
		err = fake_topic_call(self, nr, arg);
	if (err == FAKE_NO_CALL)
		err = fake_stream_call(nr, arg);
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
	case ZCBUF_NR_FREE:
		return do_free(self, arg);
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
		return -ENOTTY;
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
