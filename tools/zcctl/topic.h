/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* The one topic that is recorded, or replayed to, by the library. */
#ifndef ZCCTL_TOPIC_H
#define ZCCTL_TOPIC_H

#include <stdint.h>

#include <zcbuf/zcbuf.h>

#include "which.h"
#include "zcctl.h"

/**
 * struct topic - one topic
 * @z: the call
 * @t: its pool
 * @pool: attached to that
 * @label: domain, service, instance, event
 * @text: them, for people
 * @signals: a signalfd of those that end it, which are blocked
 */
struct topic {
	struct zcctl *z;
	struct target t;
	struct zcbuf_pool *pool;
	char *label[4];
	char *text;
	int signals;
};

/*
 * topic_attach() - @name is [DOMAIN/]SERVICE/INSTANCE/EVENT, @rights ZCBUF_RIGHT_*.
 * Returns an enum zcctl_exit, and what it took topic_free() frees.
 */
int topic_attach(struct topic *t, const char *pool, const char *name,
		 uint32_t rights);
void topic_free(struct topic *t);

struct zcbuf_name topic_name(const struct topic *t);

/* Somebody wants it to end. */
bool topic_stopped(const struct topic *t);

/* A deadline that is soon, to look for signals then. */
uint64_t topic_soon(void);

/* Says why it could not be @verb, as in "recorded"; returns EXIT_ERROR. */
int topic_fail(const struct topic *t, int err, const char *verb);

#endif /* ZCCTL_TOPIC_H */
