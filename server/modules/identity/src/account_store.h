#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <identity/ids.h>
#include <identity/users.h>
#include <storage/transaction.h>

namespace identity {

/// What logging in needs to know about an account.
struct Account {
    UserNumber user;
    std::string localpart;
    std::optional<std::string> password_hash;
    bool is_system = false;
    bool is_admin = false;
    bool deactivated = false;
};

std::optional<Account> find_account(storage::Transaction& tx, std::string_view localpart);
std::optional<Account> find_account(storage::Transaction& tx, UserNumber user);
bool is_localpart_taken(storage::Transaction& tx, std::string_view localpart);

/// nullopt: nobody can log in by password.
void set_password_hash(storage::Transaction& tx, UserNumber user, const std::optional<std::string>& hash);
void set_admin(storage::Transaction& tx, UserNumber user, bool is_admin);
/// Marks the account and takes it out of the directory. `erase` also forgets password and profile.
void mark_deactivated(storage::Transaction& tx, UserNumber user, std::int64_t now_ms, bool erase);
void mark_reactivated(storage::Transaction& tx, UserNumber user);

/// Active administrators.
std::int64_t count_admins(storage::Transaction& tx);

/// Writes name or avatar, and the directory's key with it. nullopt removes.
void set_display_name(storage::Transaction& tx, UserNumber user, const std::optional<std::string>& name);
void set_avatar_url(storage::Transaction& tx, UserNumber user, const std::optional<std::string>& url);

struct ProfileField {
    std::string name;
    std::string json;
};
std::vector<ProfileField> profile_fields(storage::Transaction& tx, UserNumber user);
void set_profile_field(storage::Transaction& tx, UserNumber user, std::string_view name,
                       const std::optional<std::string>& json);

struct PersonRow {
    UserNumber user;
    UserId user_id;
    std::optional<std::string> display_name;
    bool is_admin = false;
    bool deactivated = false;
    std::int64_t created_at_ms = 0;
    std::optional<std::int64_t> last_seen_at_ms;
};
/// People (no system accounts) with a number above `after`, at most `limit`.
std::vector<PersonRow> list_people(storage::Transaction& tx, UserNumber after, std::size_t limit);
std::optional<PersonRow> find_person(storage::Transaction& tx, UserNumber user);
/// Nothing for who is in no directory.
std::optional<std::string> stored_directory_key(storage::Transaction& tx, UserNumber user);

}  // namespace identity
