/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Host tests of zcctl: cases that run in a process of their own each, a kernel
 * made of netlink messages, and a tool whose output is caught.
 */
#ifndef ZCCTL_TEST_H
#define ZCCTL_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record.h"
#include "zcctl.h"

struct nl_msg;

struct test_case {
	const char *name;
	void (*run)(void);
};

extern const struct test_case list_cases[];
extern const struct test_case grow_cases[];
extern const struct test_case admin_cases[];
extern const struct test_case holders_cases[];
extern const struct test_case check_cases[];
extern const struct test_case watch_cases[];
extern const struct test_case main_cases[];
extern const struct test_case recording_cases[];
extern const struct test_case show_cases[];

/* A check that fails says so and fails the case, which goes on. */
void check_true(bool ok, const char *what, const char *file, int line);
void check_number(uint64_t got, uint64_t want, const char *what,
		  const char *file, int line);
void check_text(const char *got, const char *want, const char *file, int line);
void check_has(const char *text, const char *part, bool want, const char *file,
	       int line);

#define CHECK(cond)		check_true(cond, #cond, __FILE__, __LINE__)
#define CHECK_EQ(got, want)	check_number(got, want, #got, __FILE__, __LINE__)
#define CHECK_TEXT(got, want)	check_text(got, want, __FILE__, __LINE__)
#define CHECK_HAS(text, part)	check_has(text, part, true, __FILE__, __LINE__)
#define CHECK_LACKS(text, part)	check_has(text, part, false, __FILE__, __LINE__)

/* A directory of this case's own, removed in the end. */
extern const char *test_dir;
/* Writes @text into @path below test_dir, with all directories it needs. */
void write_file(const char *path, const char *text);

/* fake.c: what the kernel will answer */
struct nl_msg *fake_object(const struct spec *spec);
/* An object with some of everything; attributes may follow. */
struct nl_msg *fake_pool(uint64_t handle, const char *name);
struct nl_msg *fake_session(uint64_t id, uint64_t pool, uint32_t pid);
struct nl_msg *fake_arena(uint64_t pool, uint32_t index);
/* What will happen: an event, attributes may follow; or some are lost. */
struct nl_msg *fake_event(uint32_t kind);
void fake_loss(void);
/* The next dumps fail: the module is not loaded. */
void fake_no_module(void);
/* The next dumps of this kind do. */
void fake_failure(const struct spec *spec);

/**
 * struct result - what came of a call
 * @status: exit status
 * @out: stdout
 * @err: stderr
 */
struct result {
	int status;
	char *out;
	char *err;
};

/* One verb in this process; words are separated by blanks. */
struct result run_verb(const struct verb *v, struct zcctl z, const char *words);
/*
 * The same as JSON, which must be valid, and as pretty JSON, which must say the
 * same.
 */
struct result run_json(const struct verb *v, struct zcctl z, const char *words);
/* The whole tool in a process of its own. */
struct result run_tool(const char *words);
void result_free(struct result *r);

int zcctl_main(int argc, char **argv);

#endif /* ZCCTL_TEST_H */
