#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <base/result.h>
#include <identity/ids.h>
#include <storage/transaction.h>

namespace identity {

/// What other modules look up inside their own jobs; synchronous, one row each.

/// The name that the server was given with its first account; nothing before that.
std::optional<std::string> server_name(storage::Transaction& tx);
/// The account with this full id (deactivated ones too); nothing where there is none.
std::optional<UserNumber> find_user(storage::Transaction& tx, std::string_view user_id);
/// The full id of an account that exists.
UserId user_id_of(storage::Transaction& tx, UserNumber user);
/// Whether the account exists and has not been deactivated.
bool is_active(storage::Transaction& tx, UserNumber user);
/// Whether the account exists, is active and administers the server.
bool is_admin(storage::Transaction& tx, UserNumber user);

/// What stands in a person's member events. Empty optionals are absent fields.
struct MemberProfile {
    std::optional<std::string> display_name;
    std::optional<std::string> avatar_url;
};
MemberProfile member_profile_of(storage::Transaction& tx, UserNumber user);

std::optional<DeviceNumber> find_device(storage::Transaction& tx, UserNumber user,
                                        std::string_view device_id);

/// The server's own account with this localpart (no password, in no directory), made where it is missing.
/// Errors: identity.not_named (conflict): the server has no name yet; identity.taken (conflict): a person's.
base::Result<UserNumber> ensure_system_account(storage::Transaction& tx, std::string_view localpart,
                                               std::string_view display_name, std::int64_t now_ms);

/// A row for a person, without rules: registration and setup stand over it, tests use it as it is.
struct NewAccount {
    std::string localpart;
    std::optional<std::string> password_hash = std::nullopt;
    std::optional<std::string> display_name = std::nullopt;
    bool is_admin = false;
    std::int64_t created_at_ms = 0;
};
/// Errors: M_USER_IN_USE (conflict).
base::Result<UserNumber> create_account(storage::Transaction& tx, const NewAccount& account);

/// Writes the server's name. It never changes: errors: identity.server_name_differs (conflict).
base::Result<void> name_server(storage::Transaction& tx, std::string_view name);

}  // namespace identity
