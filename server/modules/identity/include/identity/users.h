#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <identity/ids.h>
#include <storage/transaction.h>

namespace identity {

/// What other modules look up inside their own jobs; synchronous, one row each.

/// The account with this full id (deactivated ones too); nothing where there is none.
std::optional<UserNumber> find_user(storage::Transaction& tx, std::string_view user_id);
/// The full id of an account that exists.
UserId user_id_of(storage::Transaction& tx, UserNumber user);

/// What stands in a person's member events. Empty optionals are absent fields.
struct MemberProfile {
    std::optional<std::string> display_name;
    std::optional<std::string> avatar_url;
};
MemberProfile member_profile_of(storage::Transaction& tx, UserNumber user);

}  // namespace identity
