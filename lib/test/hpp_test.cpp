// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* zcbuf.hpp: who owns what, what fails, and that nothing is left. */
#include <zcbuf/zcbuf.hpp>

#include <array>
#include <string_view>
#include <vector>

extern "C" {
#include "fake.h"
#include "test.h"
}

#if __cplusplus >= 202002L
#include <span>
#endif

namespace
{

using namespace std::string_view_literals;
using std::chrono::hours;
using std::chrono::milliseconds;

const zcbuf_name topic = zcbuf::name("RadarService", "Front", "PointCloud");

template <class T>
constexpr bool moves_only = std::is_nothrow_move_constructible_v<T> &&
			    std::is_nothrow_move_assignable_v<T> &&
			    !std::is_copy_constructible_v<T> &&
			    !std::is_copy_assignable_v<T>;

static_assert(moves_only<zcbuf::pool> && moves_only<zcbuf::buffer>);
static_assert(moves_only<zcbuf::channel> && moves_only<zcbuf::writer>);
static_assert(moves_only<zcbuf::group> && moves_only<zcbuf::sample>);
static_assert(moves_only<zcbuf::publisher> && moves_only<zcbuf::subscriber>);
static_assert(moves_only<zcbuf::appender> && moves_only<zcbuf::record_reader>);
static_assert(sizeof(zcbuf::pool) == sizeof(void *));
static_assert(sizeof(zcbuf::buffer) == sizeof(zcbuf_buf));
static_assert(sizeof(zcbuf::writer) == sizeof(zcbuf_writer));

/* What a factory makes, or the end of the case */
template <class T>
T have(zcbuf::result<T> r)
{
	if (!r)
		test_check(false, __FILE__, __LINE__, "%s", r.error().what());
	ASSERT_EQ(r.error().code(), 0);
	return *std::move(r);
}

bool equal(zcbuf::const_bytes a, std::string_view b)
{
	return a.size() == b.size() && !std::memcmp(a.data(), b.data(), b.size());
}

template <class R>
void fails(const R &r, int number)
{
	EXPECT(!r);
	EXPECT(!r.has_value());
	EXPECT(r.error().is(number));
	EXPECT_EQ(r.error().code(), -number);
}

zcbuf::channel streaming(zcbuf::pool &pool, __u64 threshold)
{
	auto o = zcbuf::opts<zcbuf_channel_opts>();

	o.threshold = threshold;
	o.align = 1;
	o.ports = ZCBUF_PORT_PRODUCE | ZCBUF_PORT_CONSUME;
	return have(zcbuf::channel::create(pool, o));
}

/* ---------------------------------------------------------------- results */

void results()
{
	zcbuf::result<int> seven = 7;
	zcbuf::result<int> none = zcbuf::error(ENOMEM);
	zcbuf::result<void> done;

	EXPECT(seven && *seven == 7 && seven.error().code() == 0);
	EXPECT(done && done.has_value());
	fails(none, ENOMEM);
	EXPECT_EQ(zcbuf::result<int>(seven).value_or(8), 7);
	EXPECT_EQ(zcbuf::result<int>(none).value_or(8), 8);
	EXPECT_EQ(zcbuf::error(ENOMEM).code(), zcbuf::error(-ENOMEM).code());
	EXPECT(none.error().what() == zcbuf_strerror(-ENOMEM));
	fails(zcbuf::result<void>(zcbuf::error(-EPIPE)), EPIPE);
}

void spans()
{
	std::array<int, 4> a = { 1, 2, 3, 4 };
	zcbuf::span<int> s(a.data(), a.size());
	zcbuf::span<const int> c = s;
	int sum = 0;

	for (int i : s.subspan(1))
		sum += i;
	EXPECT_EQ(sum, 9);
	EXPECT_EQ(c.subspan(1, 2).size(), 2);
	EXPECT_EQ(c.subspan(3, 2).size(), 1);
	EXPECT(c.subspan(4).empty() && c.subspan(5, 1).empty());
	EXPECT_EQ(c[3], 4);
	EXPECT_EQ(zcbuf::bytes_of(a).size(), sizeof(a));
	static_assert(!std::is_constructible_v<zcbuf::span<int>,
					       zcbuf::span<const int>>);
#if __cplusplus >= 202002L
	std::span<int> theirs = s;

	EXPECT(theirs.data() == s.data() && theirs.size() == s.size());
#endif
}

void deadlines()
{
	auto before = std::chrono::steady_clock::now();
	auto soon = zcbuf::deadline::in(milliseconds(1500));

	EXPECT_EQ(zcbuf::deadline().ns(), 0);
	EXPECT(zcbuf::deadline::none().ns() == ZCBUF_NO_DEADLINE);
	EXPECT_EQ(zcbuf::deadline::in(milliseconds(0)).ns(), 0);
	EXPECT_EQ(zcbuf::deadline::in(milliseconds(-1)).ns(), 0);
	EXPECT(zcbuf::deadline::in(hours::max()).ns() == ZCBUF_NO_DEADLINE);
	EXPECT(soon.ns() >= zcbuf::deadline::at(before).ns() + 1500000000U);
	EXPECT(soon.ns() <= zcbuf_deadline_ms(1500));
}

/* ----------------------------------------------------------------- pools */

void pools()
{
	unsigned int fds = fake_open_fds();
	{
		auto pool = have(zcbuf::pool::create());
		auto o = zcbuf::opts<zcbuf_attach_opts>();

		o.rights = ZCBUF_RIGHT_MAP_READ | ZCBUF_RIGHT_CONSUME;
		auto other = have(zcbuf::pool::attach("x", o));

		EXPECT_EQ(fake.attach.rights, o.rights);
		EXPECT_EQ(pool.size(), FAKE_ARENA);
		EXPECT(pool.session() && pool.session() != other.session());
		EXPECT_EQ(have(pool.info()).out_size, FAKE_ARENA);
		EXPECT_EQ(pool.range(4096, 100).size(), 100);
		EXPECT(pool.range(FAKE_ARENA, 1).empty());
		fails(pool.grow(), E2BIG);
		EXPECT(pool.close() && !pool.get());
		EXPECT(pool.close());
		pool = std::move(other);
		EXPECT(pool.get() && !other.get());
	}
	EXPECT_EQ(fake.mapped, 0);
	EXPECT_EQ(fake_open_fds(), fds);
	fake.open_error = EACCES;
	fails(zcbuf::pool::create(), EACCES);
}

/* It can be handed to C, and taken back. */
void handed_over()
{
	zcbuf_pool *c = have(zcbuf::pool::create()).release();
	zcbuf::pool pool(c);
	zcbuf_buf raw = have(pool.alloc(100)).release();

	EXPECT(pool.get() == c);
	EXPECT_EQ(fake_bufs(), 1);
	{
		zcbuf::buffer back(raw);

		EXPECT_EQ(back.size(), 100);
	}
	EXPECT_EQ(fake_bufs(), 0);
}

void buffers()
{
	auto pool = have(zcbuf::pool::create());
	{
		auto a = have(pool.alloc(100));
		auto b = have(pool.alloc(5000));

		EXPECT(a && a.size() == 100 && a.capacity() == 4096);
		EXPECT_EQ(a.all().size(), 4096);
		for (std::byte &byte : a)
			byte = std::byte(7);
		EXPECT(a.begin()[99] == std::byte(7));
		EXPECT(a.resize(4096));
		fails(a.resize(4097), ERANGE);
		EXPECT_EQ(zcbuf::const_bytes(a).size(), 4096);
		EXPECT_EQ(fake_bufs(), 2);
		a = std::move(b);
		EXPECT_EQ(fake_bufs(), 1);
		EXPECT(a && !b && a.size() == 5000 && !b.data());
		zcbuf::buffer c(std::move(a));
		EXPECT(c.free() && !c);
		EXPECT(c.free());
		EXPECT_EQ(fake_bufs(), 0);
		a = have(pool.alloc(1));
		fake.fail[ZCBUF_NR_FREE] = EINTR;
		fails(a.free(), EINTR);
		EXPECT(a);
	}
	EXPECT_EQ(fake_bufs(), 0);
	fails(pool.alloc(FAKE_ARENA + 1), E2BIG);
	fake.fail[ZCBUF_NR_ALLOC] = ENOMEM;
	fails(pool.alloc(1), ENOMEM);
}

void given_and_shared()
{
	auto pool = have(zcbuf::pool::create());
	auto other = have(zcbuf::pool::attach("x"));
	auto buffer = have(pool.alloc(100));
	__u64 handle = buffer.handle();

	EXPECT(buffer.share(other.session()));
	fails(buffer.share(other.session()), EALREADY);
	auto theirs = have(other.adopt(handle, 100));
	EXPECT(buffer.free());
	EXPECT_EQ(fake_bufs(), 1);
	fails(theirs.give(other.session()), EINVAL);
	EXPECT(theirs);
	EXPECT(theirs.give(pool.session()) && !theirs);
	buffer = have(pool.adopt(handle, 50));
	EXPECT_EQ(buffer.size(), 50);
	auto fd = have(buffer.to_dmabuf());
	EXPECT(fd >= 0);
	fails(other.adopt(handle, 50), EPERM);
}

/* ---------------------------------------------------------------- streams */

void writers()
{
	auto pool = have(zcbuf::pool::create());
	auto channel = streaming(pool, 100);
	{
		auto w = have(channel.reserve(10));

		EXPECT(w.is_open() && w.all().size() == 10);
		EXPECT(w.put(zcbuf::bytes_of("hello"sv)));
		EXPECT_EQ(w.room().size(), 5);
		fails(w.put(zcbuf::bytes_of("worlds"sv)), EFBIG);
		std::memcpy(w.room().data(), "world", 5);
		EXPECT(w.placed(5) && w.room().empty());
		EXPECT(equal(w.all(), "helloworld"));
		EXPECT(w.commit() && !w.is_open());
		fails(w.commit(), EALREADY);
		EXPECT(w.drop());
	}
	EXPECT_EQ(fake.resv[0].state, FAKE_COMMITTED);
	auto w = have(channel.reserve(4));
	auto other = std::move(w);
	EXPECT(!w.is_open() && other.is_open());
	EXPECT_EQ(fake.resv[1].state, FAKE_PENDING);
	other = have(channel.reserve(4));
	EXPECT_EQ(fake.resv[1].state, FAKE_FAILED);
	EXPECT(other.submit(zcbuf::bytes_of("four"sv)));
	EXPECT_EQ(fake.resv[2].state, FAKE_COMMITTED);
	{
		auto lost = have(channel.reserve(4));
	}
	EXPECT_EQ(fake.resv[3].state, FAKE_FAILED);
	fake.fail[ZCBUF_NR_RESERVE] = ETIMEDOUT;
	fails(channel.reserve(4, 0, zcbuf::deadline::in(milliseconds(1))),
	      ETIMEDOUT);
}

void windows()
{
	auto pool = have(zcbuf::pool::create());
	auto channel = streaming(pool, 1000);
	auto w = have(channel.reserve(100, ZCBUF_RESERVE_F_WINDOW));
	auto record = have(w.carve(30));

	EXPECT_EQ(record.size(), 30);
	EXPECT(record.data() == w.all().data());
	EXPECT_EQ(have(w.carve(70)).size(), 70);
	fails(w.carve(1), EFBIG);
	EXPECT(w.tag(5, 6));
	EXPECT(have(w.turn(50, ZCBUF_RESERVE_F_WINDOW)));
	EXPECT(w.is_open() && w.all().size() == 50);
	EXPECT_EQ(fake.resv[0].nrecords, 2);
	EXPECT(w.put(zcbuf::bytes_of("x"sv)));
	fake.reserve_error = EAGAIN;
	EXPECT(!have(w.turn(50, ZCBUF_RESERVE_F_WINDOW)));
	EXPECT(!w.is_open() && w.reserve_error().is(EAGAIN));
	EXPECT_EQ(fake.resv[1].used, 1);
	fails(w.turn(50), EALREADY);
	EXPECT(channel.finalize());
	fails(channel.reserve(1), ESHUTDOWN);
}

/* The fake has deliveries of its own, which are where it says. */
void deliveries(unsigned int n)
{
	fake.ndeliveries = n;
	for (unsigned int i = 0; i < n; i++) {
		zcbuf_delivery &d = fake.deliveries[i];

		d.handle = 100 + i;
		d.length = 10;
		d.nextents = 1;
		d.extents[0].pool_offset = 4096 * i;
		d.extents[0].length = 10;
	}
}

void readers()
{
	auto pool = have(zcbuf::pool::create());
	auto channel = streaming(pool, 100);
	zcbuf::reader reader(channel);

	std::memcpy(pool.range(0, 10).data(), "0123456789", 10);
	deliveries(1);
	{
		auto group = have(reader.next());
		auto data = have(group.data());

		EXPECT_EQ(group.size(), 10);
		EXPECT_EQ(data.size(), 1);
		EXPECT(equal(data[0], "0123456789"));
		for (auto piece : data)
			EXPECT(piece.data() == pool.range(0, 1).data());
		auto moved = std::move(group);
		EXPECT(moved && !group);
		EXPECT(!group.size() && !have(group.data()).size());
		EXPECT_EQ(fake.calls[ZCBUF_NR_RELEASE], 0);
	}
	EXPECT_EQ(fake.calls[ZCBUF_NR_RELEASE], 1);
	EXPECT_EQ(fake.released, 100);
	fake.ndeliveries = 0;
	fails(reader.next(), EAGAIN);
}

void read_in_batches()
{
	auto pool = have(zcbuf::pool::create());
	auto channel = streaming(pool, 100);
	zcbuf::reader reader(channel);
	std::size_t bytes = 0;
	auto add = [&](const zcbuf::group_view &g) { bytes += g.size(); };

	deliveries(3);
	EXPECT_EQ(have(reader.each(8, zcbuf::deadline::none(), add)), 3);
	EXPECT_EQ(bytes, 30);
	EXPECT_EQ(fake.calls[ZCBUF_NR_RECEIVE], 1);
	EXPECT_EQ(fake.calls[ZCBUF_NR_RELEASE], 1);
	EXPECT_EQ(fake.receive.deadline_ns, ZCBUF_NO_DEADLINE);
	EXPECT_EQ(have(reader.each(2, zcbuf::deadline(), add)), 2);
	fake.fail[ZCBUF_NR_RELEASE] = EBADSLT;
	fails(reader.each(2, zcbuf::deadline(), add), EBADSLT);
	fake.ndeliveries = 0;
	bytes = 0;
	fails(reader.each(2, zcbuf::deadline(), add), EAGAIN);
	EXPECT_EQ(bytes, 0);
}

/* ----------------------------------------------------------------- topics */

void messages()
{
	auto pool = have(zcbuf::pool::create());
	auto other = have(zcbuf::pool::attach("x"));
	{
		auto pub = have(zcbuf::publisher::open(pool, topic));
		auto sub = have(zcbuf::subscriber::open(other, topic));
		zcbuf_publication entry{};

		fails(sub.take(), EAGAIN);
		{
			auto loan = have(pub.loan(144));

			std::memcpy(loan.data(), "first", 5);
			EXPECT(loan.resize(5));
			EXPECT(pub.publish(loan, zcbuf::deadline(), &entry));
			EXPECT(!loan);
			EXPECT_EQ(entry.out_delivered, 1);
			fails(pub.publish(loan), EALREADY);
		}
		EXPECT(pub.send(zcbuf::bytes_of("second"sv)));
		{
			auto first = have(sub.take());
			auto second = have(sub.take());

			EXPECT(equal(first.data(), "first"));
			EXPECT_EQ(second.seq(), 1);
			EXPECT_EQ(fake_messages(), 2);
			first = std::move(second);
			EXPECT_EQ(fake_messages(), 1);
			EXPECT(equal(first.data(), "second") && !second);
			EXPECT(second.data().empty() && !second.size());
			auto third = std::move(first);
			EXPECT(!first && first.data().empty() && !first.size());
			first = std::move(third);
			std::array<char, 16> text;
			auto n = sub.decode(first,
					    zcbuf::bytes_at(text.data(), text.size()));
			EXPECT_EQ(have(n), 6);
			EXPECT(first.release() && !first);
			EXPECT(first.release());
		}
		EXPECT_EQ(fake_messages(), 0);
		EXPECT_EQ(sub.lost(), 0);
		auto kept = have(pub.loan(1));
	}
	EXPECT_EQ(fake_bufs(), 0);
	EXPECT_EQ(fake_topics(), 0);
}

void a_message_that_fails()
{
	auto pool = have(zcbuf::pool::create());
	auto pub = have(zcbuf::publisher::open(pool));
	auto loan = have(pub.loan(10));

	fake.fail[ZCBUF_NR_PUBLISH] = EAGAIN;
	fails(pub.publish(loan), EAGAIN);
	EXPECT(loan && loan.size() == 10);
	fails(pub.publish(loan, zcbuf::deadline(), nullptr,
			  ZCBUF_PUBLISH_F_NEED_CONSUMER), EPIPE);
	auto by_handle = zcbuf::opts<zcbuf_subscriber_opts>();
	by_handle.channel = pub.handle();
	auto sub = have(zcbuf::subscriber::open(pool, by_handle));
	EXPECT(pub.publish(loan));
	EXPECT(have(sub.take()).size() == 10);
	EXPECT_EQ(fake_messages(), 0);
}

void take_in_batches()
{
	auto pool = have(zcbuf::pool::create());
	auto pub = have(zcbuf::publisher::open(pool, topic));
	auto sub = have(zcbuf::subscriber::open(pool, topic));
	std::vector<__u64> seen;
	auto note = [&](const zcbuf::sample_view &s) { seen.push_back(s.seq()); };

	for (int i = 0; i < 40; i++)
		EXPECT(pub.send(zcbuf::bytes_of("x"sv)));
	EXPECT_EQ(have(sub.each(5, zcbuf::deadline(), note)), 5);
	EXPECT_EQ(have(sub.each(100, zcbuf::deadline(), note)), 32);
	EXPECT_EQ(have(sub.each(100, zcbuf::deadline(), note)), 3);
	fails(sub.each(100, zcbuf::deadline(), note), EAGAIN);
	EXPECT_EQ(seen.size(), 40);
	for (std::size_t i = 0; i < seen.size(); i++)
		EXPECT_EQ(seen[i], i);
	EXPECT_EQ(fake_messages(), 0);
}

/* A batch stops in the middle, and what the rest of it says is the answer. */
void released_by_somebody_else()
{
	auto pool = have(zcbuf::pool::create());
	auto pub = have(zcbuf::publisher::open(pool, topic));
	auto sub = have(zcbuf::subscriber::open(pool, topic));
	auto release = [&](const zcbuf::sample_view &s) {
		zcbuf_sample copy = *s.get();

		if (s.seq() == 1)
			zcbuf_subscriber_release(sub.get(), &copy, 1);
	};

	for (int i = 0; i < 3; i++)
		EXPECT(pub.send(zcbuf::bytes_of("x"sv)));
	fails(sub.each(3, zcbuf::deadline(), release), EBADSLT);
	EXPECT_EQ(fake_messages(), 1);
}

/* ---------------------------------------------------------------- records */

void appended()
{
	auto pool = have(zcbuf::pool::create());
	auto channel = streaming(pool, 1 << 20);
	auto o = zcbuf::opts<zcbuf_appender_opts>();

	o.flags = ZCBUF_APPENDER_F_FRAMED;
	{
		auto appender = have(zcbuf::appender::open(channel, o));
		auto record = have(appender.reserve(16));
		auto frame = pool.range(fake.resv[0].pool_offset, 8);

		EXPECT(record.size() == 16 && record.data() == frame.end());
		std::memcpy(record.data(), "hello", 5);
		EXPECT(appender.commit(5));
		fails(appender.commit(5), EALREADY);
		EXPECT(appender.put(zcbuf::bytes_of("world"sv)));
		EXPECT(have(appender.flush()));
		EXPECT(!have(appender.flush()));
		EXPECT_EQ(fake.resv[0].nrecords, 2);
		EXPECT(appender.put(zcbuf::bytes_of("last"sv)));
		auto moved = std::move(appender);
		EXPECT(have(moved.reserve(8)).size() == 8);
		fails(moved.flush(), EBUSY);
		moved.cancel();
	}
	EXPECT_EQ(fake.nresv, 2);
	EXPECT_EQ(fake.resv[1].nrecords, 1);
	EXPECT_EQ(fake.resv[1].state, FAKE_COMMITTED);
}

void records_read()
{
	auto pool = have(zcbuf::pool::create());
	auto pub = have(zcbuf::publisher::open(pool, topic));
	auto sub = have(zcbuf::subscriber::open(pool, topic));
	{
		auto reader = have(zcbuf::record_reader::open(sub));
		const zcbuf_frame frames[] = { { 5, 0 }, { 3, 0 } };
		auto loan = have(pub.loan(100));

		EXPECT(!reader.delivery());
		std::memset(loan.data(), 0, 100);
		std::memcpy(loan.data(), &frames[0], 8);
		std::memcpy(loan.data() + 8, "hello", 5);
		std::memcpy(loan.data() + 16, &frames[1], 8);
		std::memcpy(loan.data() + 24, "abc", 3);
		EXPECT(loan.resize(27));
		EXPECT(pub.publish(loan));
		EXPECT(equal(have(reader.next()), "hello"));
		EXPECT(equal(have(reader.next()), "abc"));
		EXPECT_EQ(reader.delivery()->seq, 0);
		EXPECT_EQ(fake_messages(), 1);
		fails(reader.next(), EAGAIN);
		EXPECT_EQ(fake_messages(), 0);
	}
}

const test_case cases[] = {
	CASE(results),
	CASE(spans),
	CASE(deadlines),
	CASE(pools),
	CASE(handed_over),
	CASE(buffers),
	CASE(given_and_shared),
	CASE(writers),
	CASE(windows),
	CASE(readers),
	CASE(read_in_batches),
	CASE(messages),
	CASE(a_message_that_fails),
	CASE(take_in_batches),
	CASE(released_by_somebody_else),
	CASE(appended),
	CASE(records_read),
};

} /* namespace */

TEST_MAIN(cases)
