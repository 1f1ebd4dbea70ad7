// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "show.h"
#include "table.h"

/* "1.5MiB": no blank, so that columns stay columns; at most one digit lost. */
char *show_bytes(const struct zcctl *z, uint64_t bytes)
{
	static const char *const unit[] = {
		"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"
	};
	uint64_t tenths;
	int u = 0;

	if (z->bytes)
		return xasprintf("%" PRIu64, bytes);
	if (bytes < 1024)
		return xasprintf("%" PRIu64 "B", bytes);
	while (bytes >> 10 * (u + 1) >= 1024)
		u++;
	tenths = (bytes >> 10 * u) * 10 / 1024;
	if (bytes & ((1ULL << 10 * (u + 1)) - 1))
		return xasprintf("%" PRIu64 ".%" PRIu64 "%s", tenths / 10,
				 tenths % 10, unit[u]);
	return xasprintf("%" PRIu64 "%s", tenths / 10, unit[u]);
}

char *show_text(const char *text)
{
	char *s = xstrdup(text), *p;

	for (p = s; *p; p++)
		if (*p < 0x20 || *p > 0x7e)
			*p = '?';
	return s;
}

static char *show_age(uint64_t ns)
{
	uint64_t s = ns / 1000000000;

	if (s < 60)
		return xasprintf("%" PRIu64 ".%" PRIu64 "s", s,
				 ns / 100000000 % 10);
	if (s < 3600)
		return xasprintf("%" PRIu64 "m%02" PRIu64 "s", s / 60, s % 60);
	if (s < 86400)
		return xasprintf("%" PRIu64 "h%02" PRIu64 "m", s / 3600,
				 s / 60 % 60);
	return xasprintf("%" PRIu64 "d%02" PRIu64 "h", s / 86400,
			 s / 3600 % 24);
}

static const struct record *find_pool(const struct records *pools,
				      uint64_t handle)
{
	size_t i;

	for (i = 0; i < pools->n; i++)
		if (pools->v[i].num[ZCBUF_A_POOL_HANDLE] == handle)
			return &pools->v[i];
	return NULL;
}

char *show_pool(const struct records *pools, uint64_t handle)
{
	const struct record *r = find_pool(pools, handle);

	if (r && r->text)
		return show_text(r->text);
	return xasprintf("0x%" PRIx64, handle);
}

static const char *label_of(const struct field *f, const struct record *r)
{
	const char *label = r->label[f->attr - ZCBUF_A_CHANNEL_DOMAIN];

	return label ? label : "";
}

/* "service/instance/event", with the domain before it if there is one. */
static char *show_name(const struct record *r)
{
	char *s = xstrdup(""), *longer;
	size_t i;

	for (i = 0; i < RECORD_LABELS; i++) {
		if (!r->label[i] || (!i && !*r->label[i]))
			continue;
		longer = xasprintf("%s%s%s", s, *s ? "/" : "", r->label[i]);
		free(s);
		s = longer;
	}
	longer = show_text(*s ? s : "-");
	free(s);
	return longer;
}

/* The name of value or bit @n, if it has one. */
static const char *name_of(const struct field *f, uint64_t n)
{
	uint64_t i;

	for (i = 0; f->names[i]; i++)
		if (i == n)
			return f->names[i];
	return NULL;
}

static char *show_flags(const struct field *f, uint64_t value)
{
	char *s = xstrdup(""), *longer;
	const char *name;
	int bit;

	for (bit = 0; bit < 64; bit++) {
		if (!(value >> bit & 1))
			continue;
		name = name_of(f, bit);
		longer = name ? xasprintf("%s%s%s", s, *s ? "," : "", name) :
				xasprintf("%s%s%#llx", s, *s ? "," : "",
					  1ULL << bit);
		free(s);
		s = longer;
	}
	return s;
}

/* Like "rwpc-"; rights without a letter come behind in hex. */
static char *show_rights(uint64_t value)
{
	static const char letters[] = "rwpca";
	char s[sizeof(letters)];
	size_t i;

	for (i = 0; letters[i]; i++)
		s[i] = value >> i & 1 ? letters[i] : '-';
	s[i] = 0;
	value = value >> i << i;
	return value ? xasprintf("%s+%#" PRIx64, s, value) : xstrdup(s);
}

static char *show_choice(const struct field *f, uint64_t value)
{
	const char *name = name_of(f, value);

	return name ? xstrdup(name) : xasprintf("unknown(%" PRIu64 ")", value);
}

static bool missing(const struct field *f, const struct record *r)
{
	if (f->show == SHOW_YES)
		return false;
	if (f->show == SHOW_PID && !r->num[f->attr])
		return true;
	if (f->show == SHOW_CGROUP)
		return !r->cgroup;
	return !record_has(r, f->attr);
}

