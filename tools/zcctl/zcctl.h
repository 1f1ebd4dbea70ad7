/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What the files of zcctl share: how it was called, how it ends, its verbs.
 *
 * A verb collects everything first and prints last, so that what is on stdout
 * is either the whole answer or, with -j, {"error": ...}.
 */
#ifndef ZCCTL_H
#define ZCCTL_H

#include <stdbool.h>
#include <stdio.h>

enum zcctl_exit {
	EXIT_OK,
	EXIT_ERROR,
	EXIT_USAGE,
	EXIT_NO_MODULE,
};

enum zcctl_format {
	FORMAT_TABLE,
	FORMAT_JSON,
	FORMAT_PRETTY,		/* JSON for people */
};

/**
 * struct zcctl - one call of the tool
 * @format: what to print
 * @bytes: sizes in bytes, not rounded to units
 * @root: what the paths of /proc, /sys and /dev start with; "" but for tests
 * @out: stdout, but for tests
 * @err: stderr, but for tests
 */
struct zcctl {
	enum zcctl_format format;
	bool bytes;
	const char *root;
	FILE *out;
	FILE *err;
};

/**
 * struct verb - one line of the table in main.c
 * @name: first word after the options
 * @args: what may follow it
 * @summary: one line of zcctl help
 * @help: the rest of zcctl VERB --help
 * @run: does it; @argv starts behind the verb. Returns an enum zcctl_exit.
 */
struct verb {
	const char *name;
	const char *args;
	const char *summary;
	const char *help;
	int (*run)(struct zcctl *z, int argc, char **argv);
};

extern const struct verb verb_pool;
extern const struct verb verb_session;
extern const struct verb verb_channel;
extern const struct verb verb_holders;
extern const struct verb verb_check;
extern const struct verb verb_record;
extern const struct verb verb_show;
extern const struct verb verb_replay;

/* zcctl_fail() - one clear line on stderr; returns @status */
int zcctl_fail(struct zcctl *z, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Out of memory ends the tool, so these never return NULL. */
void *xrealloc(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xasprintf(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

#endif /* ZCCTL_H */
