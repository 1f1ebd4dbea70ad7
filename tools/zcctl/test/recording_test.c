// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The format of recordings: what was written is read, and of what has been cut off,
 * changed or made up nothing is believed, and no harm comes.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "tape.h"

static const struct recording_header header = {
	.realtime_ns = 1700000000123456789, .monotonic_ns = 5000000000,
	.pool = "demo", .name = { "", "Radar", "Front", "Points" },
};
static const size_t lengths[] = TAPE_LENGTHS;

unsigned char tape_byte(unsigned int i, size_t at)
{
	return 'a' + i + at % 7;
}

struct recording_head tape_head(unsigned int i)
{
	return (struct recording_head){
		.encoding = 0x100 + i, .length = lengths[i],
		.user_tag = ~0ULL - i, .publisher = 40 + i, .seq = 10 * i,
		.group = 100 + i, .offset = 4096 * i,
		.time_ns = 5000000000 + 1500000000ULL * i, .gap = i == 2,
		.lost = i, .priority = i, .nrecords = 1 + i,
	};
}

/* In two pieces, as a group of several extents is. */
static int put(struct recording_out *o, unsigned int i)
{
	struct recording_head h = tape_head(i);
	unsigned char *data = xrealloc(NULL, h.length, 1);
	struct iovec iov[2] = { { data, h.length / 2 },
				{ data + h.length / 2,
				  h.length - h.length / 2 } };
	size_t at;
	int err;

	for (at = 0; at < h.length; at++)
		data[at] = tape_byte(i, at);
	err = recording_put(o, &h, iov, 2);
	free(data);
	return err;
}

char *tape_make(const char *name)
{
	struct recording_out *o = xrealloc(NULL, 1, sizeof(*o));
	char *path = xasprintf("%s/%s", test_dir, name);
	unsigned int i;

	CHECK_EQ(recording_create(o, path, false, &header), 0);
	for (i = 0; i < TAPE_MESSAGES; i++)
		CHECK_EQ(put(o, i), 0);
	CHECK_EQ(recording_close(o, 77), 0);
	free(o);
	return path;
}

unsigned char *tape_load(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	unsigned char *bytes = xrealloc(NULL, 1 << 20, 1);

	CHECK(f);
	*n = fread(bytes, 1, 1 << 20, f);
	fclose(f);
	return bytes;
}

/* Never empty in between: file systems write what was emptied to the disk at once. */
void tape_store(const char *path, const unsigned char *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	CHECK(pwrite(fd, bytes, n, 0) == (ssize_t)n && !ftruncate(fd, n));
	close(fd);
}

/* ---------------------------------------------------------------- round trip */

static void check_message(const struct recording_in *in, unsigned int i)
{
	struct recording_head h = tape_head(i);
	unsigned char byte;
	size_t at;

	h.kind = RECORDING_KIND_MESSAGE;
	h.at = in->at;
	CHECK(!memcmp(&in->head, &h, sizeof(h)));
	for (at = 0; at < h.length; at++) {
		CHECK_EQ(recording_read(in, at, &byte, 1), 0);
		CHECK_EQ(byte, tape_byte(i, at));
	}
	CHECK_EQ(recording_read(in, at, &byte, 1), -ERANGE);
	CHECK_EQ(recording_read(in, ~0ULL, &byte, 2), -ERANGE);
}

static void recording_round_trip(void)
{
	char *path = tape_make("tape");
	struct recording_in in;
	unsigned int i;

	CHECK_EQ(recording_open(&in, path), 0);
	CHECK(!memcmp(&in.header, &header, sizeof(header)));
	for (i = 0; i < TAPE_MESSAGES; i++) {
		CHECK_EQ(recording_next(&in), RECORDING_MESSAGE);
		check_message(&in, i);
	}
	CHECK(!in.ended);
	CHECK_EQ(recording_next(&in), RECORDING_END);
	CHECK_EQ(in.head.seq, TAPE_MESSAGES);
	CHECK_EQ(in.head.offset, 225);
	CHECK_EQ(in.head.gap, 1);
	CHECK_EQ(in.head.lost, 4);
	CHECK_EQ(in.head.time_ns, 77);
	CHECK(in.ended);
	CHECK_EQ(recording_next(&in), RECORDING_EOF);
	CHECK_EQ(recording_next(&in), RECORDING_EOF);
	recording_rewind(&in);
	CHECK_EQ(recording_next(&in), RECORDING_MESSAGE);
	recording_shut(&in);
	free(path);
}

