/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* The arguments of a verb: words, and options of its own behind them. */
#ifndef ZCCTL_WORDS_H
#define ZCCTL_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "zcctl.h"

/**
 * struct word_option - an option
 * @name: without its dashes
 * @read: takes its value into what is @at bytes behind the verb's own struct; false
 *	if that makes no sense. NULL: it has none, and sets a bool.
 * @at: where
 */
struct word_option {
	const char *name;
	bool (*read)(const char *text, uint64_t *value);
	size_t at;
};

/*
 * words_read() - @least to @most words into @word, and options, which end with an
 * empty one, into @of. Returns an enum zcctl_exit.
 */
int words_read(struct zcctl *z, const struct word_option *options, void *of,
	       int argc, char **argv, const char **word, int least, int most);

#endif /* ZCCTL_WORDS_H */
