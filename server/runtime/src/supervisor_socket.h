#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace runtime {

/// The socket between supervisor and core: one packet a message, at most one descriptor beside it.
/// To core: a helper's name and its wire. To the supervisor: "ready", a space and the note.
constexpr std::size_t kSupervisorPacketLimitBytes = 4096;

struct SupervisorPacket {
    std::string text;
    int fd = -1;  ///< whoever receives it owns it
};

/// False when the other side is gone or takes nothing more. `fd` stays the caller's.
bool send_packet(int socket_fd, std::string_view text, int fd = -1);

enum class PacketOutcome { received, none_yet, gone };
PacketOutcome receive_packet(int socket_fd, SupervisorPacket& packet);

}  // namespace runtime
