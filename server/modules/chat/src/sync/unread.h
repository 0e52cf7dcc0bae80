#pragma once

#include "push/push_rules.h"
#include "rooms/room_reads.h"

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include <chat/ids.h>
#include <identity/ids.h>
#include <storage/transaction.h>

namespace chat {

/// What decides about one person's notifications beyond the room: read once for all rooms of an answer.
struct NotificationSettings {
    identity::UserNumber user;
    std::string user_id;
    std::shared_ptr<const PushRules> rules;      ///< to judge by
    bool has_default_rules = false;              ///< then `rules` are everybody's (shared_default_rules)
    std::set<std::string, std::less<>> ignored;  ///< user ids
    std::int64_t position = 0;                   ///< of account data: changes when either of them does
    bool asks_for_name = false;                  ///< whether a rule looks for the person's name

    /// As the person is shown them.
    PushRules own_rules() const;
};
/// Reads them; rules that `known` has at the same position are not parsed anew.
std::shared_ptr<const NotificationSettings> load_settings(storage::Transaction& tx, identity::UserNumber user,
                                                          std::string_view user_id,
                                                          std::shared_ptr<const NotificationSettings> known);

struct UnreadCounts {
    std::int64_t notifications = 0;
    std::int64_t highlights = 0;
};

/// Counting is not cut short before it has looked at this many events.
inline constexpr std::size_t kCountedAtLeast = 50;

/// The unread events of one room for one person, by thread ("main" for all that is in none), as of `up_to`.
/// Kept between answers, so that only new events are looked at; it holds while `settings` and `receipts` are
/// the same.
struct Unread {
    Position up_to;
    std::int64_t settings = 0;  ///< NotificationSettings::position
    std::int64_t receipts = 0;  ///< position of the person's last receipt in the room
    std::map<std::string, UnreadCounts, std::less<>> threads;
    /// Counting was cut short: it goes on here, downwards. None: all is counted.
    Position rest;
    /// The threads in which the person wrote above `rest`, and so has read what stands below.
    std::set<std::string, std::less<>> written_in;
    /// There are so many that counting may have been cut short, be it for another device.
    bool is_long = false;

    UnreadCounts main() const;
    UnreadCounts total() const;
};

/// The room as counting needs it.
struct UnreadRoom {
    RoomNumber room;
    std::string_view room_id;
    std::int64_t joined_members = 0;
    Position joined_at;  ///< what came before is not counted
    Position up_to;
};

/// Counts by the push rules from where the person has read to, newest first; a message of their own counts as
/// having read its thread. Continues from `known` where that still holds. Looks at about `budget` events at
/// most and takes from it what it looked at; what was left for another time begins at `rest`.
Unread count_unread(RoomReads& reads, const UnreadRoom& room, const NotificationSettings& settings,
                    const Unread* known, std::size_t& budget);

/// Whether sending it shows that its sender has read what stands before it.
bool shows_reading(const StoredEvent& event);

/// The id of the thread that an event is in, or "main": along its relations, three steps at most.
std::string thread_of(storage::Transaction& tx, RoomNumber room, const base::json::object& event);

}  // namespace chat