static uint64_t number(const unsigned char *p, int n)
{
	return n ? *p | number(p + 1, n - 1) << 8 : 0;
}

/* The numbers of docs/recording.md, by hand. */
static void recording_layout(void)
{
	char *path = tape_make("tape");
	size_t n;
	unsigned char *b = tape_load(path, &n), *m = b + 368, *end;

	CHECK_EQ(recording_crc(0, "123456789", 9), 0xe3069283);
	CHECK(!memcmp(b, "ZCBUFREC", 8));
	CHECK_EQ(number(b + 8, 4), 1);
	CHECK_EQ(number(b + 12, 4), 368);
	CHECK_EQ(number(b + 24, 8), header.realtime_ns);
	CHECK_EQ(number(b + 32, 8), header.monotonic_ns);
	CHECK(!memcmp(b + 40, "\0\5\5\6\4\0\0\0", 8));
	CHECK(!memcmp(b + 48 + 64, "Radar\0", 6));
	CHECK(!memcmp(b + 48 + 4 * 64, "demo\0", 5));
	CHECK(!memcmp(m, "ZREC", 4));
	CHECK_EQ(number(m + 4, 4), recording_crc(0, m + 8, 96));
	CHECK_EQ(number(m + 8, 4), 1);
	CHECK_EQ(number(m + 12, 4), 0x100);
	CHECK_EQ(number(m + 16, 8), 1);
	CHECK_EQ(number(m + 24, 8), ~0ULL);
	CHECK_EQ(number(m + 32, 8), 40);
	CHECK_EQ(number(m + 64, 8), 5000000000);
	CHECK_EQ(number(m + 96, 8), 368);
	CHECK_EQ(m[104], 'a');
	CHECK_EQ(number(m + 112, 4), recording_crc(0, m + 104, 8));
	CHECK_EQ(number(m + 116, 4), ~recording_crc(0, m + 104, 8) & 0xffffffff);
	CHECK(!memcmp(m + 120, "ZREC", 4));
	end = b + n - 112;
	CHECK_EQ(number(end + 8, 4), 2);
	CHECK_EQ(number(end + 40, 8), 5);
	CHECK_EQ(n, 368 + 5 * 112 + 8 + 8 + 8 + 16 + 200 + 112);
	free(b);
	free(path);
}

/* ------------------------------------------------------------- what is damaged */

/**
 * struct walk - what a walk through a file has found
 * @good: messages that are as they were made
 * @strange: those that are not
 */
struct walk {
	int open;
	unsigned int good, strange, torn, damaged;
	uint64_t damage_at, damage_bytes;
	bool ended;
};

static bool is_made(const struct recording_in *in)
{
	struct recording_head h;
	unsigned int i;

	for (i = 0; i < TAPE_MESSAGES; i++) {
		h = tape_head(i);
		h.kind = RECORDING_KIND_MESSAGE;
		h.at = in->head.at;
		if (!memcmp(&h, &in->head, sizeof(h)))
			return true;
	}
	return false;
}

static struct walk walk_through(const char *path)
{
	struct recording_in in;
	struct walk w = { .open = recording_open(&in, path) };
	uint64_t at = RECORDING_HEADER;
	int what;

	if (w.open)
		return w;
	while ((what = recording_next(&in)) != RECORDING_EOF) {
		CHECK(what >= 0 && in.at == at && in.bytes);
		if (what < 0 || !in.bytes)
			break;
		at += in.bytes;
		w.good += what == RECORDING_MESSAGE && is_made(&in);
		w.strange += what == RECORDING_MESSAGE && !is_made(&in);
		w.torn += what == RECORDING_TORN;
		if (what == RECORDING_DAMAGED) {
			w.damaged++;
			w.damage_at = in.at;
			w.damage_bytes = in.bytes;
		}
	}
	CHECK_EQ(at, in.size);
	w.ended = in.ended;
	recording_shut(&in);
	return w;
}

