// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "show.h"
#include "topic.h"

#define SOON_MS		200

/* As the kernel would say: printable, and not empty but for the domain. */
static bool is_label(const char *label, bool domain)
{
	size_t n = strlen(label);

	if (n > ZCBUF_MAX_LABEL || (!n && !domain))
		return false;
	while (*label)
		if (*label < 0x21 || *label++ > 0x7e)
			return false;
	return true;
}

/* Three or four parts, between slashes. */
static bool read_name(struct topic *t, const char *name)
{
	char *copy = xstrdup(name), *at = copy, *part;
	bool ok = true;
	char *parts[5];
	int n = 0, i;

	while (n < 5 && (part = strsep(&at, "/")))
		parts[n++] = part;
	for (i = 0; i < 4 && (n == 3 || n == 4); i++) {
		part = i || n == 4 ? parts[n - 4 + i] : "";
		t->label[i] = xstrdup(part);
		ok = ok && is_label(part, !i);
	}
	free(copy);
	t->text = show_text(name);
	return t->label[0] && ok;
}

static void watch_signals(struct topic *t)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	t->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

bool topic_stopped(const struct topic *t)
{
	struct signalfd_siginfo info;

	return read(t->signals, &info, sizeof(info)) > 0;
}

uint64_t topic_soon(void)
{
	return zcbuf_deadline_ms(SOON_MS);
}

static int no_rights(const struct topic *t, uint32_t rights)
{
	return zcctl_fail(t->z, EXIT_ERROR,
			  "pool '%s' may not be %s by this user", t->t.name,
			  rights & ZCBUF_RIGHT_PRODUCE ? "written to" : "read");
}

static int no_pool(const struct topic *t, uint32_t rights, int err)
{
	if (err == -EPERM)
		return no_rights(t, rights);
	if (err == -ENODEV || err == -EACCES)
		return target_no_device(t->z, err);
	return target_no_attach(&t->t, err, "attached to");
}

static int attach(struct topic *t, uint32_t rights)
{
	const struct zcbuf_attach_opts opts = {
		.sz = sizeof(opts),
		.rights = rights,
		.flags = ZCBUF_ATTACH_F_UID,
		.uid = t->t.uid,
	};
	struct zcbuf_pool_info info = { .size = sizeof(info) };
	int err;

	if (!t->t.pool->text)
		return zcctl_fail(t->z, EXIT_ERROR,
				  "pool '%s' has no name to attach to it by",
				  t->t.name);
	err = zcbuf_pool_attach(&t->pool, t->t.pool->text, &opts);
	if (!err)
		err = zcbuf_pool_info(t->pool, &info);
	/* The name may be another pool's in this IPC namespace. */
	if (!err && info.out_pool != t->t.pool->num[ZCBUF_A_POOL_HANDLE])
		err = -ENOENT;
	return err ? no_pool(t, rights, err) : EXIT_OK;
}

int topic_attach(struct topic *t, const char *pool, const char *name,
		 uint32_t rights)
{
	int status;

	t->signals = -1;
	t->t.z = t->z;
	if (!read_name(t, name))
		return zcctl_fail(t->z, EXIT_ERROR,
				  "'%s' is not [DOMAIN/]SERVICE/INSTANCE/EVENT",
				  name);
	status = target_find(&t->t, pool);
	if (!status)
		status = attach(t, rights);
	if (!status)
		watch_signals(t);
	return status;
}

void topic_free(struct topic *t)
{
	int i;

	if (t->pool)
		zcbuf_pool_close(t->pool);
	if (t->signals >= 0)
		close(t->signals);
	for (i = 0; i < 4; i++)
		free(t->label[i]);
	free(t->text);
	target_free(&t->t);
}

struct zcbuf_name topic_name(const struct topic *t)
{
	return (struct zcbuf_name){
		.domain = t->label[0],
		.service = t->label[1],
		.instance = t->label[2],
		.event = t->label[3],
	};
}

static const char *why(int err)
{
	switch (err) {
	case -ENOENT:
		return "there is no such channel";
	case -EEXIST:
	case -EINVAL:
		return "it is a stream, whose groups go to one consumer only";
	case -E2BIG:
		return "a message is larger than the pool can have";
	case -ESHUTDOWN:
		return "it is finalized";
	}
	return strerror(-err);
}

int topic_fail(const struct topic *t, int err, const char *verb)
{
	return zcctl_fail(t->z, EXIT_ERROR, "%s of pool '%s' cannot be %s: %s",
			  t->text, t->t.name, verb, why(err));
}
