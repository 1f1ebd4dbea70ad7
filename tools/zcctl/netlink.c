// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Records from the kernel, by generic netlink. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include "source.h"

/* The largest buffer the kernel fills for one recv() of a dump. */
#define RECEIVE_BUFFER	32768

struct dump {
	const struct spec *spec;
	struct records *all;
};

static int on_message(struct nl_msg *msg, void *arg)
{
	struct dump *d = arg;

	if (records_parse(d->all, d->spec, nlmsg_hdr(msg)))
		return -NLE_PARSE_ERR;
	return NL_OK;
}

/* The family is in the initial network namespace only. */
static int no_family(struct zcctl *z)
{
	char *path = xasprintf("%s/sys/module/zcbuf", z->root);
	bool loaded = !access(path, F_OK);

	free(path);
	if (loaded)
		return zcctl_fail(z, EXIT_ERROR,
				  "the zcbuf module is loaded, but can only be asked in the initial network namespace");
	return zcctl_fail(z, EXIT_NO_MODULE,
			  "the zcbuf module is not loaded (no generic netlink family 'zcbuf'): modprobe zcbuf");
}

static int failed(struct zcctl *z, int err)
{
	if (err == -NLE_OBJ_NOTFOUND)
		return no_family(z);
	return zcctl_fail(z, EXIT_ERROR, "cannot ask the kernel: %s",
			  nl_geterror(err));
}

/* One dump; libnl errors. */
static int ask(struct nl_sock *sk, struct dump *d)
{
	int family, err;

	err = genl_connect(sk);
	if (err)
		return err;
	family = genl_ctrl_resolve(sk, ZCBUF_GENL_NAME);
	if (family < 0)
		return family;
	nl_socket_set_msg_buf_size(sk, RECEIVE_BUFFER);
	nl_socket_modify_cb(sk, NL_CB_VALID, NL_CB_CUSTOM, on_message, d);
	err = genl_send_simple(sk, family, d->spec->cmd, ZCBUF_GENL_VERSION,
			       NLM_F_DUMP);
	if (err < 0)
		return err;
	return nl_recvmsgs_default(sk);
}

int source_dump(struct zcctl *z, const struct spec *spec, struct records *all)
{
	struct dump d = { .spec = spec, .all = all };
	struct nl_sock *sk = nl_socket_alloc();
	int err;

	if (!sk)
		return failed(z, -NLE_NOMEM);
	err = ask(sk, &d);
	nl_socket_free(sk);
	return err < 0 ? failed(z, err) : EXIT_OK;
}

/* ------------------------------------------------------------------ events */

struct listener {
	source_heard heard;
	void *arg;
	bool over;
};

static volatile sig_atomic_t ended;

static void on_signal(int sig)
{
	ended = sig;
}

static int on_event(struct nl_msg *msg, void *arg)
{
	struct listener *l = arg;

	if (!l->over)
		l->over = !l->heard(l->arg, nlmsg_hdr(msg));
	return NL_OK;
}

static int no_events(struct zcctl *z, int err)
{
	if (err == -NLE_PERM)
		return zcctl_fail(z, EXIT_ERROR,
				  "only who has CAP_SYS_ADMIN may see what happens");
	return failed(z, err);
}

/* libnl errors */
static int join(struct nl_sock *sk, struct listener *l)
{
	int group, err;

	err = genl_connect(sk);
	if (err)
		return err;
	group = genl_ctrl_resolve_grp(sk, ZCBUF_GENL_NAME,
				      ZCBUF_GENL_GROUP_EVENTS);
	if (group < 0)
		return group;
	nl_socket_disable_seq_check(sk);
	nl_socket_modify_cb(sk, NL_CB_VALID, NL_CB_CUSTOM, on_event, l);
	return nl_socket_add_membership(sk, group);
}

/* Signals come while it waits, and at no other time. */
static int listen_on(struct nl_sock *sk, struct listener *l,
		     const sigset_t *waiting)
{
	struct pollfd p = { .fd = nl_socket_get_fd(sk), .events = POLLIN };
	int err;

	while (!l->over && !ended) {
		if (ppoll(&p, 1, NULL, waiting) < 0) {
			if (errno != EINTR)
				return -NLE_FAILURE;
			continue;
		}
		err = nl_recvmsgs_default(sk);
		/* How it calls ENOBUFS. */
		if (err == -NLE_NOMEM)
			l->over = !l->heard(l->arg, NULL);
		else if (err < 0)
			return err;
	}
	return 0;
}

static int join_and_listen(struct nl_sock *sk, struct listener *l)
{
	const struct sigaction sa = { .sa_handler = on_signal };
	sigset_t mine, waiting;
	int err;

	sigemptyset(&mine);
	sigaddset(&mine, SIGINT);
	sigaddset(&mine, SIGTERM);
	sigprocmask(SIG_BLOCK, &mine, &waiting);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	err = join(sk, l);
	return err < 0 ? err : listen_on(sk, l, &waiting);
}

int source_events(struct zcctl *z, source_heard heard, void *arg)
{
	struct listener l = { .heard = heard, .arg = arg };
	struct nl_sock *sk = nl_socket_alloc();
	int err;

	if (!sk)
		return failed(z, -NLE_NOMEM);
	err = join_and_listen(sk, &l);
	nl_socket_free(sk);
	return err < 0 ? no_events(z, err) : EXIT_OK;
}
