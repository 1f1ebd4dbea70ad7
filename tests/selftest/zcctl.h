/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Runs zcctl, and finds things in what it says.
 */
#ifndef ZCBUF_SELFTEST_ZCCTL_H
#define ZCBUF_SELFTEST_ZCCTL_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"
#include "json.h"
#include "ktap.h"

static __inline__ char *read_all(FILE *f)
{
	char *text = NULL;
	size_t room = 0;

	rewind(f);
	if (getdelim(&text, &room, 0, f) < 0) {
		free(text);
		text = strdup("");
	}
	fclose(f);
	return text;
}

/* Runs a command line of words; its output, and its exit status. */
static __inline__ char *run(int *status, char **error, const char *line)
{
	FILE *out = tmpfile(), *err = tmpfile();
	char *words = strdup(line), *argv[16];
	int n = 0, wait;
	pid_t pid;

	ASSERT_TRUE(out && err);
	for (argv[n] = strtok(words, " "); argv[n]; argv[n] = strtok(NULL, " "))
		n++;
	pid = fork();
	if (!pid) {
		dup2(fileno(out), 1);
		dup2(fileno(err), 2);
		execvp(argv[0], argv);
		fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	ASSERT_EQ(waitpid(pid, &wait, 0), pid);
	free(words);
	*status = WIFEXITED(wait) ? WEXITSTATUS(wait) : -1;
	*error = read_all(err);
	return read_all(out);
}

/* The whole output; the exit status and what must be in stderr are checked. */
static __inline__ char *expect(const char *line, int status, const char *in_error)
{
	char *error, *out;
	int seen;

	out = run(&seen, &error, line);
	if (seen != status)
		TEST_LOG("%s: %s", line, error);
	EXPECT_EQ(seen, status);
	if (*in_error)
		EXPECT_TRUE(strstr(error, in_error));
	else
		EXPECT_STREQ(error, "");
	free(error);
	return out;
}

/* As lines of path=value. */
static __inline__ char *expect_json(const char *line, int status)
{
	char *error, *flat, *out;
	int seen;

	out = run(&seen, &error, line);
	if (seen != status)
		TEST_LOG("%s: %s", line, error);
	EXPECT_EQ(seen, status);
	flat = json_flatten(out);
	if (!flat)
		TEST_LOG("%s: no JSON: %s", line, out);
	ASSERT_TRUE(flat);
	free(error);
	free(out);
	return flat;
}

/* The number of the array element where @key is @value, or -1. */
static __inline__ int element(const char *flat, const char *array,
			      const char *key, const char *value)
{
	char path[64], seen[128];
	int i;

	for (i = 0;; i++) {
		snprintf(path, sizeof(path), "%s.%d.%s", array, i, key);
		if (!*json_get(flat, path, seen, sizeof(seen)))
			return -1;
		if (!strcmp(seen, value))
			return i;
	}
}

static __inline__ const char *get(const char *flat, const char *array, int i,
				  const char *key)
{
	static char value[128];
	char path[128];

	snprintf(path, sizeof(path), "%s.%d.%s", array, i, key);
	return json_get(flat, path, value, sizeof(value));
}

static __inline__ const char *hex(__u64 handle)
{
	static char text[32];

	snprintf(text, sizeof(text), "\"0x%llx\"", (unsigned long long)handle);
	return text;
}

static __inline__ const char *dec(__u64 n)
{
	static char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	return text;
}

static __inline__ struct zcbuf_query query(int fd)
{
	struct zcbuf_query q;

	ASSERT_OK(zt_query(fd, &q));
	return q;
}

#endif /* ZCBUF_SELFTEST_ZCCTL_H */
