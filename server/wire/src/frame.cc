#include <algorithm>
#include <cassert>
#include <limits>

#include <wire/frame.h>

namespace wire {
namespace {

constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kFieldsLimitBytes = 16;  ///< of a payload, beside its texts
constexpr std::uint32_t kNoRetryAfter = std::numeric_limits<std::uint32_t>::max();

void put(std::string& out, std::uint64_t value, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xffU);
}

/// Reads from the front of the payload; once something is missing, everything after it is missing too.
class Reader {
  public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}

    std::uint64_t number(std::size_t bytes) {
        const auto part = take(bytes);
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < part.size(); ++i) {
            value |= static_cast<std::uint64_t>(static_cast<unsigned char>(part[i])) << (8 * i);
        }
        return value;
    }
    std::string_view take(std::size_t count) {
        if (count > bytes_.size()) {
            whole_ = false;
            bytes_ = {};
            return {};
        }
        const auto part = bytes_.substr(0, count);
        bytes_.remove_prefix(count);
        return part;
    }
    std::string_view rest() { return take(bytes_.size()); }
    bool ended_well() const { return whole_ && bytes_.empty(); }

  private:
    std::string_view bytes_;
    bool whole_ = true;
};

bool is_code(std::string_view text) {
    return !text.empty() && text.size() <= kErrorCodeLimitBytes &&
           std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

/// What is wrong with the payload, or nothing.
std::string_view parse_payload(std::string_view payload, Frame& frame) {
    Reader reader(payload);
    switch (frame.kind) {
        case FrameKind::call: {
            frame.remaining_ms = static_cast<std::uint32_t>(reader.number(4));
            frame.credits = static_cast<std::uint32_t>(reader.number(4));
            frame.method = reader.take(reader.number(1));
            frame.text = reader.rest();
            if (!is_method(frame.method)) return "method";
            if (frame.credits == 0 || frame.credits > kCreditsLimit) return "credits";
            break;
        }
        case FrameKind::caller_message:
        case FrameKind::reply_message:
            frame.text = reader.rest();
            break;
        case FrameKind::caller_credit:
        case FrameKind::reply_credit:
            frame.credits = static_cast<std::uint32_t>(reader.number(4));
            if (frame.credits == 0 || frame.credits > kCreditsLimit) return "credits";
            break;
        case FrameKind::cancel:
        case FrameKind::end:
            break;
        case FrameKind::error: {
            const auto kind = reader.number(1);
            const auto retry_after_ms = reader.number(4);
            frame.error.code = reader.take(reader.number(1));
            frame.error.message = reader.rest();
            if (kind > static_cast<std::uint64_t>(base::ErrorKind::internal)) return "error kind";
            if (!is_code(frame.error.code)) return "error code";
            if (frame.error.message.size() > kErrorMessageLimitBytes) return "error message";
            frame.error.kind = static_cast<base::ErrorKind>(kind);
            if (retry_after_ms != kNoRetryAfter)
                frame.error.retry_after = std::chrono::milliseconds(retry_after_ms);
            break;
        }
    }
    if (!reader.ended_well()) return "payload";
    if (frame.text.size() > kTextLimitBytes) return "text";
    return {};
}

bool may_carry_descriptors(FrameKind kind) {
    return kind == FrameKind::call || kind == FrameKind::caller_message || kind == FrameKind::reply_message;
}

void put_payload(std::string& out, const Frame& frame) {
    switch (frame.kind) {
        case FrameKind::call:
            assert(is_method(frame.method));
            put(out, frame.remaining_ms, 4);
            put(out, frame.credits, 4);
            put(out, frame.method.size(), 1);
            out += frame.method;
            out += frame.text;
            break;
        case FrameKind::caller_message:
        case FrameKind::reply_message:
            out += frame.text;
            break;
        case FrameKind::caller_credit:
        case FrameKind::reply_credit:
            put(out, frame.credits, 4);
            break;
        case FrameKind::cancel:
        case FrameKind::end:
            break;
        case FrameKind::error: {
            const auto& error = frame.error;
            // A code that the other side would refuse must not cost the whole channel.
            const std::string_view code =
                is_code(error.code) ? std::string_view(error.code) : "wire.bad_code";
            const auto retry_after_ms =
                error.retry_after ? std::clamp<std::int64_t>(error.retry_after->count(), 0, kNoRetryAfter - 1)
                                  : std::int64_t{kNoRetryAfter};
            put(out, static_cast<std::uint64_t>(error.kind), 1);
            put(out, static_cast<std::uint64_t>(retry_after_ms), 4);
            put(out, code.size(), 1);
            out += code;
            out += std::string_view(error.message).substr(0, kErrorMessageLimitBytes);
            break;
        }
    }
}

}  // namespace

