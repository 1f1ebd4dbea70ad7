// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * pair_boost: the same with managed memory of Boost.Interprocess, which other
 * processes may map as well.
 */
#include <cstdint>
#include <cstdio>

#include <boost/interprocess/managed_external_buffer.hpp>
#include <boost/interprocess/managed_mapped_file.hpp>
#include <sys/mman.h>

#include "../pair.h"

namespace ipc = boost::interprocess;

typedef ipc::basic_managed_external_buffer<
	char, ipc::rbtree_best_fit<ipc::mutex_family>, ipc::iset_index> memory;

struct pool {
	memory *shared;
	size_t size;
};

PAIR_INLINE uintptr_t get(void *ctx)
{
	struct pool *pool = static_cast<struct pool *>(ctx);

	return reinterpret_cast<uintptr_t>(pool->shared->allocate(pool->size));
}

PAIR_INLINE void put(void *ctx, uintptr_t buffer)
{
	struct pool *pool = static_cast<struct pool *>(ctx);

	pool->shared->deallocate(reinterpret_cast<void *>(buffer));
}

PAIR_RUNS(get, put)

int main()
{
	const size_t bytes = 64 << 20;
	void *mapped = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	size_t i;

	if (mapped == MAP_FAILED)
		bench_ok(-12, "memory");
	memory shared(ipc::create_only, mapped, bytes);

	for (i = 0; i < PAIR_SIZES; i++) {
		struct pool pool = { &shared, pair_sizes[i] };

		pair_measure("Boost.Interprocess", pair_sizes[i], &pool);
	}
	return 0;
}
