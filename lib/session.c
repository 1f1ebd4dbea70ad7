// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Sessions: the files behind pools. A child made by fork() would keep its
 * parent's session alive, and with it all the parent owned, for as long as it
 * lives: so they are all on a list, and the child closes them first of all.
 */
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "internal.h"

/*
 * Protects the list, the birth of its descriptors and that of mappings; held
 * across fork(), so that a child never gets a descriptor that is not listed, or
 * a mapping that is not yet kept from it.
 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct zcb_session *sessions;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int once_error;

void zcb_session_lock(void)
{
	pthread_mutex_lock(&lock);
}

void zcb_session_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

static void before_fork(void)
{
	zcb_threads_lock();
	zcb_session_lock();
}

static void in_parent(void)
{
	zcb_session_unlock();
	zcb_threads_unlock();
}

static void in_child(void)
{
	struct zcb_session *s;

	for (s = sessions; s; s = s->next) {
		close(s->fd);
		s->fd = -1;
	}
	sessions = NULL;
	zcb_call_reset();
	zcb_session_unlock();
	zcb_threads_in_child();
}

static void register_fork(void)
{
	once_error = pthread_atfork(before_fork, in_parent, in_child);
}

/*
 * zcb_session_open - open the device and list the session
 *
 * Return: 0, else a negative errno, and the session is closed.
 */
int zcb_session_open(struct zcb_session *session, int oflags)
{
	int fd;

	session->fd = -1;
	pthread_once(&once, register_fork);
	if (once_error)
		return -once_error;

	zcb_session_lock();
	fd = zcbuf_open(oflags);
	if (fd >= 0) {
		session->fd = fd;
		session->prev = NULL;
		session->next = sessions;
		if (sessions)
			sessions->prev = session;
		sessions = session;
	}
	zcb_session_unlock();
	return fd < 0 ? fd : 0;
}

static void unlink_session(struct zcb_session *session)
{
	if (session->prev)
		session->prev->next = session->next;
	else
		sessions = session->next;
	if (session->next)
		session->next->prev = session->prev;
}

/*
 * zcb_session_close - close it; again, or in a child, nothing is done
 *
 * Under the lock: a child forked in between would close the number again.
 */
void zcb_session_close(struct zcb_session *session)
{
	zcb_session_lock();
	if (session->fd >= 0) {
		unlink_session(session);
		close(session->fd);
		session->fd = -1;
	}
	zcb_session_unlock();
}
