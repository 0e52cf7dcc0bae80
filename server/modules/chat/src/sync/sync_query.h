#pragma once

#include "stream_token.h"
#include "sync/filter.h"
#include "sync/presence.h"
#include "sync/typing.h"
#include "sync/unread.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <chat/ids.h>
#include <identity/ids.h>

namespace chat {

/// How the state of a room is told: as it was before the timeline, or as it is after it (MSC4222, which
/// clients also ask for by its unstable name).
struct StateMode {
    bool after = false;
    bool after_unstable = false;
    bool is_after() const { return after || after_unstable; }
};

using UserIds = std::set<std::string, std::less<>>;

/// One answer of /sync to be made: all that the reader thread needs, by value.
struct SyncQuery {
    identity::UserNumber user;
    std::string user_id;
    identity::DeviceNumber device;
    std::optional<StreamToken> since;  ///< none: an initial sync
    StreamToken now;                   ///< nothing beyond it is told
    /// The client comes with a token that these streams never gave (StreamLives): it is told everything, as
    /// if it had none, with timelines that it cannot take for the rest of what it has. What it knows up to
    /// here, at most, is so; 0: nothing is known of what it knows.
    std::optional<Position> parted_at;
    std::shared_ptr<const SyncFilter> filter;
    bool full_state = false;
    StateMode state_mode;
    std::int64_t now_ms = 0;

    /// The client was given unread counts that were cut short: it is told them again once all are whole.
    bool wants_whole_counts = false;

    /// Where the person's own account data stands: what is above is other people's.
    std::int64_t account_data_position = 0;

    /// The rooms that may have something new; nothing: all of the person's have to be looked at.
    std::optional<std::vector<RoomNumber>> rooms;
    std::unordered_map<RoomNumber, Typing::RoomTyping> typing;
    std::vector<Presence::Change> presence;

    // What earlier answers left behind; each may be absent.
    std::shared_ptr<const NotificationSettings> settings;
    bool settings_hold = false;  ///< nothing of the person's account data changed since they were read
    std::unordered_map<RoomNumber, Unread> unread;
    /// Lazily loaded members that the device has.
    std::unordered_map<RoomNumber, std::shared_ptr<const UserIds>> members_sent;

    Position events_since() const { return Position{since ? (*since)[Stream::events] : 0}; }
    /// Which of the person's memberships the client knows; none: of none.
    std::optional<Position> memberships_since() const { return since ? events_since() : parted_at; }
    /// It may hold any room as one of the person's, however long ago that ended.
    bool may_hold_any_room() const { return parted_at && !*parted_at; }
    /// Of a room that is over no more than that it is; whoever asks for such rooms is told of them as ever.
    bool tells_bare_ends() const { return may_hold_any_room() && !filter->include_leave; }
    Position events_now() const { return Position{now[Stream::events]}; }
};

struct SyncAnswer {
    std::string body;
    StreamToken next_batch;
    bool has_news = false;  ///< whether it is worth waking the client for
    // To be kept for the next answer.
    std::shared_ptr<const NotificationSettings> settings;
    std::vector<std::pair<RoomNumber, Unread>> unread;
    std::vector<std::pair<RoomNumber, std::vector<std::string>>> members_sent;
};

}  // namespace chat
