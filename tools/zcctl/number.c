// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"

/* At @text; what follows it, or NULL. */
static const char *number_at(const char *text, int base, uint64_t *number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return NULL;
	errno = 0;
	*number = strtoull(text, &end, base);
	return errno ? NULL : end;
}

const char *number_bytes_at(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMGT";
	const char *end = number_at(text, 10, bytes);
	const char *unit = end && *end ? strchr(units, *end) : NULL;
	unsigned int shift;

	if (!unit)
		return end;
	shift = 10 * (unit - units + 1);
	if (*bytes > UINT64_MAX >> shift)
		return NULL;
	*bytes <<= shift;
	end++;
	return strncmp(end, "iB", 2) ? end : end + 2;
}

bool number_bytes(const char *text, uint64_t *bytes)
{
	const char *end = number_bytes_at(text, bytes);

	return end && !*end;
}

bool number_u64(const char *text, uint64_t *number)
{
	const char *end = number_at(text, 10, number);

	return end && !*end;
}

bool number_u32(const char *text, int base, uint32_t *number)
{
	uint64_t n = 0;
	const char *end = number_at(text, base, &n);

	*number = n;
	return end && !*end && n == *number;
}

bool number_thousandths(const char *text, uint64_t *thousandths)
{
	uint64_t whole, part = 0, digit = 100;
	const char *end = number_at(text, 10, &whole);

	if (!end || whole > UINT64_MAX / 1000 - 1)
		return false;
	if (*end == '.')
		for (end++; *end >= '0' && *end <= '9'; end++, digit /= 10)
			part += (*end - '0') * digit;
	*thousandths = whole * 1000 + part;
	return !*end;
}
