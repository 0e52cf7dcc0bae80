#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

struct ssl_st;

namespace net {

/// The bytes of one connection, plain or TLS. Never waits: it says what to wait for. Does not own the
/// descriptor.
class Transport {
  public:
    enum class Next : std::uint8_t {
        go_on,       ///< `bytes` were moved
        wait_read,   ///< nothing moved; try again when the descriptor is readable
        wait_write,  ///< nothing moved; try again when the descriptor is writable
        ended,       ///< the peer has sent its last byte
        broken,
    };
    struct Outcome {
        Next next;
        std::size_t bytes = 0;
    };

    /// `tls` is null for plain text; owned.
    Transport(int descriptor, ssl_st* tls);
    ~Transport();
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;

    bool is_tls() const { return tls_ != nullptr; }
    Outcome handshake();
    Outcome read(std::span<char> into);
    Outcome write(std::span<const iovec> pieces);
    /// Whether bytes may have been taken off the descriptor that read() has not given out.
    bool holds_bytes() const;
    /// The descriptor is about to be closed: from now on every answer is `broken`.
    void abandon() { descriptor_ = -1; }
    /// Says that nothing more will be written.
    void finish_writing();

  private:
    Outcome tls_outcome(int result) const;
    int descriptor_;
    ssl_st* tls_;
};

}  // namespace net