/* How many messages are whole in the first @n bytes, and is one torn there? */
static unsigned int whole(size_t n, bool *torn)
{
	size_t at = RECORDING_HEADER;
	unsigned int i;

	for (i = 0; i < TAPE_MESSAGES; i++) {
		if (at + recording_bytes(lengths[i]) > n)
			break;
		at += recording_bytes(lengths[i]);
	}
	*torn = at != n;
	return i;
}

/* After each of its bytes. */
static void recording_torn(void)
{
	char *path = tape_make("tape");
	size_t size, n;
	unsigned char *b = tape_load(path, &size);
	unsigned int good;
	struct walk w;
	bool torn;

	for (n = 0; n < size; n++) {
		tape_store(path, b, n);
		w = walk_through(path);
		if (n < RECORDING_HEADER) {
			CHECK_EQ(w.open, n < 8 ? -EILSEQ : -EBADMSG);
			continue;
		}
		good = whole(n, &torn);
		CHECK_EQ(w.good, good);
		CHECK_EQ(w.torn, torn);
		CHECK_EQ(w.strange + w.damaged, 0);
		CHECK(!w.ended);
	}
	free(b);
	free(path);
}

/* Each of its bits: no change is missed, and none costs more than one message. */
static void recording_flipped(void)
{
	char *path = tape_make("tape");
	size_t n, bit;
	unsigned char *b = tape_load(path, &n);
	struct walk w;

	for (bit = 0; bit < 8 * n; bit++) {
		b[bit / 8] ^= 1 << bit % 8;
		tape_store(path, b, n);
		b[bit / 8] ^= 1 << bit % 8;
		w = walk_through(path);
		if (bit / 8 < RECORDING_HEADER) {
			CHECK(w.open < 0);
			continue;
		}
		CHECK_EQ(w.strange, 0);
		CHECK_EQ(w.torn + w.damaged, 1);
		CHECK_EQ(w.good + w.ended, TAPE_MESSAGES);
	}
	free(b);
	free(path);
}

/* Bytes that are missing, or too many: the next head is elsewhere than it says. */
static void recording_moved(void)
{
	char *path = tape_make("tape");
	size_t n;
	unsigned char *b = tape_load(path, &n);
	struct walk w;

	memmove(b + RECORDING_HEADER, b + RECORDING_HEADER + 8,
		n - RECORDING_HEADER - 8);
	tape_store(path, b, n - 8);
	w = walk_through(path);
	CHECK_EQ(w.good + w.strange + w.ended, 0);
	CHECK_EQ(w.damaged, 1);
	CHECK_EQ(w.damage_bytes, n - 8 - RECORDING_HEADER);
	free(b);
	free(path);
}

/* A message that looks like a recording is none when its own head is damaged. */
static void recording_within(void)
{
	char *inner = tape_make("inner"), *path;
	struct recording_out *o = xrealloc(NULL, 1, sizeof(*o));
	struct recording_head h = tape_head(0);
	struct iovec iov;
	struct walk w;
	size_t n;
	unsigned char *b = tape_load(inner, &n);

	path = xasprintf("%s/outer", test_dir);
	CHECK_EQ(recording_create(o, path, false, &header), 0);
	iov = (struct iovec){ b, n };
	h.length = n;
	CHECK_EQ(recording_put(o, &h, &iov, 1), 0);
	CHECK_EQ(put(o, 1), 0);
	CHECK_EQ(recording_close(o, 0), 0);
	free(b);
	b = tape_load(path, &n);
	b[RECORDING_HEADER] ^= 1;
	tape_store(path, b, n);
	w = walk_through(path);
	CHECK_EQ(w.good, 1);
	CHECK_EQ(w.strange, 0);
	CHECK_EQ(w.damaged, 1);
	CHECK_EQ(w.damage_at, RECORDING_HEADER);
	CHECK(w.ended);
	free(b);
	free(o);
	free(path);
	free(inner);
}

