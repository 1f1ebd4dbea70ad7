// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* The device, instead of ../device.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/zcbuf.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "device.h"
#include "fake_device.h"
#include "harness.h"

#define FD	17

struct fake_device device;

int device_open(struct zcctl *z)
{
	if (device.open_error)
		return device.open_error;
	device.opened++;
	return FD;
}

void device_close(int fd)
{
	CHECK_EQ(fd, FD);
	device.closed++;
}

static int on_attach(struct zcbuf_pool_attach *a)
{
	device.attach = *a;
	CHECK(a->name_len < sizeof(device.name));
	memcpy(device.name, (const char *)(uintptr_t)a->name, a->name_len);
	device.name[a->name_len] = 0;
	a->out_pool = device.handle;
	return device.attach_error;
}

static int on_info(struct zcbuf_pool_info *a)
{
	CHECK_EQ(a->size, sizeof(*a));
	*a = device.info;
	return device.info_error;
}

static int on_grow(struct zcbuf_pool_grow *a)
{
	CHECK_EQ(a->size, sizeof(*a));
	CHECK_EQ(a->flags, 0);
	device.grown++;
	a->out_size = 6 << 20;
	a->out_arena = 2;
	a->out_page_order = 9;
	return device.grow_error;
}

static int on_retire(struct zcbuf_pool_retire *a)
{
	CHECK_EQ(a->size, sizeof(*a));
	device.retire = *a;
	a->out_state = device.state;
	return device.retire_error;
}

static int on_remove(struct zcbuf_pool_remove *a)
{
	CHECK_EQ(a->size, sizeof(*a));
	device.remove = *a;
	return device.remove_error;
}

static int on_create(struct zcbuf_pool_create *a)
{
	CHECK_EQ(a->size, sizeof(*a));
	CHECK(a->name_len < sizeof(device.name));
	memcpy(device.name, (const char *)(uintptr_t)a->name, a->name_len);
	device.name[a->name_len] = 0;
	if (a->nclasses)
		memcpy(device.classes, (const void *)(uintptr_t)a->classes,
		       a->nclasses * sizeof(*device.classes));
	device.create = *a;
	a->out_pool = 0x77;
	a->out_size = 2 << 20;
	return device.create_error;
}

void device_hold(int fd)
{
	CHECK_EQ(fd, FD);
	device.held++;
}

int device_call(int fd, unsigned long request, void *arg)
{
	CHECK_EQ(fd, FD);
	switch (request) {
	case ZCBUF_IOC_POOL_ATTACH:
		return on_attach(arg);
	case ZCBUF_IOC_POOL_INFO:
		return on_info(arg);
	case ZCBUF_IOC_POOL_GROW:
		return on_grow(arg);
	case ZCBUF_IOC_POOL_RETIRE:
		return on_retire(arg);
	case ZCBUF_IOC_POOL_REMOVE:
		return on_remove(arg);
	case ZCBUF_IOC_POOL_CREATE:
		return on_create(arg);
	case ZCBUF_IOC_QUERY:
		CHECK_EQ(*(uint32_t *)arg, sizeof(device.query));
		*(struct zcbuf_query *)arg = device.query;
		return 0;
	}
	return -ENOTTY;
}

/* A pool of @uid that has 4 MiB of 8 MiB, in arenas of 2 MiB. */
void device_pool(uint64_t handle, const char *name, uint32_t uid)
{
	nla_put_u32(fake_pool(handle, name), ZCBUF_A_POOL_UID, uid);
	device.handle = handle;
	device.info = (struct zcbuf_pool_info){
		.out_pool = handle, .out_size = 4 << 20,
		.out_arena_size = 2 << 20, .out_max_size = 8 << 20,
	};
}

/* Nothing is short, but for what a case then makes so. */
void device_plenty(bool ipc_lock)
{
	device.query = (struct zcbuf_query){
		.out_user_charged = 100 << 20, .out_user_limit = 256 << 20,
		.out_total_charged = 200 << 20, .out_total_limit = 1 << 30,
	};
	write_file("proc/self/status",
		   ipc_lock ? "CapEff:\t0000000000004000\n" : "CapEff:\t0\n");
	write_file("proc/meminfo", "MemAvailable:     1024000 kB\n");
	device.grow_error = -ENOMEM;
}

/* It says @error, and has closed what it opened. */
void device_fails(const char *words, const char *error)
{
	struct result r = run_verb(&verb_pool, (struct zcctl){}, words);
	char *line = xasprintf("zcctl: %s\n", error);

	CHECK_EQ(r.status, EXIT_ERROR);
	CHECK_TEXT(r.out, "");
	CHECK_TEXT(r.err, line);
	CHECK_EQ(device.closed, device.opened);
	free(line);
	result_free(&r);
}
