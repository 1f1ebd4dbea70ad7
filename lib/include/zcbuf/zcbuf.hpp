/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * zcbuf in C++17: owners of what <zcbuf/zcbuf.h> hands out, which is the manual:
 * nothing here does more than the function of that name, and nothing costs more.
 *
 *	auto pool = zcbuf::pool::create();
 *	if (!pool)
 *		return complain(pool.error().what());
 *	auto buffer = pool->alloc(4096);
 *	if (buffer)
 *		fill(buffer->data(), buffer->size());
 *
 * Results. What can fail returns a result<T>: a value, or an error. It throws
 * nothing, and needs neither exceptions nor RTTI; looking at a value that is not
 * there is undefined, as with std::expected of C++23.
 *
 * Ownership. Every class that closes or frees something can be moved and not copied.
 * What was moved from is empty: get() is NULL, or there are no bytes; it can be
 * destroyed or assigned to. A destructor cannot say what has failed: who wants to know
 * calls close(), free(), release() or drop() before.
 *
 * Lifetimes. A pool outlives its buffers, writers, channels, publishers and
 * subscribers, and these outlive the groups and samples that came of them: objects are
 * destroyed in the order that declaring them one after the other gives.
 *
 * Threads, fork() and errors are as there. get() gives the C object, for all that has
 * no name here.
 */
#ifndef ZCBUF_HPP
#define ZCBUF_HPP

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <optional>
#include <type_traits>
#include <utility>

#include <zcbuf/zcbuf.h>

namespace zcbuf
{

/* ---------------------------------------------------------------- results */

/* A negative errno, and what it means here */
class error {
public:
	constexpr error() noexcept = default;
	constexpr explicit error(int code) noexcept
		: code_(code > 0 ? -code : code)
	{
	}

	/* negative, as the C functions return it; 0: none */
	constexpr int code() const noexcept
	{
		return code_;
	}
	/* if (e.is(EAGAIN)) */
	constexpr bool is(int number) const noexcept
	{
		return code_ == -number;
	}
	const char *what() const noexcept
	{
		return zcbuf_strerror(code_);
	}

private:
	int code_ = 0;
};

/* A value, or why there is none */
template <class T>
class [[nodiscard]] result {
public:
	using value_type = T;

	result(T value) noexcept : value_(std::move(value))
	{
	}
	result(zcbuf::error e) noexcept : error_(e)
	{
	}

	bool has_value() const noexcept
	{
		return value_.has_value();
	}
	explicit operator bool() const noexcept
	{
		return value_.has_value();
	}
	/* code() is 0 if there is a value */
	zcbuf::error error() const noexcept
	{
		return error_;
	}
	T &operator*() & noexcept
	{
		return *value_;
	}
	const T &operator*() const & noexcept
	{
		return *value_;
	}
	T &&operator*() && noexcept
	{
		return *std::move(value_);
	}
	T *operator->() noexcept
	{
		return &*value_;
	}
	const T *operator->() const noexcept
	{
		return &*value_;
	}
	template <class U>
	T value_or(U &&otherwise) && noexcept
	{
		return value_ ? *std::move(value_) :
				static_cast<T>(std::forward<U>(otherwise));
	}

private:
	std::optional<T> value_;
	zcbuf::error error_;
};

/* That it was done, or why not */
template <>
class [[nodiscard]] result<void> {
public:
	using value_type = void;

	result() noexcept = default;
	result(zcbuf::error e) noexcept : error_(e)
	{
	}

	bool has_value() const noexcept
	{
		return !error_.code();
	}
	explicit operator bool() const noexcept
	{
		return has_value();
	}
	zcbuf::error error() const noexcept
	{
		return error_;
	}

private:
	zcbuf::error error_;
};

namespace detail
{

inline result<void> done(int err) noexcept
{
	return err < 0 ? result<void>(error(err)) : result<void>();
}

inline result<unsigned int> counted(int n) noexcept
{
	if (n < 0)
		return error(n);
	return static_cast<unsigned int>(n);
}

/* A call stops at the first that fails: again for the rest, which says why. */
template <class F>
result<unsigned int> all_of(result<unsigned int> n, F &&call)
{
	unsigned int from = 0;

	while (n && from < *n) {
		auto done = counted(call(from, *n - from));

		if (!done)
			return done;
		from += *done;
	}
	return n;
}

/* A C object that ends with @Close, which answers a negative errno or 0. */
template <class T, int (*Close)(T *)>
class owner {
public:
	owner() noexcept = default;
	explicit owner(T *object) noexcept : object_(object)
	{
	}
	owner(owner &&other) noexcept : object_(other.release())
	{
	}
	owner &operator=(owner &&other) noexcept
	{
		if (this != &other) {
			static_cast<void>(close());
			object_ = other.release();
		}
		return *this;
	}
	~owner()
	{
		static_cast<void>(close());
	}

