// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Runs inputs one after another, for compilers without libFuzzer: a program
 * that ends has passed them all.
 *
 * usage: program FILE|DIRECTORY...
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static u32 ninputs;

static void die(const char *path)
{
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	exit(2);
}

static void run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	size_t size;
	u8 *data;

	if (!file || fseek(file, 0, SEEK_END))
		die(path);
	size = ftell(file);
	rewind(file);
	/* Of just that size, so that reading beyond it is noticed. */
	data = malloc(size ? size : 1);
	if (!data || fread(data, 1, size, file) != size)
		die(path);
	fclose(file);
	fprintf(stderr, "# %s\n", path);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	ninputs++;
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* In the order of their names. */
static void run_directory(const char *path, struct dirent **entries, int n)
{
	char name[PATH_MAX];
	int i;

	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
		run_file(name);
		free(entries[i]);
	}
	free(entries);
}

int main(int argc, char **argv)
{
	struct dirent **entries;
	int i, n;

	if (argc < 2) {
		fprintf(stderr, "usage: %s FILE|DIRECTORY...\n", argv[0]);
		return 2;
	}
	for (i = 1; i < argc; i++) {
		n = scandir(argv[i], &entries, is_visible, alphasort);
		if (n >= 0)
			run_directory(argv[i], entries, n);
		else if (errno == ENOTDIR)
			run_file(argv[i]);
		else
			die(argv[i]);
	}
	printf("%u inputs\n", ninputs);
	if (!ninputs)
		return 2;
	return 0;
}
