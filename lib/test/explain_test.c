// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Every error the manuals name has a line of its own that says what to do. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <zcbuf/zcbuf.h>

#include "test.h"

#define MAX_ERRNO	4095

static int errno_of(const char *name)
{
	const char *known;
	int e;

	for (e = 1; e <= MAX_ERRNO; e++) {
		known = strerrorname_np(e);
		if (known && !strcmp(known, name))
			return e;
	}
	return 0;
}

static bool unknown(int err)
{
	return strstr(zcbuf_strerror(err), "outside zcbuf's vocabulary");
}

/* Words that look like an errno and are one. */
static unsigned int explained_in(const char *path)
{
	FILE *file = fopen(path, "r");
	unsigned int found = 0;
	char word[32];
	int e;

	if (!file) {
		test_check(false, __FILE__, __LINE__, "no %s", path);
		return 0;
	}
	while (fscanf(file, "%31[A-Z0-9_a-z]%*[^A-Z0-9_a-z]", word) != EOF) {
		/* What no word starts with: skip it, scanf stopped there. */
		if (!word[0])
			fscanf(file, "%*[^A-Z0-9_a-z]");
		e = word[0] == 'E' ? errno_of(word) : 0;
		if (e)
			found++;
		if (e && unknown(e))
			test_check(false, __FILE__, __LINE__,
				   "%s, named in %s, is not explained", word,
				   path);
		word[0] = '\0';
	}
	fclose(file);
	return found;
}

static void manuals(void)
{
	EXPECT(explained_in(UAPI_HEADER) > 50);
	EXPECT(explained_in(LIB_HEADER) > 50);
	EXPECT(explained_in(ALIGNED_HEADER) > 20);
	EXPECT(explained_in(RECORDS_HEADER) > 20);
	EXPECT(explained_in(MALLOC_HEADER) > 2);
	EXPECT(explained_in(DIAG_HEADER) > 5);
	EXPECT(explained_in(CACHE_HEADER) > 4);
	EXPECT(explained_in(TOPIC_HEADER) > 30);
	EXPECT(explained_in(TPOOL_HEADER) > 20);
	EXPECT(explained_in(URING_HEADER) > 30);
}

static void vocabulary(void)
{
	static const int errors[] = {
		EINVAL, EOPNOTSUPP, E2BIG, ENOENT, ESTALE, EALREADY, EBADSLT,
		EPERM, EMSGSIZE, EFBIG, ERANGE, ENOSPC, ENOMEM, EAGAIN, EEXIST,
		EBUSY, ETIMEDOUT, EINTR, EPIPE, ESHUTDOWN, EMFILE, EFAULT,
		ENODEV, EACCES, EBADF, ENOTTY, EPROTONOSUPPORT,
	};
	unsigned int i;
	unsigned int j;

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		const char *text = zcbuf_strerror(-errors[i]);

		test_check(!unknown(errors[i]), __FILE__, __LINE__,
			   "%s is not explained", strerrorname_np(errors[i]));
		EXPECT(text == zcbuf_strerror(errors[i]));
		EXPECT(!strchr(text, '\n'));
		EXPECT(strlen(text) < 140);
		/* Meaning, then remedy. */
		EXPECT(strchr(text, ':'));
		for (j = 0; j < i; j++)
			EXPECT(strcmp(text, zcbuf_strerror(errors[j])));
	}
}

static void others(void)
{
	EXPECT(!strcmp(zcbuf_strerror(0), "no error"));
	EXPECT(unknown(MAX_ERRNO));
	EXPECT(unknown(INT_MAX));
	EXPECT(unknown(INT_MIN));
	EXPECT(strstr(zcbuf_strerror(-ENODEV), "modprobe"));
}

static void shortages(void)
{
	static const __u32 whys[] = {
		0, ZCBUF_WHY_MEMORY, ZCBUF_WHY_LIMIT, ZCBUF_WHY_QUEUE,
		ZCBUF_WHY_NO_CONSUMER, 1U << 31,
	};
	unsigned int i;
	unsigned int j;

	for (i = 0; i < ARRAY_SIZE(whys); i++) {
		const char *text = zcbuf_strwhy(whys[i]);

		EXPECT(!strchr(text, '\n'));
		EXPECT(strlen(text) < 140);
		for (j = 0; j < i; j++)
			EXPECT(strcmp(text, zcbuf_strwhy(whys[j])));
	}
	/* Who is to take it says more than what is used up. */
	EXPECT(zcbuf_strwhy(ZCBUF_WHY_MEMORY | ZCBUF_WHY_QUEUE) ==
	       zcbuf_strwhy(ZCBUF_WHY_QUEUE));
	EXPECT(zcbuf_strwhy(ZCBUF_WHY_LIMIT | ZCBUF_WHY_NO_CONSUMER) ==
	       zcbuf_strwhy(ZCBUF_WHY_NO_CONSUMER));
	EXPECT(zcbuf_strwhy(1U << 31 | ZCBUF_WHY_LIMIT) ==
	       zcbuf_strwhy(ZCBUF_WHY_LIMIT));
}

static const struct test_case cases[] = {
	CASE(manuals),
	CASE(vocabulary),
	CASE(others),
	CASE(shortages),
};

TEST_MAIN(cases)