	T *get() const noexcept
	{
		return object_;
	}
	/* It is the caller's, to be closed. */
	T *release() noexcept
	{
		return std::exchange(object_, nullptr);
	}
	result<void> close() noexcept
	{
		T *object = release();

		return done(object ? Close(object) : 0);
	}

private:
	T *object_ = nullptr;
};

} /* namespace detail */

/* ---------------------------------------------------------------- memory */

/* Bytes of somebody else, as std::span of C++20, to which it converts */
template <class T>
class span {
public:
	using element_type = T;
	using value_type = std::remove_cv_t<T>;
	using size_type = std::size_t;
	using iterator = T *;

	constexpr span() noexcept = default;
	constexpr span(T *data, std::size_t size) noexcept
		: data_(data), size_(size)
	{
	}
	/* of what can be written a span of what can be read */
	template <class U, class = std::enable_if_t<
				   std::is_convertible_v<U (*)[], T (*)[]>>>
	constexpr span(const span<U> &other) noexcept
		: data_(other.data()), size_(other.size())
	{
	}

	constexpr T *data() const noexcept
	{
		return data_;
	}
	constexpr std::size_t size() const noexcept
	{
		return size_;
	}
	constexpr bool empty() const noexcept
	{
		return !size_;
	}
	constexpr T *begin() const noexcept
	{
		return data_;
	}
	constexpr T *end() const noexcept
	{
		return data_ + size_;
	}
	constexpr T &operator[](std::size_t i) const noexcept
	{
		return data_[i];
	}
	/* what there is of @n elements from @offset on */
	constexpr span subspan(std::size_t offset,
			       std::size_t n = ~std::size_t(0)) const noexcept
	{
		std::size_t left = offset < size_ ? size_ - offset : 0;

		return left ? span(data_ + offset, n < left ? n : left) :
			      span();
	}

private:
	T *data_ = nullptr;
	std::size_t size_ = 0;
};

using bytes = span<std::byte>;
using const_bytes = span<const std::byte>;

inline bytes bytes_at(void *data, std::size_t n) noexcept
{
	return bytes(static_cast<std::byte *>(data), n);
}

inline const_bytes bytes_at(const void *data, std::size_t n) noexcept
{
	return const_bytes(static_cast<const std::byte *>(data), n);
}

/* The bytes of a string, a vector, an array, or what else has data() and size() */
template <class C>
const_bytes bytes_of(const C &c) noexcept
{
	using element = std::remove_reference_t<decltype(*c.data())>;

	static_assert(std::is_trivially_copyable_v<element>);
	return bytes_at(static_cast<const void *>(c.data()),
			c.size() * sizeof(element));
}

/* -------------------------------------------------------------- deadlines */

/* How long to wait: not at all, unless something is said */
class deadline {
public:
	constexpr deadline() noexcept = default;

