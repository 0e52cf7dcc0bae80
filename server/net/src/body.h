#pragma once

#include "body_decoder.h"
#include "request_head.h"

#include <chrono>
#include <cstdint>
#include <string>

#include <net/message.h>

namespace net {

class Connection;

/// The body of the request under way, read whole or piece by piece.
class Body final : public BodyReader {
  public:
    Body(Connection& connection, const RequestHead& head, bool expects_continue, std::uint64_t limit_bytes);

    /// Reads to the end. Errors as next()'s.
    runtime::Task<base::Result<std::string>> whole();
    runtime::Task<base::Result<std::span<const std::uint8_t>>> next() override;

    bool done() const { return decoder_.done(); }
    /// Reads on and drops what comes, if that is little. False where the connection had better be closed.
    runtime::Task<bool> drain();

  private:
    /// Adds at least a byte of the body to `out`, or reaches its end.
    runtime::Task<base::Result<void>> more(std::string& out);

    Connection& connection_;
    BodyDecoder decoder_;
    std::string piece_;
    std::optional<std::uint64_t> length_;
    std::uint64_t limit_bytes_;
    std::chrono::steady_clock::time_point last_moment_{};
    bool must_invite_;  // the client waits for "100 Continue"
    bool failed_ = false;
};

}  // namespace net
