#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include <base/result.h>

namespace wire {

constexpr std::size_t kTextLimitBytes = std::size_t{1024} * 1024;
constexpr std::size_t kDescriptorsLimit = 4;
constexpr std::size_t kMethodLimitBytes = 64;
constexpr std::size_t kErrorCodeLimitBytes = 128;
constexpr std::size_t kErrorMessageLimitBytes = 2048;
constexpr std::uint32_t kCreditsLimit = 65'535;
constexpr std::size_t kFrameHeaderBytes = 16;
/// Text and the longest fixed part that may stand before it.
constexpr std::size_t kPayloadLimitBytes = kTextLimitBytes + 9 + kMethodLimitBytes;

/// The first four come from the side that began the call, the others from the side that serves it.
enum class FrameKind : std::uint8_t {
    call = 1,        ///< begins a call: remaining time, the caller's credits, method, text
    caller_message,  ///< text
    caller_credit,   ///< the caller has read so many messages of the server
    cancel,
    reply_message,  ///< text
    reply_credit,   ///< the server has read so many messages of the caller
    end,            ///< the call ended well
    error,          ///< the call ended with an error
};

/// One frame. On the socket: u32 payload bytes, u8 kind, u8 descriptors, u16 zero, u64 call number, then the
/// payload (little-endian). The descriptors themselves travel beside the frame's first byte.
struct Frame {
    FrameKind kind = FrameKind::cancel;
    std::uint8_t descriptors = 0;
    std::uint64_t call = 0;          ///< chosen by the caller, rising; each direction counts its own
    std::uint32_t remaining_ms = 0;  ///< call: until its deadline (clocks are not compared, durations are)
    std::uint32_t credits = 0;       ///< call, *_credit
    std::string method;              ///< call: [a-z0-9_.], 1 to 64 bytes
    std::string text;                ///< call, *_message
    base::Error error;               ///< error
};

/// Asserts the limits above; error texts are cut to theirs.
std::string encode(const Frame& frame);

bool is_method(std::string_view text);

/// Cuts a stream of outside bytes into frames. Pure: no socket, no clock. After a fault it stays at the
/// fault.
class FrameDecoder {
  public:
    void feed(std::string_view bytes);
    /// The next whole frame, nothing while one is incomplete, or why the bytes are malformed.
    std::expected<std::optional<Frame>, std::string_view> next();
    /// Whether a frame has begun and is not whole yet.
    bool is_amid_frame() const { return begin_ < buffer_.size(); }

  private:
    std::string buffer_;
    std::size_t begin_ = 0;  ///< what lies before has been taken
    std::string_view fault_;
};

}  // namespace wire
