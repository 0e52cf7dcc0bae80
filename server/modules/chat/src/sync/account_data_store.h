#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chat/ids.h>
#include <identity/ids.h>
#include <storage/transaction.h>

namespace chat {

/// The room of account data that is about no room.
inline constexpr RoomNumber kNoRoom{0};

struct AccountData {
    RoomNumber room;
    std::string type;
    std::int64_t position = 0;  ///< of Stream::account_data
    std::string json;           ///< the content
};

/// Writes one piece and gives it the next position, which is returned.
std::int64_t put_account_data(storage::Transaction& tx, identity::UserNumber user, RoomNumber room,
                              std::string_view type, std::string_view json);
std::optional<AccountData> find_account_data(storage::Transaction& tx, identity::UserNumber user,
                                             RoomNumber room, std::string_view type);
/// What changed in (after, up_to], of all rooms and none, in order of position.
std::vector<AccountData> account_data_changes(storage::Transaction& tx, identity::UserNumber user,
                                              std::int64_t after, std::int64_t up_to);
/// All of one room (or of none).
std::vector<AccountData> account_data_of(storage::Transaction& tx, identity::UserNumber user,
                                         RoomNumber room);
/// Some of all that a person has, until `limit` rows are gone with what kept which media they show; returns
/// how many.
std::int64_t delete_account_data(storage::Transaction& tx, identity::UserNumber user, std::int64_t limit);
std::int64_t count_account_data(storage::Transaction& tx, identity::UserNumber user, RoomNumber room);

}  // namespace chat
