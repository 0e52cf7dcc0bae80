#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <base/result.h>
#include <net/message.h>

namespace net {

/// The head of a request as it came over the wire.
struct RequestHead {
    std::optional<Method> method;  ///< nothing: one that no route can have
    std::string target;
    Headers headers;
    std::optional<std::uint64_t> content_length;
    bool chunked = false;
    bool keep_alive = true;
    bool is_1_0 = false;

    bool has_body() const { return chunked || content_length.value_or(0) > 0; }
};

/// Reads a complete head, up to its empty line, with Beast's parser behind a stricter check (head_check.h).
/// Errors (all invalid): net.bad_head, net.bad_version, net.bad_transfer_encoding.
base::Result<RequestHead> parse_request_head(std::string_view head);

}  // namespace net