	/* without end */
	static constexpr deadline none() noexcept
	{
		return deadline(ZCBUF_NO_DEADLINE);
	}
	static deadline at(std::chrono::steady_clock::time_point when) noexcept
	{
		auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(
				  when.time_since_epoch())
				  .count();

		return deadline(ns > 0 ? static_cast<__u64>(ns) : 0);
	}
	/* from now; what is longer than a hundred years is without end */
	template <class Rep, class Period>
	static deadline in(std::chrono::duration<Rep, Period> d) noexcept
	{
		using std::chrono::hours;
		using clock = std::chrono::steady_clock;

		if (d >= hours(24 * 36525))
			return none();
		if (d <= d.zero())
			return deadline();
		return at(clock::now() +
			  std::chrono::duration_cast<clock::duration>(d));
	}
	constexpr __u64 ns() const noexcept
	{
		return ns_;
	}

private:
	constexpr explicit deadline(__u64 ns) noexcept : ns_(ns)
	{
	}
	__u64 ns_ = 0;
};

/* auto o = zcbuf::opts<zcbuf_pool_opts>(): zero, and sz is set */
template <class T>
constexpr T opts() noexcept
{
	T o{};

	o.sz = sizeof(T);
	return o;
}

/* A topic's or channel's name; the strings are the caller's. */
inline zcbuf_name name(const char *service, const char *instance,
		       const char *event, const char *domain = nullptr) noexcept
{
	zcbuf_name n{};

	n.domain = domain;
	n.service = service;
	n.instance = instance;
	n.event = event;
	return n;
}

/* --------------------------------------------------------------- buffers */

/* A buffer of a pool; freed when it goes */
class buffer {
public:
	buffer() noexcept = default;
	/* owns @buf from now on */
	explicit buffer(const zcbuf_buf &buf) noexcept : buf_(buf)
	{
	}
	buffer(buffer &&other) noexcept : buf_(other.release())
	{
	}
	buffer &operator=(buffer &&other) noexcept
	{
		if (this != &other) {
			static_cast<void>(free());
			buf_ = other.release();
		}
		return *this;
	}
	~buffer()
	{
		static_cast<void>(free());
	}

	explicit operator bool() const noexcept
	{
		return buf_.handle;
	}
	std::byte *data() const noexcept
	{
		return static_cast<std::byte *>(buf_.data);
	}
	std::size_t size() const noexcept
	{
		return buf_.length;
	}
	std::size_t capacity() const noexcept
	{
		return buf_.capacity;
	}
	std::byte *begin() const noexcept
	{
		return data();
	}
	std::byte *end() const noexcept
	{
		return data() + size();
	}
	bytes used() const noexcept
	{
		return bytes(data(), size());
	}
	bytes all() const noexcept
	{
		return bytes(data(), capacity());
	}
	operator bytes() const noexcept
	{
		return used();
	}
	operator const_bytes() const noexcept
	{
		return used();
	}
	__u64 handle() const noexcept
	{
		return buf_.handle;
	}
	__u64 offset() const noexcept
	{
		return buf_.offset;
	}
	result<void> resize(std::size_t n) noexcept
	{
		return detail::done(zcbuf_buf_set_length(&buf_, n));
	}
	/* empty when it is done: see zcbuf_buf_give() */
	result<void> give(__u64 session) noexcept
	{
		return detail::done(zcbuf_buf_give(&buf_, session));
	}
	result<void> share(__u64 session) const noexcept
	{
		return detail::done(zcbuf_buf_share(&buf_, session));
	}
	/* a dma-buf: a descriptor, the caller's */
	result<int> to_dmabuf(__u64 from = 0, __u64 n = 0,
			      __u32 flags = 0) const noexcept
	{
		int fd = zcbuf_buf_export(&buf_, from, n, flags);

		return fd < 0 ? result<int>(error(fd)) : result<int>(fd);
	}
	/* if it fails it is still here */
	result<void> free() noexcept
	{
		return detail::done(zcbuf_buf_free(&buf_));
	}

	zcbuf_buf *get() noexcept
	{
		return &buf_;
	}
	const zcbuf_buf *get() const noexcept
	{
		return &buf_;
	}
	/* It is the caller's, to be freed. */
	zcbuf_buf release() noexcept
	{
		return std::exchange(buf_, zcbuf_buf{});
	}

private:
	zcbuf_buf buf_{};
};

/* ----------------------------------------------------------------- pools */

using pool_info = struct zcbuf_pool_info;

class pool : public detail::owner<zcbuf_pool, zcbuf_pool_close> {
public:
	using owner::owner;

	static result<pool> create(const zcbuf_pool_opts &o =
					   opts<zcbuf_pool_opts>()) noexcept
	{
		zcbuf_pool *p;

		return made(zcbuf_pool_create(&p, &o), p);
	}
	static result<pool> attach(const char *name,
				   const zcbuf_attach_opts &o =
					   opts<zcbuf_attach_opts>()) noexcept
	{
		zcbuf_pool *p;

		return made(zcbuf_pool_attach(&p, name, &o), p);
	}
	/* @fd stays the caller's */
	static result<pool> attach_fd(int fd,
				      const zcbuf_attach_opts &o =
					      opts<zcbuf_attach_opts>()) noexcept
	{
		zcbuf_pool *p;

		return made(zcbuf_pool_attach_fd(&p, fd, &o), p);
	}

