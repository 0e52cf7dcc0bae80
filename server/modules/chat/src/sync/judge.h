#pragma once

#include "push/push_rules.h"
#include "rooms/room_rules.h"
#include "sync/unread.h"
#include "timeline/event_store.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <chat/ids.h>
#include <storage/transaction.h>

namespace chat {

/// How far a person has read in a room: of all, and of each thread.
struct ReadMarks {
    Position all;
    std::map<std::string, Position, std::less<>> threads;
    std::int64_t last_receipt = 0;  ///< its position in Stream::receipts

    Position of(std::string_view thread) const;
};
ReadMarks read_marks(storage::Transaction& tx, RoomNumber room, identity::UserNumber user);

/// Judges the events of one room by one person's push rules; what costs a look at the database is read when
/// it is first needed.
class Judge {
  public:
    struct Room {
        RoomNumber number;
        std::string_view id;
        std::int64_t joined_members = 0;
    };
    Judge(storage::Transaction& tx, Room room, const NotificationSettings& settings)
        : tx_(tx), room_(room), settings_(settings) {}

    /// The rule that decides about the event, which is its stored text parsed; null: none.
    const PushRule* rule_for(const base::json::object& event);

  private:
    std::string_view display_name();
    const PowerLevels* levels();

    storage::Transaction& tx_;
    Room room_;
    const NotificationSettings& settings_;
    std::optional<std::string> name_;
    std::shared_ptr<const RoomRules> rules_;
};

}  // namespace chat
