// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Finding out which program a guest died of. Its console says which programs
 * were kept and which hints were found, and programs depend on nothing else:
 * so the same pool is made again, up to that one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kfuzz.h"

#define PREFIX	"kfuzz: "

static bool follow(struct kf_pool *pool, const char *text,
		   unsigned int iteration, bool *past)
{
	struct kf_hint h;
	struct kf_prog p;
	unsigned int n, cost, call, patch, at;
	unsigned long long value;

	if (sscanf(text, "keep %u %u", &n, &cost) == 2) {
		*past = n >= iteration;
		if (*past)
			return true;
		kf_make(pool, n, &p);
		if (n >= pool->nseeds)
			return kf_pool_add(pool, &p, cost);
		pool->cost[n] = cost;
		return true;
	}
	if (sscanf(text, "hint %u %u %u %llx", &call, &patch, &at,
		   &value) != 4)
		return true;
	memset(&h, 0, sizeof(h));
	h.call = call;
	h.patch = patch;
	h.at = at;
	h.value = value;
	return kf_pool_hint(pool, &h);
}

/*
 * kf_derive() - bring a pool, which has its seeds, to where it was when the
 * program @iteration was made
 * @log: console of the guest
 * Returns 0 or a negative errno.
 */
int kf_derive(struct kf_pool *pool, const char *log, unsigned int iteration)
{
	unsigned long long seed;
	char line[512], *text;
	bool past = false;
	FILE *f = fopen(log, "r");

	if (!f)
		return -1;
	while (!past && fgets(line, sizeof(line), f)) {
		text = strstr(line, PREFIX);
		if (!text)
			continue;
		text += strlen(PREFIX);
		if (sscanf(text, "seed %llx", &seed) == 1)
			pool->seed = seed;
		else if (!follow(pool, text, iteration, &past))
			break;
	}
	fclose(f);
	return 0;
}