	int fd() const noexcept
	{
		return zcbuf_pool_fd(get());
	}
	std::size_t size() const noexcept
	{
		return zcbuf_pool_size(get());
	}
	__u32 rights() const noexcept
	{
		return zcbuf_pool_rights(get());
	}
	__u64 session() const noexcept
	{
		return zcbuf_pool_session(get());
	}
	/* without its classes */
	result<pool_info> info() const noexcept
	{
		pool_info i{};
		int err;

		i.size = sizeof(i);
		err = zcbuf_pool_info(get(), &i);
		return err ? result<pool_info>(error(err)) :
			     result<pool_info>(i);
	}
	/* the number of the new arena */
	result<unsigned int> grow() noexcept
	{
		return detail::counted(zcbuf_pool_grow(get()));
	}
	/* empty if any of it is outside */
	bytes range(__u64 offset, std::size_t n) const noexcept
	{
		void *at = zcbuf_pool_range(get(), offset, n);

		return at ? bytes_at(at, n) : bytes();
	}
	result<buffer> alloc(std::size_t n) noexcept
	{
		return alloc(n, opts<zcbuf_buf_opts>());
	}
	result<buffer> alloc(std::size_t n, const zcbuf_buf_opts &o) noexcept
	{
		zcbuf_buf b;
		int err = zcbuf_buf_alloc_opts(get(), n, &o, &b);

		return err ? result<buffer>(error(err)) :
			     result<buffer>(buffer(b));
	}
	/* one that was given to this session: see zcbuf_buf_adopt() */
	result<buffer> adopt(__u64 handle, std::size_t n) noexcept
	{
		zcbuf_buf b;
		int err = zcbuf_buf_adopt(get(), handle, n, &b);

		return err ? result<buffer>(error(err)) :
			     result<buffer>(buffer(b));
	}
	result<void> log(const zcbuf_log &l) noexcept
	{
		return detail::done(zcbuf_pool_log(get(), &l));
	}

private:
	static result<pool> made(int err, zcbuf_pool *&p) noexcept
	{
		return err ? result<pool>(error(err)) : result<pool>(pool(p));
	}
};

/* ---------------------------------------------------------------- writers */

/* A reservation that is being written; aborted when it goes, if it is still open */
class writer {
public:
	writer() noexcept = default;
	/* owns @w from now on */
	explicit writer(const zcbuf_writer &w) noexcept : writer_(w)
	{
	}
	writer(writer &&other) noexcept : writer_(other.release())
	{
	}
	writer &operator=(writer &&other) noexcept
	{
		if (this != &other) {
			static_cast<void>(drop());
			writer_ = other.release();
		}
		return *this;
	}
	~writer()
	{
		static_cast<void>(drop());
	}

	bool is_open() const noexcept
	{
		return writer_.is_open;
	}
	/* all of it, whatever was put */
	bytes all() const noexcept
	{
		return bytes_at(static_cast<void *>(writer_.data),
				writer_.length);
	}
	/* what is free, for placed() */
	bytes room() const noexcept
	{
		return all().subspan(writer_.used);
	}
	result<void> put(const_bytes data) noexcept
	{
		return detail::done(
			zcbuf_writer_put(&writer_, data.data(), data.size()));
	}
	result<void> placed(std::size_t n) noexcept
	{
		return detail::done(zcbuf_writer_placed(&writer_, n));
	}
	/* room for one record, to be written before the commit */
	result<bytes> carve(std::size_t n) noexcept
	{
		void *at;
		int err = zcbuf_writer_carve(&writer_, n, &at);

		return err ? result<bytes>(error(err)) :
			     result<bytes>(bytes_at(at, n));
	}
	result<void> tag(__u64 user_tag, __u32 encoding) noexcept
	{
		return detail::done(
			zcbuf_writer_tag(&writer_, user_tag, encoding));
	}
	result<void> commit() noexcept
	{
		return detail::done(zcbuf_writer_commit(&writer_));
	}
	result<void> submit(const_bytes data) noexcept
	{
		return detail::done(zcbuf_writer_submit(&writer_, data.data(),
							data.size()));
	}
	result<void> submit_placed(std::size_t n) noexcept
	{
		return detail::done(zcbuf_writer_submit_placed(&writer_, n));
	}
	/* true: open on the next one; false: committed, see reserve_error() */
	result<bool> turn(std::size_t n, __u32 flags = 0,
			  deadline d = deadline()) noexcept
	{
		int done = zcbuf_writer_turn(&writer_, n, flags, d.ns());

		return done < 0 ? result<bool>(error(done)) :
				  result<bool>(done > 0);
	}
	error reserve_error() const noexcept
	{
		return error(writer_.error);
	}
	/* gives up; nothing, if it is not open */
	result<void> drop() noexcept
	{
		return detail::done(zcbuf_writer_drop(&writer_));
	}

