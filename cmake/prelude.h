// What nearly every file reads of the standard library, Asio and JSON, parsed once a build (Prelude.cmake).
// Outside headers only: a file still names all that it uses, and the module boundaries stay as they are.
#include <algorithm>
#include <array>
#include <chrono>
#include <expected>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json.hpp>

#ifdef LINGXI_PRELUDE_TESTS
#include <gtest/gtest.h>
#endif
