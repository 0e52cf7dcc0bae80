#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
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

/// Beast's parser, behind a strict check of its own (head_check.h). One per request.
class RequestParser {
  public:
    RequestParser();
    ~RequestParser();
    RequestParser(RequestParser&&) noexcept;
    RequestParser& operator=(RequestParser&&) noexcept;

    /// `head` is complete, up to its empty line. Errors: net.bad_head, net.bad_version,
    /// net.bad_transfer_encoding.
    base::Result<RequestHead> parse_head(std::string_view head);

    /// The most that the body may bring in all; to be set before its first byte.
    void set_body_limit(std::uint64_t limit_bytes);
    /// Appends what `bytes` hold of the body to `out`; returns how many bytes were understood. What is left
    /// must be given again together with what follows. Errors: net.bad_body (invalid), net.body_too_large
    /// (too_large).
    base::Result<std::size_t> parse_body(std::string_view bytes, std::string& out);
    bool body_done() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace net
