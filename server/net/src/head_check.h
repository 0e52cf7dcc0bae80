#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <base/result.h>

namespace net {

/// Finds the end of a request's head in a growing buffer, and refuses at once what no honest client sends: a
/// bare CR or LF, control characters. Two parties that disagree on where a line ends are how requests are
/// smuggled.
class HeadScanner {
  public:
    enum class State : std::uint8_t { need_more, complete, bad };
    /// `buffer` begins with the head, and only grows between calls.
    State scan(std::string_view buffer);
    /// Bytes of the head with its empty line, once complete.
    std::size_t size() const { return at_; }

  private:
    std::size_t at_ = 0;          // everything before is looked at
    std::size_t line_start_ = 0;  // of the line that `at_` is in
};

/// What the head says about the message's length, stricter than RFC 9112 asks.
struct Framing {
    std::optional<std::uint64_t> content_length;
    bool chunked = false;
};

/// Checks a complete head line by line: its request line's form; names that are tokens right before their
/// colon; no folded lines; at most 100 fields; one Host where HTTP/1.1; one plain Content-Length or one
/// "Transfer-Encoding: chunked", never both, never chunked in HTTP/1.0. Errors (all invalid): net.bad_head,
/// net.bad_version, net.bad_transfer_encoding.
base::Result<Framing> check_head(std::string_view head);

}  // namespace net
