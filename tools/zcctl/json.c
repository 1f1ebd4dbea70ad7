// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "json.h"

static void new_line(struct json *j)
{
	if (j->pretty)
		fprintf(j->out, "\n%*s", (int)(2 * j->depth), "");
}

/* Everything that goes into brackets starts with this. */
static void element(struct json *j, const char *key)
{
	if (!j->empty)
		fputc(',', j->out);
	if (j->depth)
		new_line(j);
	j->empty = false;
	if (key)
		fprintf(j->out, j->pretty ? "\"%s\": " : "\"%s\":", key);
}

static void brackets(struct json *j, const char *key, char opening)
{
	element(j, key);
	fputc(opening, j->out);
	j->depth++;
	j->empty = true;
}

static void brackets_end(struct json *j, char closing)
{
	j->depth--;
	if (!j->empty)
		new_line(j);
	fputc(closing, j->out);
	j->empty = false;
}

void json_object(struct json *j, const char *key)
{
	brackets(j, key, '{');
}

void json_object_end(struct json *j)
{
	brackets_end(j, '}');
}

void json_array(struct json *j, const char *key)
{
	brackets(j, key, '[');
}

void json_array_end(struct json *j)
{
	brackets_end(j, ']');
}

struct json json_start(struct zcctl *z)
{
	struct json j = {
		.out = z->out,
		.pretty = z->format == FORMAT_PRETTY,
		.empty = true,
	};

	json_object(&j, NULL);
	return j;
}

void json_end(struct json *j)
{
	json_object_end(j);
	fputc('\n', j->out);
}

/*
 * Bytes of the character at @s, 0 if it is not UTF-8: no overlong forms, no
 * surrogates, nothing above U+10FFFF. The text's final 0 ends every check.
 */
static size_t utf8_length(const unsigned char *s)
{
	static const struct {
		unsigned char first, last;	/* lead byte */
		unsigned char low, high;	/* second byte */
		unsigned char length;
	} form[] = {
		{ 0x01, 0x7f, 0x00, 0xff, 1 },
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	size_t f = 0, i;

	while (s[0] < form[f].first || s[0] > form[f].last)
		if (++f == sizeof(form) / sizeof(form[0]))
			return 0;
	if (s[1] < form[f].low || s[1] > form[f].high)
		return 0;
	for (i = 2; i < form[f].length; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	return form[f].length;
}

/* Writes the character at @s and returns how many bytes that were. */
static size_t put_char(FILE *out, const unsigned char *s)
{
	size_t n = utf8_length(s);

	if (!n) {
		fputs("\\ufffd", out);
		return 1;
	}
	if (*s == '"' || *s == '\\')
		fprintf(out, "\\%c", *s);
	else if (*s < 0x20 || *s == 0x7f)
		fprintf(out, "\\u%04x", *s);
	else
		fwrite(s, 1, n, out);
	return n;
}

void json_text(struct json *j, const char *key, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	element(j, key);
	fputc('"', j->out);
	while (*s)
		s += put_char(j->out, s);
	fputc('"', j->out);
}

void json_number(struct json *j, const char *key, uint64_t value)
{
	element(j, key);
	fprintf(j->out, "%" PRIu64, value);
}

void json_handle(struct json *j, const char *key, uint64_t value)
{
	element(j, key);
	fprintf(j->out, "\"0x%" PRIx64 "\"", value);
}

void json_bool(struct json *j, const char *key, bool value)
{
	element(j, key);
	fputs(value ? "true" : "false", j->out);
}

void json_null(struct json *j, const char *key)
{
	element(j, key);
	fputs("null", j->out);
}