	zcbuf_writer *get() noexcept
	{
		return &writer_;
	}
	/* It is the caller's, to be decided. */
	zcbuf_writer release() noexcept
	{
		return std::exchange(writer_, zcbuf_writer{});
	}

private:
	zcbuf_writer writer_{};
};

/* --------------------------------------------------------------- channels */

class channel : public detail::owner<zcbuf_channel, zcbuf_channel_close> {
public:
	using owner::owner;

	static result<channel> create(pool &p,
				      const zcbuf_channel_opts &o) noexcept
	{
		zcbuf_channel *c;
		int err = zcbuf_channel_create(p.get(), &o, &c);

		return err ? result<channel>(error(err)) :
			     result<channel>(channel(c));
	}
	static result<channel> attach(pool &p, __u64 handle, __u32 ports,
				      __u32 depth = 0) noexcept
	{
		zcbuf_channel *c;
		int err = zcbuf_channel_attach(p.get(), handle, ports, depth,
					       &c);

		return err ? result<channel>(error(err)) :
			     result<channel>(channel(c));
	}

	__u64 handle() const noexcept
	{
		return zcbuf_channel_handle(get());
	}
	result<writer> reserve(std::size_t n, __u32 flags = 0,
			       deadline d = deadline()) noexcept
	{
		zcbuf_writer w;
		int err = zcbuf_writer_reserve(get(), n, flags, d.ns(), &w);

		return err ? result<writer>(error(err)) :
			     result<writer>(writer(w));
	}
	/* true: there was an open group */
	result<bool> flush() noexcept
	{
		int sealed = zcbuf_channel_flush(get());

		return sealed < 0 ? result<bool>(error(sealed)) :
				    result<bool>(sealed > 0);
	}
	result<zcbuf_counts> finalize() noexcept
	{
		zcbuf_counts counts{};
		int err = zcbuf_channel_finalize(get(), &counts);

		return err ? result<zcbuf_counts>(error(err)) :
			     result<zcbuf_counts>(counts);
	}
	result<void> leave(__u32 ports) noexcept
	{
		return detail::done(zcbuf_channel_leave(get(), ports));
	}
	/* a descriptor, the caller's */
	result<int> eventfd(__u32 flags = 0) noexcept
	{
		int fd = zcbuf_channel_eventfd(get(), flags);

		return fd < 0 ? result<int>(error(fd)) : result<int>(fd);
	}
};

/* ---------------------------------------------------------------- readers */

/* The one or two pieces of a group */
class pieces {
public:
	const const_bytes *begin() const noexcept
	{
		return pieces_;
	}
	const const_bytes *end() const noexcept
	{
		return pieces_ + size_;
	}
	std::size_t size() const noexcept
	{
		return size_;
	}
	const_bytes operator[](std::size_t i) const noexcept
	{
		return pieces_[i];
	}
	void add(const iovec &v) noexcept
	{
		pieces_[size_++] = bytes_at(
			static_cast<const void *>(v.iov_base), v.iov_len);
	}

private:
	const_bytes pieces_[ZCBUF_MAX_EXTENTS];
	std::size_t size_ = 0;
};

/* A group that somebody has received and will release */
class group_view {
public:
	group_view() noexcept = default;
	group_view(zcbuf_channel *c, const zcbuf_delivery &d) noexcept
		: channel_(c), delivery_(d)
	{
	}

