/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Lines of aligned columns; cells are added from left to right, row by row. */
#ifndef ZCCTL_TABLE_H
#define ZCCTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS	32

struct table {
	struct {
		const char *title;
		bool right;		/* aligned */
	} column[TABLE_COLUMNS];
	size_t ncolumns;
	char **cell;
	size_t ncells;
	size_t room;
};

void table_column(struct table *t, const char *title, bool right);
/* Takes over @text, which comes from malloc(). */
void table_cell(struct table *t, char *text);
/* Prints each line behind @indent and frees all cells. */
void table_print(struct table *t, FILE *out, const char *indent);

#endif /* ZCCTL_TABLE_H */
