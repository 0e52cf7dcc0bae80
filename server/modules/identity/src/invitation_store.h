#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <base/result.h>
#include <identity/ids.h>
#include <storage/transaction.h>

namespace identity {

struct Invitation {
    std::string token;
    UserNumber inviter;
    std::vector<std::string> room_ids;
    std::optional<std::int64_t> uses_left;  ///< nothing: any number
    std::int64_t created_at_ms = 0;
    std::optional<std::int64_t> expires_at_ms;  ///< nothing: never
};

void insert_invitation(storage::Transaction& tx, const Invitation& invitation);
/// The invitation if it can still be used: not expired, uses left, its inviter active.
std::optional<Invitation> find_invitation(storage::Transaction& tx, std::string_view token,
                                          std::int64_t now_ms);
/// The same, with one use gone. Errors: M_FORBIDDEN (forbidden).
base::Result<Invitation> use_invitation(storage::Transaction& tx, std::string_view token,
                                        std::int64_t now_ms);
/// Of one inviter, or of everybody; also those that can no longer be used.
std::vector<Invitation> list_invitations(storage::Transaction& tx, std::optional<UserNumber> inviter,
                                         std::size_t limit);
std::int64_t count_invitations(storage::Transaction& tx, UserNumber inviter);
/// False where there is none, or (with `inviter`) it is another's.
bool delete_invitation(storage::Transaction& tx, std::string_view token, std::optional<UserNumber> inviter);
/// Those that expired or were used up before now.
void purge_invitations(storage::Transaction& tx, std::int64_t now_ms);

}  // namespace identity
