// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* The command line of ingest; what it is all about stands in ingest.h. */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingest.h"
#include "worker.h"

static const char usage_text[] =
"usage: ingest [OPTION]... PATH...\n"
"\n"
"Puts all regular files among and below PATHs into one output file, without\n"
"copying a byte in user space: several processes read() them into memory of a\n"
"zcbuf pool, another one writes that memory with io_uring and O_DIRECT. Then it\n"
"reads the output back and compares it with the files. Symbolic links below\n"
"PATHs are not followed.\n"
"\n"
"  --producers N      processes that read (default 4, at most 64)\n"
"  --threshold BYTES  size of a group; K, M and G may follow (default 1M)\n"
"  --out FILE         the output, on a file system that can do O_DIRECT\n"
"                     (default ingest.out)\n"
"  --manifest FILE    says where every file is in the output, one line each:\n"
"                     STATE OFFSET LENGTH CHECK PATH\n"
"                     (default ingest.manifest)\n"
"  --kill             kill a producer that has reserved memory and has not\n"
"                     written it, and see that nothing else is lost\n"
"  --help             this text\n"
"\n"
"The last line is \"ingest: OK files=N bytes=N groups=N failed=N\", and the exit\n"
"status is 0, if all files are intact in the output, those a killed producer\n"
"was reading excepted: failed counts these. Otherwise the exit status is 1, or\n"
"2 if the command line was wrong.\n";

void complain(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	flockfile(stderr);
	va_start(args, format);
	fputs("ingest: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	funlockfile(stderr);
}

int call_failed(const char *what, int err)
{
	complain("%s: %s", what, zcbuf_strerror(err));
	return err;
}

static bool parse_number(const char *arg, uint64_t max, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(arg, &end, 10);
	return !errno && *arg >= '0' && *arg <= '9' && !*end && *number &&
	       *number <= max;
}

static unsigned int unit_shift(char unit)
{
	switch (unit) {
	case 'K':
		return 10;
	case 'M':
		return 20;
	case 'G':
		return 30;
	default:
		return 0;
	}
}

static bool parse_bytes(const char *arg, uint64_t *bytes)
{
	size_t length = strlen(arg);
	unsigned int shift = length ? unit_shift(arg[length - 1]) : 0;
	char number[24];

	if (length >= sizeof(number))
		return false;
	memcpy(number, arg, length + 1);
	if (shift)
		number[length - 1] = 0;
	if (!parse_number(number, UINT64_MAX >> shift, bytes))
		return false;
	*bytes <<= shift;
	return true;
}

static bool parse_option(struct options *options, int option)
{
	uint64_t number = 0;

	switch (option) {
	case 'p':
		if (!parse_number(optarg, MAX_PRODUCERS, &number)) {
			complain("--producers: not a number from 1 to %d: %s",
				 MAX_PRODUCERS, optarg);
			return false;
		}
		options->producers = number;
		return true;
	case 't':
		if (!parse_bytes(optarg, &options->threshold)) {
			complain("--threshold: not a size: %s", optarg);
			return false;
		}
		return true;
	case 'o':
		options->out = optarg;
		return true;
	case 'm':
		options->manifest = optarg;
		return true;
	case 'k':
		options->kill = true;
		return true;
	default:
		return false;
	}
}

static int wrong_usage(const char *why)
{
	if (why)
		complain("%s", why);
	fputs("Try: ingest --help\n", stderr);
	return INGEST_USAGE;
}

static int run(int argc, char **argv)
{
	static const struct option table[] = {
		{ "producers", required_argument, NULL, 'p' },
		{ "threshold", required_argument, NULL, 't' },
		{ "out", required_argument, NULL, 'o' },
		{ "manifest", required_argument, NULL, 'm' },
		{ "kill", no_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 }
	};
	struct options options = {
		.producers = 4,
		.threshold = MIB,
		.out = "ingest.out",
		.manifest = "ingest.manifest",
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", table, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage_text, stdout);
			return INGEST_OK;
		}
		if (!parse_option(&options, option))
			return wrong_usage(NULL);
	}
	if (optind == argc)
		return wrong_usage("which files?");
	if (options.kill && options.producers < 2)
		return wrong_usage("--kill needs at least 2 producers");
	options.paths = argv + optind;
	return coordinator_main(&options);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == NR_ARGS + 2 && !strcmp(argv[1], "--as-producer"))
		return producer_main(argv + 2);
	if (argc == NR_ARGS + 2 && !strcmp(argv[1], "--as-consumer"))
		return consumer_main(argv + 2);
	return run(argc, argv);
}
