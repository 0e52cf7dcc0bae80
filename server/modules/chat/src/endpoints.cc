#include "endpoints.h"

#include "stream_token.h"

#include <algorithm>
#include <charconv>

#include <identity/matrix_error.h>

namespace chat {
namespace {

constexpr std::size_t kBodyLimitBytes = 1024 * 1024;  // the routes' limits are what holds
/// Boost.JSON reads about half a gigabyte a second, and a turn of the I/O thread is at most a millisecond.
constexpr std::size_t kReadInlineBytes = 64 * 1024;

base::Result<base::json::object> parse_object(std::string_view body) {
    auto value = base::parse_json(body, kBodyLimitBytes);
    if (!value) return base::fail(std::move(value.error()));
    if (!value->is_object())
        return base::fail(base::ErrorKind::invalid, "M_BAD_JSON", "The body must be a JSON object.");
    return std::move(value->get_object());
}

}  // namespace

runtime::Task<base::Result<base::json::object>> read_object(Core& core, std::string body) {
    if (body.size() <= kReadInlineBytes) co_return parse_object(body);
    auto read = co_await core.runtime.on_cpu([&body] { return parse_object(body); });
    if (!read) co_return base::fail(std::move(read.error()));
    co_return std::move(*read);
}

net::Response answer(base::Result<std::string> json) {
    if (!json) return identity::matrix_error(json.error());
    return net::json(200, std::move(*json));
}

net::Response empty_answer(const base::Result<void>& result) {
    if (!result) return identity::matrix_error(result.error());
    return net::json(200, std::string("{}"));
}

base::Result<std::size_t> read_limit(const net::Request& request, std::size_t fallback, std::size_t most) {
    const auto text = request.query.get("limit");
    if (!text) return fallback;
    std::int64_t limit = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), limit);
    if (error != std::errc{} || end != text->data() + text->size() || limit < 0) {
        return base::fail(base::ErrorKind::invalid, "M_INVALID_PARAM", "'limit' must be a number.");
    }
    return std::min(static_cast<std::size_t>(limit), most);
}

base::Result<std::optional<Position>> read_timeline_token(const net::Request& request,
                                                          std::string_view name) {
    const auto text = request.query.get(name);
    if (!text || text->empty()) return std::optional<Position>{};
    const auto position = parse_timeline_token(*text);
    if (!position) return base::fail(position.error());
    return std::optional(*position);
}

base::Result<bool> read_backwards(const net::Request& request, std::optional<bool> fallback) {
    const auto text = request.query.get("dir");
    if (!text && fallback) return *fallback;
    if (!text) return base::fail(base::ErrorKind::invalid, "M_MISSING_PARAM", "'dir' is missing.");
    if (*text == "b") return true;
    if (*text == "f") return false;
    return base::fail(base::ErrorKind::invalid, "M_INVALID_PARAM", "'dir' is 'b' or 'f'.");
}

}  // namespace chat