/* What stands behind the end is not believed, be it as good as what is before. */
static void recording_behind_the_end(void)
{
	struct recording_head h = { .kind = 1, .length = 8 };
	char *path = tape_make("tape");
	size_t n;
	unsigned char *b = tape_load(path, &n);
	struct walk w;

	memset(b + n, 0, 500);
	h.at = n;
	recording_pack_head(&h, b + n);
	recording_pack_tail(recording_crc(0, b + n + 104, 8), b + n + 112);
	tape_store(path, b, n + 500);
	w = walk_through(path);
	CHECK_EQ(w.good, TAPE_MESSAGES);
	CHECK_EQ(w.strange, 0);
	CHECK_EQ(w.damaged, 1);
	CHECK_EQ(w.damage_at, n);
	CHECK_EQ(w.damage_bytes, 500);
	free(b);
	free(path);
}

/* Heads with the right checksum and nothing else that is right. */
static void recording_made_up(void)
{
	static const uint64_t length[] = {
		0, 1, 1ULL << 40, ~0ULL, ~0ULL - 7, ~0ULL - 111, ~0ULL - 112,
		~0ULL - 119, ~0ULL - 120, 1ULL << 63,
	};
	static const uint32_t kinds[] = { 0, 1, 2, 3, ~0U };
	char *path = tape_make("tape");
	struct recording_head h = { .at = RECORDING_HEADER };
	size_t n, i, k;
	unsigned char *b = tape_load(path, &n);
	struct walk w;

	for (i = 0; i < sizeof(length) / sizeof(*length); i++)
		for (k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
			if (length[i] == 1 && kinds[k] == 1)
				continue;	/* as it is */
			h.length = length[i];
			h.kind = kinds[k];
			recording_pack_head(&h, b + RECORDING_HEADER);
			tape_store(path, b, n);
			w = walk_through(path);
			CHECK_EQ(w.strange, 0);
			CHECK(w.torn + w.damaged);
		}
	h = (struct recording_head){ .kind = 1, .at = RECORDING_HEADER };
	recording_pack_head(&h, b + RECORDING_HEADER);
	recording_pack_tail(0, b + RECORDING_HEADER + 104);
	tape_store(path, b, n);
	CHECK_EQ(walk_through(path).strange, 0);
	free(b);
	free(path);
}

/* Pieces of recordings in any order. */
static void recording_random(void)
{
	char *path = tape_make("tape");
	size_t n, i, at;
	unsigned char *b = tape_load(path, &n), *c = tape_load(path, &n);
	unsigned int round;

	srandom(1);
	for (round = 0; round < 2000; round++) {
		memcpy(c, b, n);
		for (i = random() % 20; i; i--) {
			at = RECORDING_HEADER + random() % (n - RECORDING_HEADER - 16);
			if (random() % 2)
				c[at] = random();
			else
				memcpy(c + at, b + random() % (n - 16), 16);
		}
		tape_store(path, c, n - random() % 300);
		CHECK_EQ(walk_through(path).strange, 0);
	}
	free(c);
	free(b);
	free(path);
}

static void recording_header_made_up(void)
{
	char *path = tape_make("tape");
	size_t n;
	unsigned char *b = tape_load(path, &n);

	b[8] = 2;
	tape_store(path, b, n);
	CHECK_EQ(walk_through(path).open, -EPROTONOSUPPORT);
	b[8] = 1;
	b[0] = 'z';
	tape_store(path, b, n);
	CHECK_EQ(walk_through(path).open, -EILSEQ);
	CHECK_EQ(walk_through(test_dir).open, -EINVAL);
	CHECK_EQ(walk_through("/dev/null").open, -EINVAL);
	CHECK_EQ(walk_through("/nowhere").open, -ENOENT);
	free(b);
	free(path);
}

/* ------------------------------------------------------------------- writing */

static void recording_is_not_overwritten(void)
{
	struct recording_out *o = xrealloc(NULL, 1, sizeof(*o));
	struct recording_out *p = xrealloc(NULL, 1, sizeof(*p));
	char *path = tape_make("tape");
	struct stat st;

	CHECK_EQ(recording_create(o, path, false, &header), -EEXIST);
	CHECK_EQ(walk_through(path).good, TAPE_MESSAGES);
	CHECK_EQ(recording_create(o, path, true, &header), 0);
	CHECK_EQ(put(o, 1), 0);
	CHECK_EQ(recording_create(p, path, true, &header), -EBUSY);
	CHECK_EQ(recording_close(o, 0), 0);
	CHECK_EQ(walk_through(path).good, 1);
	CHECK(!stat(path, &st));
	CHECK_EQ(st.st_mode & 0777, 0600);
	CHECK_EQ(recording_create(o, "/dev/null", true, &header), -EINVAL);
	CHECK_EQ(recording_create(o, "/nowhere/at/all", false, &header), -ENOENT);
	free(p);
	free(o);
	free(path);
}

