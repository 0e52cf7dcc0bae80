#pragma once

#include "sync/filter.h"
#include "sync/sync_query.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <chat/ids.h>
#include <identity/ids.h>

namespace chat {

/// What earlier answers of /sync leave for later ones. All of it can be dropped at any time, and is when
/// there is too much. I/O thread only.
class SyncCache {
  public:
    std::shared_ptr<const SyncFilter> filter(identity::UserNumber user, std::int64_t number) const;
    void put_filter(identity::UserNumber user, std::int64_t number, std::shared_ptr<const SyncFilter> filter);

    /// Gives the query what is known; `rooms` none: of all rooms.
    void fill(SyncQuery& query) const;
    /// The rooms of these whose unread events are many; nothing where not all of them have been counted.
    std::optional<std::vector<RoomNumber>> long_rooms(identity::UserNumber user,
                                                      std::span<const RoomNumber> joined) const;
    /// Keeps what an answer found out. `next_batch`: where the device will go on.
    void keep(const SyncQuery& query, SyncAnswer& answer);
    /// A device that does not go on where it was left has not got what it was sent last.
    void forget_sent_unless(identity::DeviceNumber device, const std::optional<StreamToken>& since);
    /// The device was given this token, whatever was read for it last.
    void handed(identity::DeviceNumber device, const StreamToken& next_batch);

  private:
    struct Sent {
        StreamToken next_batch;
        std::unordered_map<RoomNumber, std::shared_ptr<const UserIds>> members;
    };

    std::map<std::pair<identity::UserNumber, std::int64_t>, std::shared_ptr<const SyncFilter>> filters_;
    struct Settings {
        std::shared_ptr<const NotificationSettings> settings;
        std::int64_t as_of = 0;  ///< of account data: later changes may concern them
    };
    std::unordered_map<identity::UserNumber, Settings> settings_;
    std::unordered_map<identity::UserNumber, std::unordered_map<RoomNumber, Unread>> unread_;
    std::size_t unread_count_ = 0;
    std::unordered_map<identity::DeviceNumber, Sent> sent_;
    std::size_t sent_count_ = 0;
};

}  // namespace chat
