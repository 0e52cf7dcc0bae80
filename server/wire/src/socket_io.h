#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <wire/channel.h>

namespace wire {

/// A frame on its way out; the descriptors go with its first byte.
struct OutgoingFrame {
    std::string bytes;
    std::vector<Descriptor> descriptors;
    std::size_t sent_bytes = 0;
};

enum class IoOutcome : std::uint8_t { done, would_block, peer_gone, malformed };

struct Received {
    IoOutcome outcome = IoOutcome::done;
    std::size_t bytes = 0;
};

/// One recvmsg without waiting. Descriptors are appended to `descriptors`; more than a frame may carry is
/// malformed.
Received receive_some(int socket_fd, std::span<char> buffer, std::vector<Descriptor>& descriptors);

/// Sends from the front of `queue` until it is empty or the socket is full; takes what was sent off,
/// `sent_bytes` of it.
IoOutcome send_some(int socket_fd, std::deque<OutgoingFrame>& queue, std::size_t& sent_bytes);

/// Whether every descriptor is open, so that a mistake of the sender fails its call and not the channel.
bool are_open(const std::vector<Descriptor>& descriptors);

}  // namespace wire
