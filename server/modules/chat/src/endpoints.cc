#include "endpoints.h"

#include "stream_token.h"

#include <algorithm>
#include <charconv>

#include <identity/matrix_error.h>

namespace chat {

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
