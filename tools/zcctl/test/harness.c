// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

const char *test_dir;
static bool failed;

void check_true(bool ok, const char *what, const char *file, int line)
{
	if (ok)
		return;
	failed = true;
	printf("# %s:%d: not so: %s\n", file, line, what);
}

void check_number(uint64_t got, uint64_t want, const char *what,
		  const char *file, int line)
{
	if (got == want)
		return;
	failed = true;
	printf("# %s:%d: %s is %" PRIu64 ", not %" PRIu64 "\n", file, line,
	       what, got, want);
}

/* KTAP diagnostics are lines that start with '#'. */
static void print_quoted(const char *title, const char *text)
{
	printf("#   %s: ", title);
	for (; *text; text++) {
		putchar(*text);
		if (*text == '\n')
			fputs("#   | ", stdout);
	}
	putchar('\n');
}

void check_text(const char *got, const char *want, const char *file, int line)
{
	if (!strcmp(got, want))
		return;
	failed = true;
	printf("# %s:%d: texts differ\n", file, line);
	print_quoted("got", got);
	print_quoted("want", want);
}

void check_has(const char *text, const char *part, bool want, const char *file,
	       int line)
{
	if (!!strstr(text, part) == want)
		return;
	failed = true;
	printf("# %s:%d: %s\n", file, line, want ? "missing" : "unwanted");
	print_quoted("text", text);
	print_quoted("part", part);
}

void write_file(const char *path, const char *text)
{
	char *full = xasprintf("%s/%s", test_dir, path), *slash;
	FILE *f;

	for (slash = strchr(full + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = 0;
		mkdir(full, 0755);
		*slash = '/';
	}
	f = fopen(full, "w");
	CHECK(f && fputs(text, f) >= 0 && !fclose(f));
	free(full);
}

static char *read_all(FILE *f)
{
	char *text = xstrdup("");
	size_t n = 0, got;

	rewind(f);
	do {
		text = xrealloc(text, n + 4096, 1);
		got = fread(text + n, 1, 4095, f);
		n += got;
	} while (got);
	text[n] = 0;
	fclose(f);
	return text;
}

/* Splits in place; returns how many words there are. */
static int split(char *words, char **argv, int max)
{
	char *word;
	int n = 0;

	for (word = strtok(words, " "); word && n < max; word = strtok(NULL, " "))
		argv[n++] = word;
	argv[n] = NULL;
	return n;
}

struct result run_verb(const struct verb *v, struct zcctl z, const char *words)
{
	char *copy = xstrdup(words), *argv[16];
	struct result r = {};
	int argc = split(copy, argv, 15);

	if (!z.root)
		z.root = test_dir;
	z.out = tmpfile();
	z.err = tmpfile();
	r.status = v->run(&z, argc, argv);
	r.out = read_all(z.out);
	r.err = read_all(z.err);
	free(copy);
	return r;
}

/*
 * An independent parser decides; keys must not come twice, as many a parser
 * lets the last one win.
 */
static bool same_json(const char *a, const char *b)
{
	static const char script[] =
		"import json, sys\n"
		"def once(pairs):\n"
		"    assert len(dict(pairs)) == len(pairs), pairs\n"
		"    return dict(pairs)\n"
		"a, b = (json.loads(open(f, 'rb').read().decode('utf-8'),\n"
		"        object_pairs_hook=once) for f in sys.argv[1:])\n"
		"sys.exit(a != b)\n";
	char *path_a = xasprintf("%s/a.json", test_dir);
	char *path_b = xasprintf("%s/b.json", test_dir);
	int status;
	pid_t pid;

	write_file("a.json", a);
	write_file("b.json", b);
	pid = fork();
	if (!pid) {
		dup2(1, 2);
		execlp("python3", "python3", "-c", script, path_a, path_b,
		       (char *)NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	free(path_a);
	free(path_b);
	return !status;
}

struct result run_json(const struct verb *v, struct zcctl z, const char *words)
{
	struct result compact, pretty;

	z.format = FORMAT_JSON;
	compact = run_verb(v, z, words);
	z.format = FORMAT_PRETTY;
	pretty = run_verb(v, z, words);
	CHECK(same_json(compact.out, pretty.out));
	CHECK_EQ(pretty.status, compact.status);
	CHECK(strchr(compact.out, '\n') ==
	      compact.out + strlen(compact.out) - 1);
	result_free(&pretty);
	return compact;
}

static void become_tool(const char *words, FILE *out, FILE *err)
{
	char *argv[17] = { "zcctl" };
	int argc = split(xstrdup(words), argv + 1, 15) + 1;

	fflush(stdout);
	dup2(fileno(out), 1);
	dup2(fileno(err), 2);
	optind = 1;
	_exit(zcctl_main(argc, argv));
}

struct result run_tool(const char *words)
{
	FILE *out = tmpfile(), *err = tmpfile();
	struct result r = {};
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		become_tool(words, out, err);
	waitpid(pid, &status, 0);
	r.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
	r.out = read_all(out);
	r.err = read_all(err);
	return r;
}

void result_free(struct result *r)
{
	free(r->out);
	free(r->err);
}

/* Leaks count: the sanitizer makes the exit status of a leaking case 23. */
static bool run_case(const struct test_case *c)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		test_dir = xasprintf("%s/%s", test_dir, c->name);
		CHECK(!mkdir(test_dir, 0755));
		c->run();
		fflush(stdout);
		exit(failed);
	}
	waitpid(pid, &status, 0);
	if (status && !(WIFEXITED(status) && WEXITSTATUS(status) == 1))
		printf("# ended with status %#x\n", status);
	return !status;
}

static const struct test_case *const groups[] = {
	list_cases, grow_cases, admin_cases, holders_cases, check_cases,
	watch_cases, main_cases, recording_cases, show_cases
};

/* With a word: only the cases whose name has it. */
static bool wanted(const struct test_case *c, char **argv)
{
	return !argv[1] || strstr(c->name, argv[1]);
}

static int run_cases(char **argv)
{
	const struct test_case *c;
	size_t g;
	int n = 0, bad = 0;

	for (g = 0; g < sizeof(groups) / sizeof(groups[0]); g++)
		for (c = groups[g]; c->name; c++)
			n += wanted(c, argv);
	printf("KTAP version 1\n1..%d\n", n);
	n = 0;
	for (g = 0; g < sizeof(groups) / sizeof(groups[0]); g++)
		for (c = groups[g]; c->name; c++)
			if (wanted(c, argv)) {
				bool ok = run_case(c);

				bad += !ok;
				printf("%sok %d zcctl.%s\n", ok ? "" : "not ",
				       ++n, c->name);
			}
	return !n || bad;
}

int main(int argc, char **argv)
{
	char dir[] = "/tmp/zcctl-test.XXXXXX", *remove;
	int status;

	test_dir = mkdtemp(dir);
	if (!test_dir || chmod(dir, 0755)) {
		perror(dir);
		return 1;
	}
	status = run_cases(argv);
	remove = xasprintf("chmod -R u+rwX %s && rm -rf %s", dir, dir);
	if (system(remove))
		status = 1;
	free(remove);
	return status;
}
