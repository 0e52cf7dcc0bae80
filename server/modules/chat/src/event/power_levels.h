#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <base/json.h>
#include <base/result.h>
#include <chat/room_version.h>

namespace chat {

/// Who made the room: from its create event.
struct RoomCreators {
    std::string sender;
    std::vector<std::string> additional;  ///< version 12 only

    bool contains(std::string_view user_id) const;
};
RoomCreators read_creators(RoomVersion version, std::string_view sender,
                           const base::json::object& create_content);

/// What people may do in a room: its m.room.power_levels, with the defaults where it is silent or absent.
struct PowerLevels {
    /// Creators of version 12 stand above every level that can be written.
    static constexpr std::int64_t kInfinite = std::numeric_limits<std::int64_t>::max();

    RoomVersion version = kDefaultRoomVersion;
    RoomCreators creators;
    bool is_written = false;  ///< whether the room has the event at all

    std::map<std::string, std::int64_t, std::less<>> users;
    std::map<std::string, std::int64_t, std::less<>> events;
    std::map<std::string, std::int64_t, std::less<>> notifications;
    /// Those of the seven levels below that stand in the event: adding one counts as a change even where it
    /// is what would hold anyway.
    std::map<std::string, std::int64_t, std::less<>> written;
    std::int64_t users_default = 0;
    std::int64_t events_default = 0;
    std::int64_t state_default = 50;
    std::int64_t ban = 50;
    std::int64_t kick = 50;
    std::int64_t redact = 50;
    std::int64_t invite = 0;

    std::int64_t of_user(std::string_view user_id) const;
    std::int64_t of_event(std::string_view type, bool is_state) const;
    /// The level that a notification of this key needs ("room": 50 unless written otherwise).
    std::int64_t of_notification(std::string_view key) const;
};

/// Reads a content that was validated when it was sent; `content` is null in a room that has none.
PowerLevels read_power_levels(RoomVersion version, RoomCreators creators, const base::json::object* content);

/// Version 12: writes a level for m.room.tombstone that is above `state_default`, where there is none
/// ("createRoom"). Touches nothing where `events` is no object.
void raise_tombstone_level(base::json::object& content);

/// Rules 9.1–9.3 (version 11) and 10.1–10.4 (version 12): integers only, valid user ids, no creators in
/// version 12. Errors: M_FORBIDDEN.
base::Result<void> validate_power_levels(RoomVersion version, const RoomCreators& creators,
                                         const base::json::object& content);

/// Rules 9.4–9.10 and 10.5–10.11: nobody changes what stands above themselves. Errors: M_FORBIDDEN.
base::Result<void> authorise_power_level_change(const PowerLevels& before, const PowerLevels& after,
                                                std::string_view sender);

}  // namespace chat
