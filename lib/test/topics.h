/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * One publisher and up to three subscribers of a topic, each on a session of its
 * own; and messages that are strings.
 */
#ifndef ZCBUF_LIB_TEST_TOPICS_H
#define ZCBUF_LIB_TEST_TOPICS_H

#include <zcbuf/zcbuf.h>

extern const struct zcbuf_name topic_name;

/* The publisher's, those of the subscribers, and what was opened on them. */
extern struct zcbuf_pool *pool;
extern struct zcbuf_pool *others[3];
extern struct zcbuf_publisher *pub;
extern struct zcbuf_subscriber *sub[3];

/* Only the sessions. */
void topic_pools(void);

/* And the publisher, and the first subscriber, with @opts. */
void topic_make(const struct zcbuf_subscriber_opts *opts);

/* All that was opened is closed: nobody has anything any more. */
void topic_unmake(void);

/* A loan with @text in it. */
struct zcbuf_buf topic_loan(const char *text);

/* It is published, or returned. */
int topic_publish(const char *text, struct zcbuf_publication *entry);

/* The next message there is. */
struct zcbuf_sample topic_take(struct zcbuf_subscriber *s);

/* It is @text, and is released. */
void topic_took(struct zcbuf_subscriber *s, const char *text, __u64 seq);

void topic_is_empty(struct zcbuf_subscriber *s);

#endif /* ZCBUF_LIB_TEST_TOPICS_H */
