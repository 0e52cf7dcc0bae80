#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <base/result.h>

namespace net {

/// Takes a body out of the bytes of a connection, by either framing. Our own and not Beast's, whose chunk
/// parser asserts on a last chunk that arrives byte by byte, and which reads extensions that nobody needs.
class BodyDecoder {
  public:
    /// `limit_bytes` bounds what a chunked body may bring in all; one with a length is judged by its length
    /// beforehand.
    BodyDecoder(std::optional<std::uint64_t> content_length, bool chunked, std::uint64_t limit_bytes);

    /// Appends what `bytes` hold of the body to `out`; returns how many bytes belonged to it. Less than all
    /// only at the end. Errors: net.bad_body (invalid), net.body_too_large (too_large).
    base::Result<std::size_t> take(std::string_view bytes, std::string& out);
    bool done() const { return state_ == State::done; }

  private:
    enum class State : std::uint8_t {
        data,         // `left_` bytes of it
        size_digits,  // of a chunk
        size_end,     // the LF of a chunk's first line
        data_cr,      // the line end behind a chunk's data
        data_lf,
        trailer_start,  // at the start of a line
        trailer,
        trailer_lf,
        last_lf,  // of the empty line
        done,
    };
    /// Takes one byte of the framing. False where it is malformed.
    bool step(char c);

    State state_;
    bool chunked_;
    std::uint8_t digits_ = 0;
    std::uint16_t trailer_bytes_ = 0;
    std::uint64_t left_;   // of the body, or of the chunk
    std::uint64_t limit_;  // what chunks may still bring
};

}  // namespace net
