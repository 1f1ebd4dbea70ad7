// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* zcctl: look at zcbuf, and manage its pools. Options and the table of verbs. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <linux/zcbuf.h>

#include "zcctl.h"

static int run_help(struct zcctl *z, int argc, char **argv);

static const struct verb verb_help = {
	.name = "help",
	.args = "[VERB]",
	.summary = "this text, or what VERB does",
	.help = "",
	.run = run_help,
};

static const struct verb *const verbs[] = {
	&verb_pool,
	&verb_session,
	&verb_channel,
	&verb_holders,
	&verb_record,
	&verb_show,
	&verb_replay,
	&verb_check,
	&verb_help,
};

#define OWN	256	/* of an option that is a verb's own */
#define NVERBS	(sizeof(verbs) / sizeof(verbs[0]))

static void usage(FILE *out)
{
	size_t i;

	fputs("usage: zcctl [-j|-p] [-b] VERB [ARG]...\n\n", out);
	for (i = 0; i < NVERBS; i++)
		fprintf(out, "  %-9s%-29s %s\n", verbs[i]->name, verbs[i]->args,
			verbs[i]->summary);
	fputs("\n"
	      "  -j, --json    JSON, on one line\n"
	      "  -p, --pretty  JSON, for people\n"
	      "  -b, --bytes   sizes in bytes\n"
	      "  -h, --help    help on a verb, or this text\n"
	      "  -V, --version the version\n\n"
	      "Exit status: 0 done, 1 error, 2 wrong usage, 3 module not loaded.\n",
	      out);
}

static void verb_usage(FILE *out, const struct verb *v)
{
	fprintf(out, "usage: zcctl [-j|-p] [-b] %s%s%s\n\n%s", v->name,
		*v->args ? " " : "", v->args, v->help);
}

static const struct verb *find_verb(const char *name)
{
	size_t i;

	for (i = 0; i < NVERBS; i++)
		if (!strcmp(verbs[i]->name, name))
			return verbs[i];
	return NULL;
}

static int no_verb(struct zcctl *z, const char *name)
{
	return zcctl_fail(z, EXIT_USAGE, "unknown verb '%s'; try: zcctl help",
			  name);
}

static int run_help(struct zcctl *z, int argc, char **argv)
{
	const struct verb *v;

	if (argc > 1)
		return EXIT_USAGE;
	if (!argc) {
		usage(z->out);
		return EXIT_OK;
	}
	v = find_verb(argv[0]);
	if (!v)
		return no_verb(z, argv[0]);
	verb_usage(z->out, v);
	return EXIT_OK;
}

static int run_verb(struct zcctl *z, int argc, char **argv)
{
	const struct verb *v = find_verb(argv[0]);
	int status;

	if (!v)
		return no_verb(z, argv[0]);
	status = v->run(z, argc - 1, argv + 1);
	if (status == EXIT_USAGE)
		zcctl_fail(z, EXIT_USAGE, "usage: zcctl [-j|-p] [-b] %s%s%s",
			   v->name, *v->args ? " " : "", v->args);
	return status;
}

/*
 * Options of single verbs. Those find them behind their arguments, as --name or
 * --name=value.
 */
static char **add_option(char **argv, int argc, const char *name,
			 const char *value)
{
	argv = xrealloc(argv, argc + 1, sizeof(*argv));
	argv[argc] = value ? xasprintf("--%s=%s", name, value) :
			     xasprintf("--%s", name);
	return argv;
}

static int run_with(struct zcctl *z, int argc, char **argv, int nown,
		    char **own)
{
	char **all = xrealloc(NULL, argc + nown, sizeof(*all));
	int status;

	memcpy(all, argv, argc * sizeof(*all));
	if (nown)
		memcpy(all + argc, own, nown * sizeof(*all));
	status = run_verb(z, argc + nown, all);
	free(all);
	return status;
}

static int run(struct zcctl *z, bool help, int argc, char **argv, int nown,
	       char **own)
{
	if (help)
		return run_help(z, argc ? 1 : 0, argv);
	if (argc)
		return run_with(z, argc, argv, nown, own);
	usage(z->err);
	return EXIT_USAGE;
}

/* What was printed may be lost in the end only, say on a full disk. */
static int flush(struct zcctl *z, int status)
{
	if (!fflush(z->out) && !ferror(z->out))
		return status;
	/* A reader that has seen enough, as head does, is no failure. */
	if (errno == EPIPE)
		return status;
	fprintf(z->err, "zcctl: cannot write: %s\n", strerror(errno));
	return EXIT_ERROR;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json",	no_argument, NULL, 'j' },
		{ "pretty",	no_argument, NULL, 'p' },
		{ "bytes",	no_argument, NULL, 'b' },
		{ "help",	no_argument, NULL, 'h' },
		{ "version",	no_argument, NULL, 'V' },
		{ "size",	required_argument, NULL, OWN },
		{ "max-size",	required_argument, NULL, OWN },
		{ "kind",	required_argument, NULL, OWN },
		{ "class",	required_argument, NULL, OWN },
		{ "huge",	required_argument, NULL, OWN },
		{ "node",	required_argument, NULL, OWN },
		{ "interleave",	no_argument, NULL, OWN },
		{ "mode",	required_argument, NULL, OWN },
		{ "owner",	required_argument, NULL, OWN },
		{ "persistent",	no_argument, NULL, OWN },
		{ "auto-grow",	no_argument, NULL, OWN },
		{ "shared-pages", no_argument, NULL, OWN },
		{ "no-zero-on-reuse", no_argument, NULL, OWN },
		{ "now",	no_argument, NULL, OWN },
		{ "wait",	no_argument, NULL, OWN },
		{ "cancel",	no_argument, NULL, OWN },
		{ "count",	required_argument, NULL, OWN },
		{ "duration",	required_argument, NULL, OWN },
		{ "max-bytes",	required_argument, NULL, OWN },
		{ "depth",	required_argument, NULL, OWN },
		{ "block",	no_argument, NULL, OWN },
		{ "force",	no_argument, NULL, OWN },
		{ "hex",	required_argument, NULL, OWN },
		{ "speed",	required_argument, NULL, OWN },
		{ "fast",	no_argument, NULL, OWN },
		{ "loop",	required_argument, NULL, OWN },
		{}
	};
	struct zcctl z = { .root = "", .out = stdout, .err = stderr };
	int c, at, status, nown = 0;
	char **own = NULL;
	bool help = false;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);	/* a file that may not grow is an error */
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":jpbhV", options, &at)) != -1) {
		switch (c) {
		case 'j':
			z.format = FORMAT_JSON;
			break;
		case 'p':
			z.format = FORMAT_PRETTY;
			break;
		case 'b':
			z.bytes = true;
			break;
		case 'h':
			help = true;
			break;
		case OWN:
			own = add_option(own, nown++, options[at].name, optarg);
			break;
		case 'V':
			printf("zcctl %d.%d.%d\n", ZCBUF_VERSION_MAJOR,
			       ZCBUF_VERSION_MINOR, ZCBUF_VERSION_PATCH);
			return flush(&z, EXIT_OK);
		case ':':
			return flush(&z, zcctl_fail(&z, EXIT_USAGE,
						    "option '%s' needs a value",
						    argv[optind - 1]));
		default:
			return flush(&z, zcctl_fail(&z, EXIT_USAGE,
						    "unknown option '%s'; try: zcctl help",
						    argv[optind - 1]));
		}
	}
	status = run(&z, help, argc - optind, argv + optind, nown, own);
	while (nown)
		free(own[--nown]);
	free(own);
	return flush(&z, status);
}