	/* bytes of it */
	std::size_t size() const noexcept
	{
		return static_cast<std::size_t>(delivery_.length);
	}
	/* where they are: ENOMEM, if that could not be mapped now; none when released */
	result<pieces> data() const noexcept
	{
		iovec v[ZCBUF_MAX_EXTENTS];
		pieces all;
		int n, i;

		if (!channel_)
			return all;
		n = zcbuf_delivery_iovec(zcbuf_channel_pool(channel_),
					 &delivery_, v);
		if (n < 0)
			return error(n);
		for (i = 0; i < n; i++)
			all.add(v[i]);
		return all;
	}
	const zcbuf_delivery &delivery() const noexcept
	{
		return delivery_;
	}

protected:
	zcbuf_channel *channel_ = nullptr;
	zcbuf_delivery delivery_{};
};

/* One that is released when it goes */
class group : public group_view {
public:
	using group_view::group_view;

	group() noexcept = default;
	group(group &&other) noexcept
		: group_view(std::exchange(static_cast<group_view &>(other),
					   group_view()))
	{
	}
	group &operator=(group &&other) noexcept
	{
		if (this != &other) {
			static_cast<void>(release());
			static_cast<group_view &>(*this) = std::exchange(
				static_cast<group_view &>(other), group_view());
		}
		return *this;
	}
	~group()
	{
		static_cast<void>(release());
	}

	explicit operator bool() const noexcept
	{
		return channel_;
	}
	result<void> release() noexcept
	{
		zcbuf_channel *c = std::exchange(channel_, nullptr);

		return detail::done(
			c ? zcbuf_release(c, &delivery_.handle, 1) : 0);
	}
};

/* Receives of a channel, of which it needs the port and which it does not own */
class reader {
public:
	explicit reader(channel &c) noexcept : channel_(c.get())
	{
	}

	result<group> next(deadline d = deadline()) noexcept
	{
		zcbuf_delivery one;
		int n = zcbuf_receive(channel_, &one, 1, d.ns());

		return n < 0 ? result<group>(error(n)) :
			       result<group>(group(channel_, one));
	}
	/*
	 * @f is called with a group_view of each of up to @max groups, at most 32;
	 * one call receives them, and one releases them all afterwards. It must not
	 * throw. How many it was; if they cannot be released, why, and the rest of
	 * them is still this session's.
	 */
	template <class F>
	result<unsigned int> each(unsigned int max, deadline d, F &&f)
	{
		zcbuf_delivery got[batch];
		__u64 handles[batch];
		auto n = detail::counted(zcbuf_receive(
			channel_, got, max < batch ? max : batch, d.ns()));

		for (unsigned int i = 0; n && i < *n; i++) {
			handles[i] = got[i].handle;
			f(group_view(channel_, got[i]));
		}
		return detail::all_of(n, [&](unsigned int from, unsigned int m) {
			return zcbuf_release(channel_, handles + from, m);
		});
	}

private:
	static constexpr unsigned int batch = 32;
	zcbuf_channel *channel_;
};

/* ------------------------------------------------------------- publishers */

class publisher : public detail::owner<zcbuf_publisher, zcbuf_publisher_close> {
public:
	using owner::owner;

	static result<publisher> open(pool &p, const zcbuf_name &topic,
				      const zcbuf_publisher_opts &o =
					      opts<zcbuf_publisher_opts>()) noexcept
	{
		return open(p, &topic, o);
	}
	/* by its handle, or a new one that has no name */
	static result<publisher> open(pool &p,
				      const zcbuf_publisher_opts &o =
					      opts<zcbuf_publisher_opts>()) noexcept
	{
		return open(p, nullptr, o);
	}

