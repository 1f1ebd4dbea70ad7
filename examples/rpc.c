// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * rpc [CALLS]: requests and replies between two processes. A client asks a server
 * for the sum of the numbers in a message, so often; both read what the other has
 * written where it was written. It prints what a call took on average, and ends
 * with status 1 if any answer was wrong.
 *
 * They meet by names: that of the pool, and that of the service. Had the server
 * died, or were it not there, the next call would say EPIPE; nobody has to clean up
 * behind anybody.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <zcbuf/zcbuf.h>

#define NUMBERS	16
#define SECOND	1000	/* milliseconds */

static const struct zcbuf_name sums = {
	.service = "arithmetic",
	.instance = "example",
	.event = "sum",
};

/* For what cannot go wrong on a healthy system; returns what is not an error. */
static int must(int result, const char *what)
{
	if (result >= 0)
		return result;
	fprintf(stderr, "rpc: %s: %s\n", what, zcbuf_strerror(result));
	exit(EXIT_FAILURE);
}

/* One pool for each pair of processes that runs this. */
static const char *pool_name(pid_t client)
{
	static char name[ZCBUF_MAX_NAME];

	snprintf(name, sizeof(name), "example-rpc-%d", (int)client);
	return name;
}

static void answer(struct zcbuf_server *server, struct zcbuf_pool *pool)
{
	struct zcbuf_sample request;
	struct zcbuf_buf reply;
	const __u64 *numbers;
	__u64 sum = 0;
	size_t i;
	int err;

	must(zcbuf_server_take(server, &request, ZCBUF_NO_DEADLINE), "take");
	numbers = request.data;
	for (i = 0; i < request.length / sizeof(sum); i++)
		sum += numbers[i];
	must(zcbuf_buf_alloc(pool, sizeof(sum), &reply), "a reply");
	*(__u64 *)reply.data = sum;
	err = zcbuf_server_reply(server, &request, &reply, sizeof(sum));
	if (err) {	/* the client is gone: so what */
		zcbuf_buf_free(&reply);
		zcbuf_server_release(server, &request);
	}
}

/* Ends with its parent, and all it had is free again. */
static void serve(pid_t client)
{
	struct zcbuf_server *server;
	struct zcbuf_pool *pool;

	must(zcbuf_pool_attach(&pool, pool_name(client), NULL), "attach");
	must(zcbuf_server_open(pool, &sums, NULL, &server), "server");
	for (;;)
		answer(server, pool);
}

/* The sum of @first and those that follow it. */
static __u64 ask(struct zcbuf_client *client, struct zcbuf_pool *pool,
		 __u64 first)
{
	struct zcbuf_sample reply;
	struct zcbuf_buf request;
	__u64 *numbers;
	__u64 sum;
	int i;

	must(zcbuf_buf_alloc(pool, NUMBERS * sizeof(*numbers), &request),
	     "a request");
	numbers = request.data;
	for (i = 0; i < NUMBERS; i++)
		numbers[i] = first + i;
	must(zcbuf_client_call(client, &request, NUMBERS * sizeof(*numbers),
			       &reply, zcbuf_deadline_ms(10 * SECOND)),
	     "call");
	sum = *(const __u64 *)reply.data;
	must(zcbuf_client_release(client, &reply), "release");
	return sum;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static int ask_all(struct zcbuf_client *client, struct zcbuf_pool *pool,
		   __u64 calls)
{
	double start = now();
	__u64 wrong = 0;
	__u64 i;

	for (i = 0; i < calls; i++)
		wrong += ask(client, pool, i) !=
			 NUMBERS * i + NUMBERS * (NUMBERS - 1) / 2;
	printf("%llu calls, %.1f us each, %llu wrong\n",
	       (unsigned long long)calls, (now() - start) / calls * 1e6,
	       (unsigned long long)wrong);
	return wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Forked before there is a pool: a session is not inherited. */
static pid_t start_server(int go)
{
	pid_t client = getpid();
	pid_t server = fork();
	char byte;

	if (server)
		return server;
	if (read(go, &byte, 1) == 1)
		serve(client);
	_exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
	const struct zcbuf_pool_opts opts = {
		.sz = sizeof(opts), .name = pool_name(getpid()),
	};
	const struct zcbuf_publisher_opts wait = {
		.sz = sizeof(wait),
		.flags = ZCBUF_CHANNEL_F_EXISTING,
		.deadline_ns = zcbuf_deadline_ms(10 * SECOND),
	};
	__u64 calls = argc > 1 ? strtoull(argv[1], NULL, 0) : 1000;
	struct zcbuf_client *client;
	struct zcbuf_pool *pool;
	int status;
	pid_t server;
	int go[2];

	if (!calls || pipe(go))
		return EXIT_FAILURE;
	server = start_server(go[0]);
	must(zcbuf_pool_create(&pool, &opts), "pool");
	if (server < 0 || write(go[1], "", 1) != 1)
		return EXIT_FAILURE;
	must(zcbuf_client_open(pool, &sums, &wait, &client), "client");
	status = ask_all(client, pool, calls);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	zcbuf_client_close(client);
	zcbuf_pool_close(pool);
	return status;
}