char *show_value(const struct zcctl *z, const struct field *f,
		 const struct record *r, const struct records *pools)
{
	uint64_t value = r->num[f->attr];

	if (missing(f, r))
		return xstrdup("-");
	switch (f->show) {
	case SHOW_HANDLE:
		return xasprintf("0x%" PRIx64, value);
	case SHOW_POOL:
		return show_pool(pools, value);
	case SHOW_TEXT:
		return show_text(r->text);
	case SHOW_CGROUP:
		return show_text(r->cgroup);
	case SHOW_LABEL:
		return show_text(label_of(f, r));
	case SHOW_TOPIC:
		return show_choice(f, !!(value & ZCBUF_CHANNEL_F_TOPIC));
	case SHOW_BYTES:
		return show_bytes(z, value);
	case SHOW_AGE:
		return show_age(value);
	case SHOW_MODE:
		return xasprintf("%04" PRIo64, value);
	case SHOW_CHOICE:
		return show_choice(f, value);
	case SHOW_FLAGS:
		return value ? show_flags(f, value) : xstrdup("-");
	case SHOW_RIGHTS:
		return show_rights(value);
	case SHOW_YES:
		return xstrdup(value ? "yes" : "-");
	case SHOW_COUNT:
	case SHOW_PID:
		break;
	}
	return xasprintf("%" PRIu64, value);
}

const struct field *show_field(const struct spec *spec, int attr)
{
	size_t i;

	for (i = 0; i < spec->nfields; i++)
		if (spec->field[i].attr == attr)
			return &spec->field[i];
	return NULL;
}

static void json_flags(struct json *j, const struct field *f, uint64_t value)
{
	const char *name;
	int bit;

	json_array(j, f->key);
	for (bit = 0; bit < 64; bit++) {
		if (!(value >> bit & 1))
			continue;
		name = name_of(f, bit);
		if (name)
			json_text(j, NULL, name);
		else
			json_handle(j, NULL, 1ULL << bit);
	}
	json_array_end(j);
}

static void json_text_free(struct json *j, const char *key, char *text)
{
	json_text(j, key, text);
	free(text);
}

static void json_pool(struct json *j, const struct field *f, uint64_t handle,
		      const struct records *pools)
{
	const struct record *r = find_pool(pools, handle);

	json_handle(j, f->key, handle);
	if (r && r->text)
		json_text(j, "pool_name", r->text);
	else
		json_null(j, "pool_name");
}

static void json_field(struct json *j, const struct field *f,
		       const struct record *r, const struct records *pools)
{
	uint64_t value = r->num[f->attr];

	if (missing(f, r)) {
		json_null(j, f->key);
		return;
	}
	switch (f->show) {
	case SHOW_HANDLE:
		json_handle(j, f->key, value);
		break;
	case SHOW_POOL:
		json_pool(j, f, value, pools);
		break;
	case SHOW_TEXT:
		json_text(j, f->key, r->text);
		break;
	case SHOW_CGROUP:
		json_text(j, f->key, r->cgroup);
		break;
	case SHOW_LABEL:
		json_text(j, f->key, label_of(f, r));
		break;
	case SHOW_TOPIC:
		json_text(j, f->key,
			  name_of(f, !!(value & ZCBUF_CHANNEL_F_TOPIC)));
		break;
	case SHOW_MODE:
		json_text_free(j, f->key, xasprintf("%04" PRIo64, value));
		break;
	case SHOW_CHOICE:
		json_text_free(j, f->key, show_choice(f, value));
		break;
	case SHOW_FLAGS:
	case SHOW_RIGHTS:
		json_flags(j, f, value);
		break;
	case SHOW_YES:
		json_bool(j, f->key, value);
		break;
	case SHOW_COUNT:
	case SHOW_PID:
	case SHOW_BYTES:
	case SHOW_AGE:
		json_number(j, f->key, value);
		break;
	}
}

static void json_class(struct json *j, const struct pool_class *c)
{
	json_object(j, NULL);
	json_number(j, "length", c->length);
	json_number(j, "used", c->used);
	json_number(j, "total", c->total);
	if (c->fixed)
		json_number(j, "min_free", c->min_free);
	else
		json_null(j, "min_free");
	if (c->leased)
		json_number(j, "waste", c->waste);
	else
		json_null(j, "waste");
	json_object_end(j);
}

/* An arena is within its pool and need not say which that is. */
static void json_arena(struct json *j, const struct record *arena)
{
	const struct field *f = arena_spec.field;
	size_t i;

	json_object(j, NULL);
	for (i = 0; i < arena_spec.nfields; i++)
		if (f[i].attr != arena_spec.pool)
			json_field(j, &f[i], arena, NULL);
	json_object_end(j);
}

/* What there are several of; "arenas" is already how many. */
static void json_lists(struct json *j, const struct record *r)
{
	size_t i;

	json_array(j, "free_blocks");
	for (i = 0; i < r->norders; i++) {
		json_object(j, NULL);
		json_number(j, "size", 4096ULL << i);
		json_number(j, "count", r->order_free[i]);
		json_object_end(j);
	}
	json_array_end(j);
	json_array(j, "classes");
	for (i = 0; i < r->nclasses; i++)
		json_class(j, &r->class[i]);
	json_array_end(j);
	json_array(j, "arena_list");
	for (i = 0; i < r->narenas; i++)
		json_arena(j, &r->arena[i]);
	json_array_end(j);
}

