#pragma once

#include <cstddef>

namespace net {

/// How much of the I/O thread's turn a connection has used. A client that pipelines, or that sends or reads
/// as fast as the server does, never makes it wait; without a share it would keep the thread to itself.
class TurnShare {
  public:
    static constexpr std::size_t kRequests = 16;
    static constexpr std::size_t kBytes = std::size_t{256} * 1024;

    void use_request() { used_ += kBytes / kRequests; }
    void use_bytes(std::size_t bytes) { used_ += bytes; }
    bool is_used_up() const { return used_ >= kBytes; }
    /// The connection waits for something: its next turn begins anew.
    void renew() { used_ = 0; }

  private:
    std::size_t used_ = 0;  // requests count as the bytes that take as long
};

}  // namespace net
