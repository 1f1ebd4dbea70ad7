/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/* The coordinator's children. */
#ifndef INGEST_CHILD_H
#define INGEST_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#define MAX_CHILD_FDS	3

/*
 * struct child
 * @role: "producer" or "consumer"
 * @pid: of its process
 * @pidfd: the same, readable when it has ended; -1: there is none
 * @is_doomed: it is to be killed
 * @is_done: it said it has nothing left to do
 */
struct child {
	const char *role;
	pid_t pid;
	int pidfd;
	bool is_doomed;
	bool is_done;
};

/*
 * Runs this program again as "ingest @args"; of our close-on-exec descriptors
 * it gets those in @fds and no other. Return: 0 or a negative errno.
 */
int child_start(struct child *child, char **args, const int *fds,
		unsigned int nfds);

/* 0 or a negative errno. */
int child_kill(const struct child *child);

/*
 * Waits for its end. Complains unless that was as expected: with status 0, or
 * by SIGKILL if it was doomed. Return: was it?
 */
bool child_reap(struct child *child);

#endif /* INGEST_CHILD_H */
