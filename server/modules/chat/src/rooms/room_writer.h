#pragma once

#include "rooms/room_rules.h"
#include "timeline/append_event.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <base/json.h>
#include <base/result.h>
#include <chat/news.h>
#include <identity/ids.h>
#include <storage/transaction.h>

namespace chat {

/// Who acts.
struct Actor {
    identity::UserNumber user;
    std::string user_id;
    identity::DeviceNumber device;
    bool is_admin = false;
};

/// The writing of one or more events into one room, inside one job: keeps the rules in force as the events
/// change them, and the news for after the commit.
class RoomWriter {
  public:
    RoomWriter(storage::Transaction& tx, std::shared_ptr<const RoomRules> rules, std::int64_t now_ms)
        : tx_(tx), rules_(std::move(rules)), now_ms_(now_ms) {}

    /// Errors: those of append_event.
    base::Result<Appended> append(const Draft& draft);
    /// A state event whose content is made here. Errors: those of prepare_content and append_event.
    base::Result<Appended> append_state(const Actor& actor, std::string_view type, std::string_view state_key,
                                        base::json::object content);

    storage::Transaction& transaction() { return tx_; }
    const RoomRules& rules() const { return *rules_; }
    const StoredRoom& room() const { return rules_->room; }
    std::int64_t now_ms() const { return now_ms_; }
    std::shared_ptr<const RoomRules> shared_rules() const { return rules_; }
    std::vector<RoomNews>& news() { return news_; }

  private:
    storage::Transaction& tx_;
    std::shared_ptr<const RoomRules> rules_;
    std::int64_t now_ms_;
    std::vector<RoomNews> news_;
};

/// Makes a room and its create event, and gives the writer for all that follows.
/// `room_id` is for version 11; empty for version 12. Errors: those of append_create_event.
base::Result<RoomWriter> create_room(storage::Transaction& tx, RoomVersion version, const RoomId& room_id,
                                     const Actor& creator, base::json::object content, std::int64_t now_ms);

}  // namespace chat