/* More than the buffer holds: read as written. */
static void recording_large(void)
{
	struct recording_out *o = xrealloc(NULL, 1, sizeof(*o));
	char *path = xasprintf("%s/large", test_dir);
	size_t n = 3 * sizeof(o->buffer) + 5, i;
	unsigned char *data = xrealloc(NULL, n, 1), *back;
	struct recording_head h = { .length = n };
	struct iovec iov[2] = { { data, 100001 }, { data + 100001, n - 100001 } };
	struct recording_in in;

	for (i = 0; i < n; i++)
		data[i] = i ^ i >> 8;
	CHECK_EQ(recording_create(o, path, false, &header), 0);
	CHECK_EQ(put(o, 0), 0);
	CHECK_EQ(recording_put(o, &h, iov, 2), 0);
	CHECK_EQ(put(o, 1), 0);
	CHECK_EQ(recording_close(o, 0), 0);
	CHECK_EQ(recording_open(&in, path), 0);
	CHECK_EQ(recording_next(&in), RECORDING_MESSAGE);
	CHECK_EQ(recording_next(&in), RECORDING_MESSAGE);
	back = xrealloc(NULL, n, 1);
	CHECK_EQ(recording_read(&in, 0, back, n), 0);
	CHECK(!memcmp(data, back, n));
	CHECK_EQ(recording_next(&in), RECORDING_MESSAGE);
	CHECK_EQ(recording_next(&in), RECORDING_END);
	recording_shut(&in);
	free(back);
	free(data);
	free(path);
	free(o);
}

static void limit(rlim_t bytes)
{
	struct rlimit most = { bytes, RLIM_INFINITY };

	signal(SIGXFSZ, SIG_IGN);
	CHECK(!setrlimit(RLIMIT_FSIZE, &most));
}

/*
 * No more may be written, at any place: what is there is whole, and all that could
 * be, whether each message was written by itself or not.
 */
static void disk_full(bool each)
{
	struct recording_out *o = xrealloc(NULL, 1, sizeof(*o));
	int fd = memfd_create("full", 0);	/* where fsync() takes no time */
	char *path = xasprintf("/proc/self/fd/%d", fd);
	unsigned int i, good;
	struct walk w;
	size_t room;
	int err;
	bool torn;

	for (room = 0; room < 1200; room += 8) {
		limit(room);
		err = recording_create(o, path, true, &header);
		CHECK_EQ(err, room < RECORDING_HEADER ? -EFBIG : 0);
		if (err)
			continue;
		for (i = 0; i < TAPE_MESSAGES && !err; i++)
			err = put(o, i) ?: each ? recording_flush(o) : 0;
		good = whole(room, &torn);
		CHECK_EQ(recording_close(o, 0),
			 room < 368 + 5 * 112 + 240 + 112 ? -EFBIG : 0);
		CHECK_EQ(o->sum.messages, good);
		w = walk_through(path);
		CHECK_EQ(w.good, good);
		CHECK_EQ(w.strange + w.torn + w.damaged, 0);
		limit(RLIM_INFINITY);
	}
	close(fd);
	free(path);
	free(o);
}

static void recording_disk_full(void)
{
	disk_full(true);
	disk_full(false);
}

const struct test_case recording_cases[] = {
	{ "recording_round_trip", recording_round_trip },
	{ "recording_layout", recording_layout },
	{ "recording_torn", recording_torn },
	{ "recording_flipped", recording_flipped },
	{ "recording_moved", recording_moved },
	{ "recording_within", recording_within },
	{ "recording_behind_the_end", recording_behind_the_end },
	{ "recording_made_up", recording_made_up },
	{ "recording_random", recording_random },
	{ "recording_header_made_up", recording_header_made_up },
	{ "recording_is_not_overwritten", recording_is_not_overwritten },
	{ "recording_large", recording_large },
	{ "recording_disk_full", recording_disk_full },
	{}
};
