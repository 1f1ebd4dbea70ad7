/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * json.h: is it JSON, and what does it say? json_flatten() turns a text into
 * lines of "path=value", so that looking something up is looking for a line:
 *
 *	{"pools":[{"name":"a","used":1}]}	pools.0.name="a"
 *						pools.0.used=1
 *
 * It takes what RFC 8259 allows and nothing else. Values stay as they are
 * written, strings with their quotes and escapes; an empty array is "[]", an
 * empty object "{}".
 */
#ifndef ZCBUF_SELFTEST_JSON_H
#define ZCBUF_SELFTEST_JSON_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON_PATH	512
#define JSON_DEPTH	32

struct json_state {
	const char *p;
	FILE *out;
	char path[JSON_PATH];
	size_t len;			/* of path */
	int depth;
};

static int json_value(struct json_state *s);

static __inline__ void json_blanks(struct json_state *s)
{
	s->p += strspn(s->p, " \t\r\n");
}

/* Takes @c if it is next. */
static __inline__ int json_take(struct json_state *s, char c)
{
	json_blanks(s);
	if (*s->p != c)
		return 0;
	s->p++;
	return 1;
}

static __inline__ int json_escape(struct json_state *s)
{
	static const char hex[] = "0123456789abcdefABCDEF";

	if (*s->p != 'u')
		return *s->p && strchr("\"\\/bfnrt", *s->p++);
	if (strspn(++s->p, hex) < 4)
		return 0;
	s->p += 4;
	return 1;
}

/* The string at p; [start, p) is it, with its quotes. */
static __inline__ int json_string(struct json_state *s, const char **start)
{
	*start = s->p;
	if (*s->p != '"')
		return 0;
	s->p++;
	while (*s->p != '"') {
		if ((unsigned char)*s->p < 0x20)
			return 0;
		if (*s->p++ == '\\' && !json_escape(s))
			return 0;
	}
	s->p++;
	return 1;
}

static __inline__ int json_digits(struct json_state *s)
{
	size_t n = strspn(s->p, "0123456789");

	s->p += n;
	return n > 0;
}

static __inline__ int json_number(struct json_state *s)
{
	s->p += *s->p == '-';
	if (s->p[0] == '0' && s->p[1] >= '0' && s->p[1] <= '9')
		return 0;
	if (!json_digits(s))
		return 0;
	if (*s->p == '.' && (s->p++, !json_digits(s)))
		return 0;
	if (*s->p != 'e' && *s->p != 'E')
		return 1;
	s->p++;
	s->p += *s->p == '+' || *s->p == '-';
	return json_digits(s);
}

static __inline__ int json_word(struct json_state *s, const char *word)
{
	if (strncmp(s->p, word, strlen(word)))
		return 0;
	s->p += strlen(word);
	return 1;
}

static __inline__ int json_scalar(struct json_state *s)
{
	const char *start = s->p, *string;
	int ok;

	if (*s->p == '"')
		ok = json_string(s, &string);
	else
		ok = json_word(s, "true") || json_word(s, "false") ||
		     json_word(s, "null") || json_number(s);
	fprintf(s->out, "%s=%.*s\n", s->path, (int)(s->p - start), start);
	return ok;
}

/* The value of one member, whose name is [@name, @name + @n). */
static __inline__ int json_member(struct json_state *s, const char *name, int n)
{
	size_t len = s->len;
	int ok;

	s->len += snprintf(s->path + len, JSON_PATH - len, "%s%.*s",
			   len ? "." : "", n, name);
	ok = s->len < JSON_PATH && json_value(s);
	s->len = len;
	s->path[len] = 0;
	return ok;
}

static __inline__ int json_object(struct json_state *s)
{
	const char *name, *end;

	if (json_take(s, '}'))
		return fprintf(s->out, "%s={}\n", s->path) > 0;
	do {
		json_blanks(s);
		if (!json_string(s, &name))
			return 0;
		end = s->p;
		if (!json_take(s, ':') ||
		    !json_member(s, name + 1, end - name - 2))
			return 0;
	} while (json_take(s, ','));
	return json_take(s, '}');
}

static __inline__ int json_array(struct json_state *s)
{
	char index[16];
	int i = 0, n;

	if (json_take(s, ']'))
		return fprintf(s->out, "%s=[]\n", s->path) > 0;
	do {
		n = snprintf(index, sizeof(index), "%d", i++);
		if (!json_member(s, index, n))
			return 0;
	} while (json_take(s, ','));
	return json_take(s, ']');
}

static int json_value(struct json_state *s)
{
	int ok;

	json_blanks(s);
	if (++s->depth > JSON_DEPTH)
		return 0;
	if (json_take(s, '{'))
		ok = json_object(s);
	else if (json_take(s, '['))
		ok = json_array(s);
	else
		ok = json_scalar(s);
	s->depth--;
	return ok;
}

/* Memory from malloc(), or NULL: not JSON. */
static __inline__ char *json_flatten(const char *text)
{
	struct json_state s = { .p = text };
	char *flat = NULL;
	size_t size;
	int ok;

	s.out = open_memstream(&flat, &size);
	if (!s.out)
		return NULL;
	ok = json_value(&s);
	json_blanks(&s);
	if (*s.p)
		ok = 0;
	fclose(s.out);
	if (ok)
		return flat;
	free(flat);
	return NULL;
}

/* What is behind "path=", up to the end of the text; NULL if there is none. */
static __inline__ const char *json_find(const char *flat, const char *path)
{
	size_t n = strlen(path);

	while (flat && *flat) {
		if (!strncmp(flat, path, n) && flat[n] == '=')
			return flat + n + 1;
		flat = strchr(flat, '\n');
		if (flat)
			flat++;
	}
	return NULL;
}

/* The value as written, into @buf, "" if there is none. */
static __inline__ const char *json_get(const char *flat, const char *path,
				       char *buf, size_t size)
{
	const char *value = json_find(flat, path);

	buf[0] = 0;
	if (value)
		snprintf(buf, size, "%.*s", (int)strcspn(value, "\n"), value);
	return buf;
}

#endif /* ZCBUF_SELFTEST_JSON_H */
