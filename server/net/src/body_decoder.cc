#include "body_decoder.h"

#include <algorithm>

namespace net {
namespace {

constexpr std::uint8_t kDigitLimit = 15;  // a size that 64 bits hold with room to spare
constexpr std::uint16_t kTrailerLimitBytes = 8 * 1024;

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

BodyDecoder::BodyDecoder(std::optional<std::uint64_t> content_length, bool chunked, std::uint64_t limit_bytes)
    : state_(chunked                          ? State::size_digits
             : content_length.value_or(0) > 0 ? State::data
                                              : State::done),
      chunked_(chunked),
      left_(chunked ? 0 : content_length.value_or(0)),
      limit_(limit_bytes) {}

bool BodyDecoder::step(char c) {
    switch (state_) {
        case State::size_digits:
            if (const int value = hex_value(c); value >= 0) {
                left_ = left_ * 16 + static_cast<std::uint64_t>(value);
                return ++digits_ <= kDigitLimit;
            }
            // Extensions (";name=value") are refused: parsers that disagree on them are a way to smuggle
            // requests.
            state_ = State::size_end;
            return c == '\r' && digits_ > 0;
        case State::size_end:
            digits_ = 0;
            state_ = left_ > 0 ? State::data : State::trailer_start;
            return c == '\n';
        case State::data_cr:
            state_ = State::data_lf;
            return c == '\r';
        case State::data_lf:
            state_ = State::size_digits;
            return c == '\n';
        case State::trailer_start:
            state_ = c == '\r' ? State::last_lf : State::trailer;
            return ++trailer_bytes_ <= kTrailerLimitBytes && (c == '\r' || (c > ' ' && c != 0x7f));
        case State::trailer:
            if (c == '\r') state_ = State::trailer_lf;
            return ++trailer_bytes_ <= kTrailerLimitBytes &&
                   (c == '\r' || c == '\t' || static_cast<unsigned char>(c) >= ' ');
        case State::trailer_lf:
            state_ = State::trailer_start;
            return c == '\n';
        case State::last_lf:
            state_ = State::done;
            return c == '\n';
        case State::data:
        case State::done:
            break;
    }
    return false;
}

base::Result<std::size_t> BodyDecoder::take(std::string_view bytes, std::string& out) {
    std::size_t used = 0;
    while (used < bytes.size() && state_ != State::done) {
        if (state_ == State::data) {
            const auto piece = bytes.substr(used, std::min<std::uint64_t>(left_, bytes.size() - used));
            out += piece;
            used += piece.size();
            left_ -= piece.size();
            if (left_ == 0) state_ = chunked_ ? State::data_cr : State::done;
            continue;
        }
        const bool was_size = state_ == State::size_end;
        if (!step(bytes[used])) {
            return base::fail(base::ErrorKind::invalid, "net.bad_body", "The body's chunks are malformed.");
        }
        ++used;
        if (was_size && left_ > limit_) {
            return base::fail(base::ErrorKind::too_large, "net.body_too_large", "The body is too large.");
        }
        if (was_size) limit_ -= left_;
    }
    return used;
}

}  // namespace net
