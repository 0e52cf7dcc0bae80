#pragma once

#include <boost/asio/awaitable.hpp>

namespace runtime {

/// A coroutine of the I/O thread. Started by `co_await`, or by TaskGroup::spawn.
template <class T>
using Task = boost::asio::awaitable<T>;

}  // namespace runtime
