#include "account_store.h"

#include "directory_key.h"

#include <storage/database.h>

namespace identity {
namespace {

Account read_account(const storage::Statement& row) {
    return {.user = UserNumber{row.integer(0)},
            .localpart = std::string(row.text(1)),
            .password_hash = row.optional_text(2),
            .is_system = row.integer(3) != 0,
            .is_admin = row.integer(4) != 0,
            .deactivated = !row.is_null(5)};
}

void write_directory_key(storage::Transaction& tx, UserNumber user) {
    auto account = tx.prepare(
        "SELECT localpart, display_name FROM identity_accounts"
        " WHERE user_number = ?1 AND is_system = 0 AND deactivated_at_ms IS NULL");
    account.bind(user);
    if (!account.step()) return;
    const auto key = directory_key(account.text(0), account.text(1));
    tx.prepare(
          "INSERT INTO identity_directory (user_number, search_key) VALUES (?1, ?2)"
          " ON CONFLICT (user_number) DO UPDATE SET search_key = excluded.search_key")
        .bind(user, key)
        .run();
}

constexpr std::string_view kPersonById =
    "SELECT a.user_number, '@' || a.localpart || ':' || s.value, a.display_name, a.is_admin,"
    " a.deactivated_at_ms IS NOT NULL, a.created_at_ms,"
    " (SELECT MAX(d.last_seen_at_ms) FROM identity_devices d WHERE d.user_number = a.user_number)"
    " FROM identity_accounts a JOIN identity_settings s ON s.name = 'server_name'"
    " WHERE a.is_system = 0 AND a.user_number = ?1";
constexpr std::string_view kPeopleAfter =
    "SELECT a.user_number, '@' || a.localpart || ':' || s.value, a.display_name, a.is_admin,"
    " a.deactivated_at_ms IS NOT NULL, a.created_at_ms,"
    " (SELECT MAX(d.last_seen_at_ms) FROM identity_devices d WHERE d.user_number = a.user_number)"
    " FROM identity_accounts a JOIN identity_settings s ON s.name = 'server_name'"
    " WHERE a.is_system = 0 AND a.user_number > ?1 ORDER BY a.user_number LIMIT ?2";

PersonRow read_person(const storage::Statement& row) {
    return {.user = UserNumber{row.integer(0)},
            .user_id = UserId{row.text(1)},
            .display_name = row.optional_text(2),
            .is_admin = row.integer(3) != 0,
            .deactivated = row.integer(4) != 0,
            .created_at_ms = row.integer(5),
            .last_seen_at_ms = row.optional_integer(6)};
}

}  // namespace

std::optional<std::string> server_name(storage::Transaction& tx) {
    auto row = tx.prepare("SELECT value FROM identity_settings WHERE name = 'server_name'");
    if (!row.step()) return std::nullopt;
    return std::string(row.text(0));
}

base::Result<void> name_server(storage::Transaction& tx, std::string_view name) {
    if (const auto old = server_name(tx)) {
        if (*old == name) return {};
        return base::fail(base::ErrorKind::conflict, "identity.server_name_differs",
                          "This server is " + *old + "; its name cannot become " + std::string(name) + ".");
    }
    tx.prepare("INSERT INTO identity_settings (name, value) VALUES ('server_name', ?1)").bind(name).run();
    return {};
}

std::optional<UserNumber> find_user(storage::Transaction& tx, std::string_view user_id) {
    auto row = tx.prepare(
        "SELECT a.user_number FROM identity_accounts a JOIN identity_settings s ON s.name = 'server_name'"
        " WHERE a.localpart = ?1 AND s.value = ?2");
    row.bind(localpart_of(user_id), server_of(user_id));
    if (!row.step()) return std::nullopt;
    return UserNumber{row.integer(0)};
}

UserId user_id_of(storage::Transaction& tx, UserNumber user) {
    auto row = tx.prepare(
        "SELECT '@' || a.localpart || ':' || s.value FROM identity_accounts a"
        " JOIN identity_settings s ON s.name = 'server_name' WHERE a.user_number = ?1");
    row.bind(user);
    if (!row.step()) {
        throw storage::Fault(base::ErrorKind::internal, "identity.no_such_number",
                             "no account has this number");
    }
    return UserId{row.text(0)};
}

bool is_active(storage::Transaction& tx, UserNumber user) {
    auto row =
        tx.prepare("SELECT 1 FROM identity_accounts WHERE user_number = ?1 AND deactivated_at_ms IS NULL");
    return row.bind(user).step();
}

bool is_admin(storage::Transaction& tx, UserNumber user) {
    auto row = tx.prepare(
        "SELECT 1 FROM identity_accounts WHERE user_number = ?1 AND deactivated_at_ms IS NULL AND is_admin = "
        "1");
    return row.bind(user).step();
}

MemberProfile member_profile_of(storage::Transaction& tx, UserNumber user) {
    auto row = tx.prepare("SELECT display_name, avatar_url FROM identity_accounts WHERE user_number = ?1");
    row.bind(user);
    if (!row.step()) return {};
    return {.display_name = row.optional_text(0), .avatar_url = row.optional_text(1)};
}

base::Result<UserNumber> create_account(storage::Transaction& tx, const NewAccount& account) {
    if (is_localpart_taken(tx, account.localpart)) {
        return base::fail(base::ErrorKind::conflict, "M_USER_IN_USE", "This user name is taken.");
    }
    tx.prepare(
          "INSERT INTO identity_accounts (localpart, is_system, password_hash, is_admin, display_name,"
          " created_at_ms) VALUES (?1, 0, ?2, ?3, ?4, ?5)")
        .bind(account.localpart, account.password_hash, account.is_admin, account.display_name,
              account.created_at_ms)
        .run();
    const UserNumber user{tx.last_insert_rowid()};
    write_directory_key(tx, user);
    return user;
}

base::Result<UserNumber> ensure_system_account(storage::Transaction& tx, std::string_view localpart,
                                               std::string_view display_name, std::int64_t now_ms) {
    if (!server_name(tx)) {
        return base::fail(base::ErrorKind::conflict, "identity.not_named", "The server has no name yet.");
    }
    if (const auto found = find_account(tx, localpart)) {
        if (found->is_system) return found->user;
        return base::fail(base::ErrorKind::conflict, "identity.taken", "A person has this user name.");
    }
    tx.prepare(
          "INSERT INTO identity_accounts (localpart, is_system, is_admin, display_name, created_at_ms)"
          " VALUES (?1, 1, 0, ?2, ?3)")
        .bind(localpart, display_name, now_ms)
        .run();
    return UserNumber{tx.last_insert_rowid()};
}

std::optional<Account> find_account(storage::Transaction& tx, std::string_view localpart) {
    auto row = tx.prepare(
        "SELECT user_number, localpart, password_hash, is_system, is_admin, deactivated_at_ms"
        " FROM identity_accounts WHERE localpart = ?1");
    row.bind(localpart);
    if (!row.step()) return std::nullopt;
    return read_account(row);
}

std::optional<Account> find_account(storage::Transaction& tx, UserNumber user) {
    auto row = tx.prepare(
        "SELECT user_number, localpart, password_hash, is_system, is_admin, deactivated_at_ms"
        " FROM identity_accounts WHERE user_number = ?1");
    row.bind(user);
    if (!row.step()) return std::nullopt;
    return read_account(row);
}

bool is_localpart_taken(storage::Transaction& tx, std::string_view localpart) {
    return tx.prepare("SELECT 1 FROM identity_accounts WHERE localpart = ?1").bind(localpart).step();
}

void set_password_hash(storage::Transaction& tx, UserNumber user, const std::optional<std::string>& hash) {
    tx.prepare("UPDATE identity_accounts SET password_hash = ?2 WHERE user_number = ?1")
        .bind(user, hash)
        .run();
}

void set_admin(storage::Transaction& tx, UserNumber user, bool is_admin) {
    tx.prepare("UPDATE identity_accounts SET is_admin = ?2 WHERE user_number = ?1")
        .bind(user, is_admin)
        .run();
}

void mark_deactivated(storage::Transaction& tx, UserNumber user, std::int64_t now_ms, bool erase) {
    tx.prepare("UPDATE identity_accounts SET deactivated_at_ms = ?2, is_admin = 0 WHERE user_number = ?1")
        .bind(user, now_ms)
        .run();
    tx.prepare("DELETE FROM identity_directory WHERE user_number = ?1").bind(user).run();
    if (!erase) return;
    tx.prepare(
          "UPDATE identity_accounts SET password_hash = NULL, display_name = NULL, avatar_url = NULL"
          " WHERE user_number = ?1")
        .bind(user)
        .run();
    tx.prepare("DELETE FROM identity_profile_fields WHERE user_number = ?1").bind(user).run();
}

void mark_reactivated(storage::Transaction& tx, UserNumber user) {
    tx.prepare("UPDATE identity_accounts SET deactivated_at_ms = NULL WHERE user_number = ?1")
        .bind(user)
        .run();
    write_directory_key(tx, user);
}

std::int64_t count_admins(storage::Transaction& tx) {
    auto row =
        tx.prepare("SELECT COUNT(*) FROM identity_accounts WHERE is_admin = 1 AND deactivated_at_ms IS NULL");
    row.step();
    return row.integer(0);
}

void set_display_name(storage::Transaction& tx, UserNumber user, const std::optional<std::string>& name) {
    tx.prepare("UPDATE identity_accounts SET display_name = ?2 WHERE user_number = ?1")
        .bind(user, name)
        .run();
    write_directory_key(tx, user);
}

void set_avatar_url(storage::Transaction& tx, UserNumber user, const std::optional<std::string>& url) {
    tx.prepare("UPDATE identity_accounts SET avatar_url = ?2 WHERE user_number = ?1").bind(user, url).run();
}

std::vector<ProfileField> profile_fields(storage::Transaction& tx, UserNumber user) {
    auto row =
        tx.prepare("SELECT name, value FROM identity_profile_fields WHERE user_number = ?1 ORDER BY name");
    row.bind(user);
    std::vector<ProfileField> fields;
    while (row.step()) fields.push_back({.name = std::string(row.text(0)), .json = std::string(row.text(1))});
    return fields;
}

void set_profile_field(storage::Transaction& tx, UserNumber user, std::string_view name,
                       const std::optional<std::string>& json) {
    if (!json) {
        tx.prepare("DELETE FROM identity_profile_fields WHERE user_number = ?1 AND name = ?2")
            .bind(user, name)
            .run();
        return;
    }
    tx.prepare(
          "INSERT INTO identity_profile_fields (user_number, name, value) VALUES (?1, ?2, ?3)"
          " ON CONFLICT (user_number, name) DO UPDATE SET value = excluded.value")
        .bind(user, name, *json)
        .run();
}

std::vector<PersonRow> list_people(storage::Transaction& tx, UserNumber after, std::size_t limit) {
    auto row = tx.prepare(kPeopleAfter);
    row.bind(after, static_cast<std::int64_t>(limit));
    std::vector<PersonRow> people;
    while (row.step()) people.push_back(read_person(row));
    return people;
}

std::optional<PersonRow> find_person(storage::Transaction& tx, UserNumber user) {
    auto row = tx.prepare(kPersonById);
    row.bind(user);
    if (!row.step()) return std::nullopt;
    return read_person(row);
}

std::optional<std::string> stored_directory_key(storage::Transaction& tx, UserNumber user) {
    auto row = tx.prepare("SELECT search_key FROM identity_directory WHERE user_number = ?1");
    row.bind(user);
    if (!row.step()) return std::nullopt;
    return std::string(row.text(0));
}

}  // namespace identity