bool is_method(std::string_view text) {
    return !text.empty() && text.size() <= kMethodLimitBytes && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
    });
}

std::string encode(const Frame& frame) {
    assert(frame.text.size() <= kTextLimitBytes && frame.descriptors <= kDescriptorsLimit);
    std::string out;
    out.reserve(kFrameHeaderBytes + kFieldsLimitBytes + frame.method.size() + frame.text.size());
    out.resize(kLengthBytes);  // known last
    put(out, static_cast<std::uint64_t>(frame.kind), 1);
    put(out, frame.descriptors, 1);
    put(out, 0, 2);
    put(out, frame.call, 8);
    put_payload(out, frame);
    for (std::size_t i = 0; i < kLengthBytes; ++i)
        out[i] = static_cast<char>(((out.size() - kFrameHeaderBytes) >> (8 * i)) & 0xffU);
    return out;
}

void FrameDecoder::feed(std::string_view bytes) {
    if (!fault_.empty()) return;
    if (begin_ > 0 && (begin_ == buffer_.size() || begin_ >= buffer_.size() / 2)) {
        buffer_.erase(0, begin_);
        begin_ = 0;
        if (buffer_.empty() && buffer_.capacity() > std::size_t{256} * 1024) buffer_.shrink_to_fit();
    }
    buffer_ += bytes;
}

std::expected<std::optional<Frame>, std::string_view> FrameDecoder::next() {
    if (!fault_.empty()) return std::unexpected(fault_);
    const auto fail = [this](std::string_view reason) {
        fault_ = reason;
        buffer_ = {};
        begin_ = 0;
        return std::unexpected(reason);
    };
    const std::string_view left = std::string_view(buffer_).substr(begin_);
    if (left.size() < kFrameHeaderBytes) return std::nullopt;

    // The header is judged before its payload is waited for: a forged length must not make us buffer.
    Reader header(left.substr(0, kFrameHeaderBytes));
    const auto payload_bytes = header.number(4);
    const auto kind = header.number(1);
    const auto descriptors = header.number(1);
    const auto zero = header.number(2);
    Frame frame;
    frame.call = header.number(8);
    if (payload_bytes > kPayloadLimitBytes) return fail("length");
    if (kind < static_cast<std::uint64_t>(FrameKind::call) ||
        kind > static_cast<std::uint64_t>(FrameKind::error)) {
        return fail("kind");
    }
    frame.kind = static_cast<FrameKind>(kind);
    if (descriptors > (may_carry_descriptors(frame.kind) ? kDescriptorsLimit : 0)) return fail("descriptors");
    if (zero != 0) return fail("reserved");
    frame.descriptors = static_cast<std::uint8_t>(descriptors);

    if (left.size() < kFrameHeaderBytes + payload_bytes) return std::nullopt;
    const auto fault = parse_payload(left.substr(kFrameHeaderBytes, payload_bytes), frame);
    if (!fault.empty()) return fail(fault);
    begin_ += kFrameHeaderBytes + payload_bytes;
    return frame;
}

}  // namespace wire
