/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Writes one JSON object. Keys are ours and need no escaping, texts are
 * anybody's: what is not UTF-8 in them becomes U+FFFD. A key is NULL in arrays.
 */
#ifndef ZCCTL_JSON_H
#define ZCCTL_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "zcctl.h"

struct json {
	FILE *out;
	bool pretty;
	unsigned int depth;
	bool empty;		/* nothing yet in the innermost brackets */
};

struct json json_start(struct zcctl *z);
void json_end(struct json *j);

void json_object(struct json *j, const char *key);
void json_object_end(struct json *j);
void json_array(struct json *j, const char *key);
void json_array_end(struct json *j);

void json_text(struct json *j, const char *key, const char *text);
void json_number(struct json *j, const char *key, uint64_t value);
void json_handle(struct json *j, const char *key, uint64_t value);
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);

#endif /* ZCCTL_JSON_H */
