/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* Records as table, as JSON and in detail. */
#ifndef ZCCTL_SHOW_H
#define ZCCTL_SHOW_H

#include <stdint.h>

#include "json.h"
#include "record.h"
#include "zcctl.h"

/* All of these return memory from malloc(). */
char *show_bytes(const struct zcctl *z, uint64_t bytes);
char *show_text(const char *text);		/* safe for a terminal */
/* One attribute; "-" if it is missing. @pools give handles their names. */
char *show_value(const struct zcctl *z, const struct field *f,
		 const struct record *r, const struct records *pools);
/* The field of an attribute; NULL if it is not shown. */
const struct field *show_field(const struct spec *spec, int attr);
/* The name of a pool, or its handle if it has none or is not in @pools. */
char *show_pool(const struct records *pools, uint64_t handle);

/* The fields of @r into the object that is open in @j. */
void show_json(struct json *j, const struct spec *spec, const struct record *r,
	       const struct records *pools);
/* All of @all, as the whole answer. */
void show_list(struct zcctl *z, const struct spec *spec,
	       const struct records *all, const struct records *pools);
/* All that is known of pools, in lines of "name value". */
void show_pools(struct zcctl *z, const struct records *pools);
/* The same of channels. */
void show_channels(struct zcctl *z, const struct records *channels,
		   const struct records *pools);

#endif /* ZCCTL_SHOW_H */
