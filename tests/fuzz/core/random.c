// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Runs inputs that are random bytes, one for each seed from the first on, until
 * so many operations have been done. A seed makes the same input everywhere; one
 * that fails is printed before it runs, and ends the program.
 *
 * usage: program [-s SEED] OPERATIONS
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define INPUT	(64 << 10)	/* bytes: some ten thousand operations */

static u8 input[INPUT];

/* xorshift64*, upper byte, as in tests/kunit/rand.h */
static void make_input(u64 seed)
{
	u64 state = (seed + 1) * 0x9e3779b97f4a7c15ULL | 1;
	u32 i;

	for (i = 0; i < INPUT; i++) {
		state ^= state >> 12;
		state ^= state << 25;
		state ^= state >> 27;
		input[i] = (state * 0x2545f4914f6cdd1dULL) >> 56;
	}
}

int main(int argc, char **argv)
{
	u64 first = 1, seed, wanted;
	int opt;

	while ((opt = getopt(argc, argv, "s:")) == 's')
		first = strtoull(optarg, NULL, 0);
	if (opt != -1 || optind + 1 != argc) {
		fprintf(stderr, "usage: %s [-s SEED] OPERATIONS\n", argv[0]);
		return 2;
	}
	wanted = strtoull(argv[optind], NULL, 0);
	for (seed = first; fuzz_done() < wanted; seed++) {
		fprintf(stderr, "# seed %llu\n", (unsigned long long)seed);
		make_input(seed);
		LLVMFuzzerTestOneInput(input, INPUT);
	}
	printf("%llu operations, seeds %llu to %llu\n",
	       (unsigned long long)fuzz_done(), (unsigned long long)first,
	       (unsigned long long)seed - 1);
	return 0;
}