	/* the topic's, for others to open it with */
	__u64 handle() const noexcept
	{
		return zcbuf_channel_handle(zcbuf_publisher_channel(get()));
	}
	result<buffer> loan(std::size_t n, deadline d = deadline()) noexcept
	{
		zcbuf_buf b;
		int err = zcbuf_publisher_loan(get(), n, d.ns(), &b);

		return err ? result<buffer>(error(err)) :
			     result<buffer>(buffer(b));
	}
	/* its size() is the message; empty when it is done, as it was if it fails */
	result<void> publish(buffer &message, deadline d = deadline(),
			     zcbuf_publication *entry = nullptr,
			     __u32 flags = 0) noexcept
	{
		return detail::done(zcbuf_publisher_publish(
			get(), message.get(), message.size(), entry, flags,
			d.ns()));
	}
	/* a copy of it, encoded if there is a transform */
	result<void> send(const_bytes message, deadline d = deadline(),
			  zcbuf_publication *entry = nullptr,
			  __u32 flags = 0) noexcept
	{
		return detail::done(
			zcbuf_publisher_send(get(), message.data(),
					     message.size(), entry, flags,
					     d.ns()));
	}

private:
	static result<publisher> open(pool &p, const zcbuf_name *topic,
				      const zcbuf_publisher_opts &o) noexcept
	{
		zcbuf_publisher *made;
		int err = zcbuf_publisher_open(p.get(), topic, &o, &made);

		return err ? result<publisher>(error(err)) :
			     result<publisher>(publisher(made));
	}
};

/* ------------------------------------------------------------ subscribers */

/* A message that somebody has taken and will release */
class sample_view {
public:
	sample_view() noexcept = default;
	explicit sample_view(const zcbuf_sample &s) noexcept : sample_(s)
	{
	}

	/* empty if it is in two pieces: see zcbuf_sample.data */
	const_bytes data() const noexcept
	{
		return sample_.data ? bytes_at(sample_.data, sample_.length) :
				      const_bytes();
	}
	std::size_t size() const noexcept
	{
		return sample_.length;
	}
	__u64 seq() const noexcept
	{
		return sample_.delivery.seq;
	}
	const zcbuf_delivery &delivery() const noexcept
	{
		return sample_.delivery;
	}
	const zcbuf_sample *get() const noexcept
	{
		return &sample_;
	}

protected:
	zcbuf_sample sample_{};
};

/* One that is released when it goes */
class sample : public sample_view {
public:
	sample() noexcept = default;
	sample(zcbuf_subscriber *owner, const zcbuf_sample &s) noexcept
		: sample_view(s), subscriber_(owner)
	{
	}
	sample(sample &&other) noexcept
		: sample_view(std::exchange(static_cast<sample_view &>(other),
					    sample_view())),
		  subscriber_(std::exchange(other.subscriber_, nullptr))
	{
	}
	sample &operator=(sample &&other) noexcept
	{
		if (this != &other) {
			static_cast<void>(release());
			sample_ = std::exchange(other.sample_, zcbuf_sample{});
			subscriber_ = std::exchange(other.subscriber_, nullptr);
		}
		return *this;
	}
	~sample()
	{
		static_cast<void>(release());
	}

	explicit operator bool() const noexcept
	{
		return subscriber_;
	}
	result<void> release() noexcept
	{
		zcbuf_subscriber *s = std::exchange(subscriber_, nullptr);

		return detail::done(
			s ? zcbuf_subscriber_release(s, &sample_, 1) : 0);
	}

private:
	zcbuf_subscriber *subscriber_ = nullptr;
};

class subscriber
	: public detail::owner<zcbuf_subscriber, zcbuf_subscriber_close> {
public:
	using owner::owner;

	static result<subscriber> open(pool &p, const zcbuf_name &topic,
				       const zcbuf_subscriber_opts &o =
					       opts<zcbuf_subscriber_opts>()) noexcept
	{
		return open(p, &topic, o);
	}
	/* by its handle, or a new one that has no name */
	static result<subscriber> open(pool &p,
				       const zcbuf_subscriber_opts &o =
					       opts<zcbuf_subscriber_opts>()) noexcept
	{
		return open(p, nullptr, o);
	}

	result<sample> take(deadline d = deadline()) noexcept
	{
		zcbuf_sample one;
		int n = zcbuf_subscriber_take(get(), &one, 1, d.ns());

		return n < 0 ? result<sample>(error(n)) :
			       result<sample>(sample(get(), one));
	}
	/* as reader::each(), with a sample_view */
	template <class F>
	result<unsigned int> each(unsigned int max, deadline d, F &&f)
	{
		zcbuf_sample got[batch];
		auto n = detail::counted(zcbuf_subscriber_take(
			get(), got, max < batch ? max : batch, d.ns()));

		for (unsigned int i = 0; n && i < *n; i++)
			f(sample_view(got[i]));
		return detail::all_of(n, [&](unsigned int from, unsigned int m) {
			return zcbuf_subscriber_release(get(), got + from, m);
		});
	}
	/* bytes that it became, by the transform of its encoding */
	result<std::size_t> decode(const sample_view &s, bytes to) const noexcept
	{
		__s64 n = zcbuf_subscriber_decode(get(), s.get(), to.data(),
						  to.size());

		if (n < 0)
			return error(static_cast<int>(n));
		return static_cast<std::size_t>(n);
	}
	__u64 lost() const noexcept
	{
		return zcbuf_subscriber_lost(get());
	}
	/* for poll(); the pool's */
	int fd() const noexcept
	{
		return zcbuf_subscriber_fd(get());
	}
	/* a descriptor, the caller's */
	result<int> eventfd() noexcept
	{
		int fd = zcbuf_subscriber_eventfd(get());

		return fd < 0 ? result<int>(error(fd)) : result<int>(fd);
	}

private:
	static constexpr unsigned int batch = 32;

	static result<subscriber> open(pool &p, const zcbuf_name *topic,
				       const zcbuf_subscriber_opts &o) noexcept
	{
		zcbuf_subscriber *made;
		int err = zcbuf_subscriber_open(p.get(), topic, &o, &made);

		return err ? result<subscriber>(error(err)) :
			     result<subscriber>(subscriber(made));
	}
};

/* ---------------------------------------------------------------- records */

/*
 * Many small records, and a call for each window of them; what is committed is
 * delivered when it goes
 */
class appender : public detail::owner<zcbuf_appender, zcbuf_appender_close> {
public:
	using owner::owner;