void show_json(struct json *j, const struct spec *spec, const struct record *r,
	       const struct records *pools)
{
	size_t i;

	for (i = 0; i < spec->nfields; i++)
		json_field(j, &spec->field[i], r, pools);
	if (spec == &pool_spec)
		json_lists(j, r);
}

static void list_json(struct zcctl *z, const struct spec *spec,
		      const struct records *all, const struct records *pools)
{
	struct json j = json_start(z);
	size_t i;

	json_array(&j, spec->plural);
	for (i = 0; i < all->n; i++) {
		json_object(&j, NULL);
		show_json(&j, spec, &all->v[i], pools);
		json_object_end(&j);
	}
	json_array_end(&j);
	json_end(&j);
}

static bool is_number(enum show show)
{
	return show == SHOW_COUNT || show == SHOW_BYTES || show == SHOW_AGE ||
	       show == SHOW_PID;
}

/* A column for all parts of a name. */
static char *show_cell(const struct zcctl *z, const struct field *f,
		       const struct record *r, const struct records *pools)
{
	return f->show == SHOW_LABEL ? show_name(r) :
				       show_value(z, f, r, pools);
}

static void list_table(struct zcctl *z, const struct spec *spec,
		       const struct records *all, const struct records *pools,
		       const char *indent)
{
	const struct field *f, *end = spec->field + spec->nfields;
	struct table t = {};
	size_t i;

	for (f = spec->field; f < end; f++)
		if (f->title)
			table_column(&t, f->title, is_number(f->show));
	for (i = 0; i < all->n; i++)
		for (f = spec->field; f < end; f++)
			if (f->title)
				table_cell(&t, show_cell(z, f, &all->v[i],
							 pools));
	table_print(&t, z->out, indent);
}

void show_list(struct zcctl *z, const struct spec *spec,
	       const struct records *all, const struct records *pools)
{
	if (z->format == FORMAT_TABLE)
		list_table(z, spec, all, pools, "");
	else
		list_json(z, spec, all, pools);
}

static void print_line(struct zcctl *z, const char *name, char *value)
{
	fprintf(z->out, "  %-14s %s\n", name, value);
	free(value);
}

static void print_lines(struct zcctl *z, const struct spec *spec,
			const struct record *r, const struct records *pools)
{
	size_t i;

	for (i = 0; i < spec->nfields; i++)
		print_line(z, spec->field[i].key,
			   show_value(z, &spec->field[i], r, pools));
}

/* "4KiB:12 8KiB:1": only orders that have free blocks. */
static char *show_blocks(const struct zcctl *z, const struct record *r)
{
	char *s = xstrdup(""), *size, *longer;
	size_t i;

	for (i = 0; i < r->norders; i++) {
		if (!r->order_free[i])
			continue;
		size = show_bytes(z, 4096ULL << i);
		longer = xasprintf("%s%s%s:%" PRIu32, s, *s ? " " : "", size,
				   r->order_free[i]);
		free(size);
		free(s);
		s = longer;
	}
	return s;
}

static void print_classes(struct zcctl *z, const struct record *r)
{
	const struct pool_class *c;
	struct table t = {};
	size_t i;

	if (!r->nclasses)
		return;
	table_column(&t, "CLASS", true);
	table_column(&t, "USED", true);
	table_column(&t, "TOTAL", true);
	table_column(&t, "MIN-FREE", true);
	table_column(&t, "WASTE", true);
	for (i = 0; i < r->nclasses; i++) {
		c = &r->class[i];
		table_cell(&t, show_bytes(z, c->length));
		table_cell(&t, xasprintf("%" PRIu32, c->used));
		table_cell(&t, xasprintf("%" PRIu32, c->total));
		table_cell(&t, c->fixed ? xasprintf("%" PRIu32, c->min_free) :
					  xstrdup("-"));
		table_cell(&t, c->leased ? show_bytes(z, c->waste) :
					   xstrdup("-"));
	}
	table_print(&t, z->out, "  ");
}

static void print_arenas(struct zcctl *z, const struct record *r)
{
	struct records arenas = { r->arena, r->narenas };

	if (arenas.n)
		list_table(z, &arena_spec, &arenas, NULL, "  ");
}

void show_pools(struct zcctl *z, const struct records *pools)
{
	const struct record *r;
	char *name;
	size_t n;

	for (n = 0; n < pools->n; n++) {
		r = &pools->v[n];
		name = show_pool(pools, r->num[ZCBUF_A_POOL_HANDLE]);
		fprintf(z->out, "%spool %s\n", n ? "\n" : "", name);
		free(name);
		print_lines(z, &pool_spec, r, pools);
		print_line(z, "free_blocks", show_blocks(z, r));
		print_classes(z, r);
		print_arenas(z, r);
	}
}

void show_channels(struct zcctl *z, const struct records *channels,
		   const struct records *pools)
{
	const struct record *r;
	size_t n;

	for (n = 0; n < channels->n; n++) {
		r = &channels->v[n];
		fprintf(z->out, "%schannel 0x%" PRIx64 "\n", n ? "\n" : "",
			r->num[ZCBUF_A_CHANNEL_HANDLE]);
		print_lines(z, &channel_spec, r, pools);
	}
}
