// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Errors and memory. */
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "zcctl.h"

int zcctl_fail(struct zcctl *z, int status, const char *format, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	fprintf(z->err, "zcctl: %s\n", text);
	if (z->format != FORMAT_TABLE) {
		struct json j = json_start(z);

		json_text(&j, "error", text);
		json_end(&j);
	}
	return status;
}

static void *check(void *p)
{
	if (!p) {
		fputs("zcctl: out of memory\n", stderr);
		exit(EXIT_ERROR);
	}
	return p;
}

void *xrealloc(void *p, size_t n, size_t size)
{
	return check(reallocarray(p, n ? n : 1, size));
}

char *xstrdup(const char *s)
{
	return check(strdup(s));
}

char *xasprintf(const char *format, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, format);
	n = vasprintf(&s, format, ap);
	va_end(ap);
	return check(n < 0 ? NULL : s);
}
