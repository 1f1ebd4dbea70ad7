// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Processes that are started, killed, and started again. They end with their
 * parent, and on Ctrl-C not before it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chat.h"

static const char *role_name(enum role role)
{
	return role == PUBLISHER ? "publisher" : "subscriber";
}

static void live(struct chat *chat, struct member *m, pid_t parent)
{
	__u64 random = chat->seed + 1000003ULL * m->lives + (m - chat->members);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	signal(SIGINT, SIG_IGN);
	next_random(&random);
	if (m->role == PUBLISHER)
		publisher_run(chat, m, random);
	else
		subscriber_run(chat, m, next_random(&random));
	_exit(EXIT_SUCCESS);
}

static bool start(struct chat *chat, struct member *m)
{
	pid_t parent = getpid(), child;

	m->lives++;
	child = fork();
	if (!child)
		live(chat, m, parent);
	m->pid = child > 0 ? child : 0;
	if (child < 0)
		perror("chat-load: fork");
	return child > 0;
}

bool crew_start(struct chat *chat)
{
	unsigned int i;

	for (i = 0; i < chat->count; i++)
		if (!start(chat, &chat->members[i]))
			return false;
	return true;
}

static void ended_badly(const struct member *m, int status)
{
	if (WIFSIGNALED(status))
		fprintf(stderr, "chat-load: %s %u was killed: %s\n",
			role_name(m->role), m->nr, strsignal(WTERMSIG(status)));
	else
		fprintf(stderr, "chat-load: %s %u ended with status %d\n",
			role_name(m->role), m->nr, WEXITSTATUS(status));
}

bool crew_kill_one(struct chat *chat, __u64 *random)
{
	struct member *m = &chat->members[next_random(random) % chat->count];
	int status = 0;

	kill(m->pid, SIGKILL);
	while (waitpid(m->pid, &status, 0) < 0 && errno == EINTR)
		;
	chat->kills++;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return start(chat, m);
	ended_badly(m, status);
	m->pid = 0;
	return false;
}

/* Has it ended? By itself, and well, if it was to. */
static bool look_at(const struct chat *chat, struct member *m, bool *ended)
{
	int status = 0;

	*ended = m->pid && waitpid(m->pid, &status, WNOHANG) == m->pid;
	if (!*ended)
		return true;
	m->pid = 0;
	if (atomic_load(&chat->over) != NOBODY && WIFEXITED(status) &&
	    !WEXITSTATUS(status))
		return true;
	ended_badly(m, status);
	return false;
}

bool crew_look(struct chat *chat)
{
	bool ended, good = true;
	unsigned int i;

	for (i = 0; i < chat->count; i++)
		good &= look_at(chat, &chat->members[i], &ended);
	return good;
}

static struct member *left(struct chat *chat, enum role role)
{
	unsigned int i;

	for (i = 0; i < chat->count; i++)
		if (chat->members[i].role == role && chat->members[i].pid)
			return &chat->members[i];
	return NULL;
}

bool crew_await(struct chat *chat, enum role role, int seconds)
{
	__u64 deadline = now_ns() + seconds * 1000000000ULL;
	bool good = true;
	struct member *m;

	while (left(chat, role) && now_ns() < deadline) {
		good &= crew_look(chat);
		pause_us(5000);
	}
	while ((m = left(chat, role))) {
		fprintf(stderr, "chat-load: %s %u does not end\n",
			role_name(role), m->nr);
		kill(m->pid, SIGKILL);
		waitpid(m->pid, NULL, 0);
		m->pid = 0;
		good = false;
	}
	return good;
}
