// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <string.h>

#include "words.h"

static const struct word_option *find(const struct word_option *options,
				      const char *name, size_t length)
{
	for (; options->name; options++)
		if (strlen(options->name) == length &&
		    !strncmp(options->name, name, length))
			return options;
	return NULL;
}

/* "--name" or "--name=value", as main.c writes them. */
static int read_option(struct zcctl *z, const struct word_option *options,
		       void *of, const char *text)
{
	size_t length = strcspn(text + 2, "=");
	const struct word_option *o = find(options, text + 2, length);
	const char *value = text[2 + length] ? text + 2 + length + 1 : NULL;
	void *at;

	if (!o || !value != !o->read)
		return EXIT_USAGE;
	at = (char *)of + o->at;
	if (!value)
		*(bool *)at = true;
	else if (!o->read(value, at))
		return zcctl_fail(z, EXIT_ERROR, "--%s: cannot be '%s'",
				  o->name, value);
	return EXIT_OK;
}

int words_read(struct zcctl *z, const struct word_option *options, void *of,
	       int argc, char **argv, const char **word, int least, int most)
{
	int i, n = 0, status;

	for (i = 0; i < argc; i++) {
		if (strncmp(argv[i], "--", 2)) {
			if (n == most)
				return EXIT_USAGE;
			word[n++] = argv[i];
			continue;
		}
		status = read_option(z, options, of, argv[i]);
		if (status)
			return status;
	}
	return n < least ? EXIT_USAGE : EXIT_OK;
}