	static result<appender> open(channel &c,
				     const zcbuf_appender_opts &o =
					     opts<zcbuf_appender_opts>()) noexcept
	{
		zcbuf_appender *a;
		int err = zcbuf_appender_open(c.get(), &o, &a);

		return err ? result<appender>(error(err)) :
			     result<appender>(appender(a));
	}

	/* room for a record, to be written before commit() */
	result<bytes> reserve(std::size_t n, deadline d = deadline()) noexcept
	{
		void *at;
		int err = zcbuf_appender_reserve(get(), n, d.ns(), &at);

		return err ? result<bytes>(error(err)) :
			     result<bytes>(bytes_at(at, n));
	}
	result<void> commit(std::size_t n) noexcept
	{
		return detail::done(zcbuf_appender_commit(get(), n));
	}
	void cancel() noexcept
	{
		zcbuf_appender_cancel(get());
	}
	result<void> put(const_bytes record, deadline d = deadline()) noexcept
	{
		return detail::done(zcbuf_appender_put(
			get(), record.data(), record.size(), d.ns()));
	}
	/* true: there was something to deliver */
	result<bool> flush() noexcept
	{
		int delivered = zcbuf_appender_flush(get());

		return delivered < 0 ? result<bool>(error(delivered)) :
				       result<bool>(delivered > 0);
	}
	result<void> drop() noexcept
	{
		return detail::done(zcbuf_appender_drop(get()));
	}
	result<void> tag(__u64 user_tag, __u32 encoding) noexcept
	{
		return detail::done(
			zcbuf_appender_tag(get(), user_tag, encoding));
	}
};

/* The framed records of what a subscriber takes, from which nobody else does */
class record_reader : public detail::owner<zcbuf_reader, zcbuf_reader_close> {
public:
	using owner::owner;

	static result<record_reader> open(subscriber &s,
					  const zcbuf_reader_opts &o =
						  opts<zcbuf_reader_opts>()) noexcept
	{
		zcbuf_reader *r;
		int err = zcbuf_reader_open(s.get(), &o, &r);

		return err ? result<record_reader>(error(err)) :
			     result<record_reader>(record_reader(r));
	}

	/* until it is called again */
	result<const_bytes> next(deadline d = deadline()) noexcept
	{
		iovec v;
		int n = zcbuf_reader_next(get(), &v, d.ns());

		if (n < 0)
			return error(n);
		return bytes_at(static_cast<const void *>(v.iov_base), v.iov_len);
	}
	/* what the last record is of, or NULL */
	const zcbuf_delivery *delivery() const noexcept
	{
		return zcbuf_reader_delivery(get());
	}
};

} /* namespace zcbuf */

#endif /* ZCBUF_HPP */
