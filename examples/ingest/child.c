// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "ingest.h"

/* A descriptor that is duplicated to itself is no longer close-on-exec. */
static int spawn(pid_t *pid, char **args, const int *fds, unsigned int nfds)
{
	posix_spawn_file_actions_t actions;
	unsigned int i;
	int err;

	err = posix_spawn_file_actions_init(&actions);
	if (err)
		return -err;
	for (i = 0; i < nfds && !err; i++)
		err = posix_spawn_file_actions_adddup2(&actions, fds[i],
						       fds[i]);
	if (!err)
		err = posix_spawn(pid, "/proc/self/exe", &actions, NULL, args,
				  environ);
	posix_spawn_file_actions_destroy(&actions);
	return -err;
}

int child_start(struct child *child, char **args, const int *fds,
		unsigned int nfds)
{
	int err;

	child->pidfd = -1;
	err = spawn(&child->pid, args, fds, nfds);
	if (err)
		return err;
	child->pidfd = pidfd_open(child->pid, 0);
	if (child->pidfd >= 0)
		return 0;
	err = -errno;
	kill(child->pid, SIGKILL);
	waitpid(child->pid, NULL, 0);
	return err;
}

int child_kill(const struct child *child)
{
	return pidfd_send_signal(child->pidfd, SIGKILL, NULL, 0) ? -errno : 0;
}

static bool ended_well(const struct child *child, int status)
{
	if (child->is_doomed)
		return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

bool child_reap(struct child *child)
{
	int status = 0;

	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		;
	close(child->pidfd);
	child->pidfd = -1;
	if (ended_well(child, status))
		return true;
	if (WIFSIGNALED(status))
		complain("a %s (%d) was killed: %s", child->role,
			 (int)child->pid, strsignal(WTERMSIG(status)));
	else
		complain("a %s (%d) ended with status %d", child->role,
			 (int)child->pid, WEXITSTATUS(status));
	return false;
}
