#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chat/ids.h>
#include <chat/room_version.h>
#include <identity/ids.h>
#include <storage/transaction.h>

namespace chat {

struct StoredRoom {
    RoomNumber number;
    RoomId id;
    RoomVersion version = kDefaultRoomVersion;
    identity::UserNumber creator;
    std::int64_t created_at_ms = 0;
    bool is_listed = false;  ///< in the published directory
    std::int64_t joined_count = 0;
    std::int64_t invited_count = 0;
};

/// Nothing where the id is taken.
std::optional<RoomNumber> insert_room(storage::Transaction& tx, const RoomId& id, RoomVersion version,
                                      identity::UserNumber creator, std::int64_t now_ms);
std::optional<StoredRoom> find_room(storage::Transaction& tx, std::string_view room_id);
std::optional<StoredRoom> find_room(storage::Transaction& tx, RoomNumber number);
void set_listed(storage::Transaction& tx, RoomNumber room, bool is_listed);
void change_member_counts(storage::Transaction& tx, RoomNumber room, std::int64_t joined_by,
                          std::int64_t invited_by);

/// The directory, largest first. `after` continues below a room of an earlier page (its counts as they were
/// then).
struct ListedAfter {
    std::int64_t joined_count = 0;
    RoomNumber room;
};
std::vector<StoredRoom> listed_rooms(storage::Transaction& tx, std::optional<ListedAfter> after,
                                     std::size_t limit);
/// The same from the smallest up: for pages backwards.
std::vector<StoredRoom> listed_rooms_before(storage::Transaction& tx, ListedAfter before, std::size_t limit);
std::int64_t count_listed_rooms(storage::Transaction& tx);

struct StoredAlias {
    RoomNumber room;
    identity::UserNumber creator;
};
/// False where the alias is taken.
bool insert_alias(storage::Transaction& tx, std::string_view alias, RoomNumber room,
                  identity::UserNumber creator, std::int64_t now_ms);
std::optional<StoredAlias> find_alias(storage::Transaction& tx, std::string_view alias);
void delete_alias(storage::Transaction& tx, std::string_view alias);
std::vector<std::string> aliases_of(storage::Transaction& tx, RoomNumber room, std::size_t limit);

}  // namespace chat
