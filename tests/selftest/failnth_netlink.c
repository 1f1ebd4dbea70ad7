// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Netlink with every allocation and user copy failing in turn, from the socket
 * to the end of the answer: a dump says that it failed, or it is complete, and
 * it never changes what it tells of. And is there a row for every command?
 */
#include "failnth.h"
#include "listen.h"

#define MANY	(FN_FDS - 1)	/* sessions: more than one piece */
#define PIECE	4096

static struct snap_raw answer;

/* Everything a program does that asks for the first time. */
static int fn_ask(const struct fn_run *f, size_t piece, struct snap_raw *raw)
{
	int sk = nl_socket(), err;
	struct request r;

	if (sk < 0)
		return sk;
	err = nl_family(sk);
	if (err > 0) {
		r = nl_request(err, f->row->cmd, NLM_F_DUMP);
		err = nl_send(sk, &r);
		if (!err)
			err = snap_read(sk, piece, raw);
	}
	close(sk);
	return err;
}

static int fn_act_dump(struct fn_run *f)
{
	return fn_ask(f, SNAP_PIECE, &answer);
}

static int fn_act_in_pieces(struct fn_run *f)
{
	return fn_ask(f, PIECE, &answer);
}

/* It is never read to its end. */
static int fn_act_abandon(struct fn_run *f)
{
	return fn_ask(f, PIECE, NULL);
}

/* What it said is what it says when nothing fails. */
static void fn_use_dump(struct fn_run *f)
{
	static struct snapshot complete, seen;
	static struct snap_names names;

	names.n = 0;
	snap_clear(&seen);
	snap_format(&seen, &names, snap_kind_of(f->row->cmd), &answer);
	snap_sort(&seen);
	if (!complete.lines) {
		complete.lines = seen.lines;
		names.n = 0;
		snap_clear(&complete);
		snap_format(&complete, &names, snap_kind_of(f->row->cmd),
			    &answer);
		snap_sort(&complete);
	}
	if (!snap_same(&complete, &seen)) {
		snap_show(&complete, &seen);
		ASSERT_TRUE(!"a complete dump");
	}
}

static void fn_arrange_many(struct fn_run *f)
{
	int i;

	for (i = 0; i < MANY; i++)
		fn_keep(f, zt_join(f->rig.fd, 0));
}

/* Two arenas, in a pool besides the rig's. */
static void fn_arrange_grown(struct fn_run *f)
{
	ASSERT_OK(zt_pool_grow(fn_keep(f, zt_pool_growing(0, 2)), NULL));
}

static int fn_act_family(struct fn_run *f)
{
	int sk = nl_socket(), err;

	(void)f;
	if (sk < 0)
		return sk;
	err = nl_family(sk);
	close(sk);
	return err < 0 ? err : 0;
}

static struct listener fn_listener;

static void fn_arrange_listener(struct fn_run *f)
{
	struct zcbuf_query q;

	ASSERT_OK(zt_query(f->rig.fd, &q));
	listen_begin(&fn_listener, q.out_pool);
	fn_keep(f, fn_listener.sk);
}

/* It is heard of, or it is heard that something has been lost. */
static void fn_use_heard(struct fn_run *f)
{
	const struct nlmsghdr *n;
	int heard = 0;

	(void)f;
	while ((n = listen_next(&fn_listener, MSG_DONTWAIT))) {
		EXPECT_EQ(nl_number(n, ZCBUF_A_EVENT_KIND),
			  ZCBUF_EVENT_PORT_CLOSED);
		heard++;
	}
	EXPECT_EQ(heard + fn_listener.overruns, 1);
}

#define FN_DUMP(_name, _cmd, ...)					\
	FN_OTHER(_name, .cmd = ZCBUF_CMD_##_cmd, .least = 8, ##__VA_ARGS__)

static const struct fn_row fn_netlink_rows[] = {
	FN_OTHER(get_family, .least = 6, .act = fn_act_family),
	FN_DUMP(pool_get, POOL_GET, .act = fn_act_dump, .use = fn_use_dump),
	FN_DUMP(session_get, SESSION_GET, .act = fn_act_dump,
		.use = fn_use_dump),
	FN_DUMP(channel_get, CHANNEL_GET, .act = fn_act_dump,
		.use = fn_use_dump),
	FN_DUMP(arena_get, ARENA_GET, .act = fn_act_dump,
		.arrange = fn_arrange_grown, .use = fn_use_dump),
	FN_DUMP(session_get_in_pieces, SESSION_GET, .act = fn_act_in_pieces,
		.arrange = fn_arrange_many, .use = fn_use_dump),
	FN_DUMP(session_get_abandoned, SESSION_GET, .act = fn_act_abandon,
		.arrange = fn_arrange_many),
	FN_CALL(channel_close_heard, CHANNEL_CLOSE, .least = 3,
		.arrange = fn_arrange_listener, .use = fn_use_heard),
};

FN_TABLE(fn_netlink_rows)

/* ----------------------------------------------------------------- coverage */

static bool has_row(__u32 cmd)
{
	size_t i;

	for (i = 0; i < sizeof(fn_netlink_rows) / sizeof(fn_netlink_rows[0]);
	     i++)
		if (fn_netlink_rows[i].cmd == cmd)
			return true;
	return false;
}

static __u32 op_number(const struct nlattr *op, int type)
{
	const char *end = (const char *)op + op->nla_len;
	const struct nlattr *a;
	__u32 value = 0;

	for (a = nl_attr(nl_attr_data(op), end); a; a = nl_attr_next(a, end))
		if (nl_attr_type(a) == type)
			memcpy(&value, nl_attr_data(a), sizeof(value));
	return value;
}

/* All that the family says it can do; the rows are dumps, and an event is no command. */
TEST(every_command_has_a_row)
{
	char buf[NL_ANSWER] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *n = (void *)buf;
	int len = 0, seen = 0, sk = nl_socket();
	const struct nlattr *op;
	const char *ops;

	ASSERT_OK(nl_ask_family(sk, n, sizeof(buf)));
	ops = nl_find(n, CTRL_ATTR_OPS, &len);
	ASSERT_TRUE(ops);
	for (op = nl_attr(ops, ops + len); op;
	     op = nl_attr_next(op, ops + len), seen++) {
		TEST_LOG("command %u, flags %#x",
			 op_number(op, CTRL_ATTR_OP_ID),
			 op_number(op, CTRL_ATTR_OP_FLAGS));
		EXPECT_TRUE(has_row(op_number(op, CTRL_ATTR_OP_ID)));
		EXPECT_FALSE(op_number(op, CTRL_ATTR_OP_FLAGS) &
			     GENL_CMD_CAP_DO);
	}
	EXPECT_GE(seen, ZCBUF_CMD_MAX - 1);
}

KTAP_MAIN()
