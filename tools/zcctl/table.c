// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"
#include "zcctl.h"

void table_column(struct table *t, const char *title, bool right)
{
	assert(t->ncolumns < TABLE_COLUMNS);
	t->column[t->ncolumns].title = title;
	t->column[t->ncolumns++].right = right;
}

void table_cell(struct table *t, char *text)
{
	if (t->ncells == t->room) {
		t->room = t->room ? 2 * t->room : 64;
		t->cell = xrealloc(t->cell, t->room, sizeof(*t->cell));
	}
	t->cell[t->ncells++] = text;
}

static int width(const struct table *t, size_t column)
{
	size_t i, n, max = strlen(t->column[column].title);

	for (i = column; i < t->ncells; i += t->ncolumns) {
		n = strlen(t->cell[i]);
		if (n > max)
			max = n;
	}
	return (int)max;
}

/* The last column ends the line without blanks. */
static void print_cell(const struct table *t, FILE *out, size_t column,
		       int wide, const char *text)
{
	bool last = column + 1 == t->ncolumns;

	if (t->column[column].right)
		fprintf(out, "%*s", wide, text);
	else
		fprintf(out, "%-*s", last ? 0 : wide, text);
	fputs(last ? "\n" : "  ", out);
}

void table_print(struct table *t, FILE *out, const char *indent)
{
	int wide[TABLE_COLUMNS];
	size_t i, c;

	for (c = 0; c < t->ncolumns; c++)
		wide[c] = width(t, c);
	fputs(indent, out);
	for (c = 0; c < t->ncolumns; c++)
		print_cell(t, out, c, wide[c], t->column[c].title);
	for (i = 0; i < t->ncells; i++) {
		c = i % t->ncolumns;
		if (!c)
			fputs(indent, out);
		print_cell(t, out, c, wide[c], t->cell[i]);
		free(t->cell[i]);
	}
	free(t->cell);
	*t = (struct table){};
}
