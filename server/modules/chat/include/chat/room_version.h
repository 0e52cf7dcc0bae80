#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace chat {

enum class RoomVersion : std::uint8_t { v11 = 11, v12 = 12 };

inline constexpr RoomVersion kDefaultRoomVersion = RoomVersion::v12;

inline std::string_view to_string(RoomVersion version) {
    return version == RoomVersion::v11 ? "11" : "12";
}

inline std::optional<RoomVersion> parse_room_version(std::string_view text) {
    if (text == "11") return RoomVersion::v11;
    if (text == "12") return RoomVersion::v12;
    return std::nullopt;
}

/// Version 12: the room id is the create event's id with another sigil, its creators stand above every power
/// level, and the create event is in no auth_events.
inline bool creators_rule(RoomVersion version) {
    return version == RoomVersion::v12;
}

}  // namespace chat
