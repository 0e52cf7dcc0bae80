#include "session_store.h"

#include "network_store.h"

#include <identity/users.h>

namespace identity {
namespace {

constexpr std::size_t kTokenCharacters = 43;  // about 256 bits
constexpr std::size_t kDeviceIdCharacters = 10;
/// A fixed beginning lets scanners of leaked secrets know one.
constexpr std::string_view kAccessPrefix = "lxa_";
constexpr std::string_view kRefreshPrefix = "lxr_";

std::int64_t insert_access_token(storage::Transaction& tx, UserNumber user, DeviceNumber device,
                                 std::string_view token, std::int64_t now_ms,
                                 std::optional<std::int64_t> expires_at_ms,
                                 std::optional<std::int64_t> supersedes_refresh) {
    tx.prepare(
          "INSERT INTO identity_access_tokens (token_hash, user_number, device_number, created_at_ms,"
          " expires_at_ms, supersedes_refresh) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
        .bind(token_hash(token), user, device, now_ms, expires_at_ms, supersedes_refresh)
        .run();
    return tx.last_insert_rowid();
}

std::int64_t insert_refresh_token(storage::Transaction& tx, UserNumber user, DeviceNumber device,
                                  std::string_view token, std::int64_t now_ms) {
    tx.prepare(
          "INSERT INTO identity_refresh_tokens (token_hash, user_number, device_number, created_at_ms)"
          " VALUES (?1, ?2, ?3, ?4)")
        .bind(token_hash(token), user, device, now_ms)
        .run();
    return tx.last_insert_rowid();
}

/// Of the access tokens before `token_number` the last is kept, to be known as expired: what ended in earlier
/// turns is asked with no more.
void delete_all_but_last_before(storage::Transaction& tx, DeviceNumber device, std::int64_t token_number) {
    tx.prepare(
          "DELETE FROM identity_access_tokens WHERE device_number = ?1 AND token_number <"
          " (SELECT max(token_number) FROM identity_access_tokens"
          " WHERE device_number = ?1 AND token_number < ?2)")
        .bind(device, token_number)
        .run();
}

void delete_tokens(storage::Transaction& tx, DeviceNumber device) {
    tx.prepare("DELETE FROM identity_access_tokens WHERE device_number = ?1").bind(device).run();
    tx.prepare("DELETE FROM identity_refresh_tokens WHERE device_number = ?1").bind(device).run();
}

Device read_device(const storage::Statement& row) {
    return {.device = DeviceNumber{row.integer(0)},
            .device_id = std::string(row.text(1)),
            .display_name = row.optional_text(2),
            .last_seen_at_ms = row.optional_integer(3),
            .last_seen_address = row.optional_text(4)};
}

std::optional<std::string> last_address_of(storage::Transaction& tx, DeviceNumber device) {
    auto row = tx.prepare("SELECT last_seen_address FROM identity_devices WHERE device_number = ?1");
    row.bind(device);
    return row.step() ? row.optional_text(0) : std::nullopt;
}

DeviceNumber device_for(storage::Transaction& tx, UserNumber user, const std::string& device_id,
                        const SessionWish& wish, std::int64_t now_ms) {
    if (const auto known = find_device(tx, user, device_id)) {
        delete_tokens(tx, *known);
        tx.prepare(
              "UPDATE identity_devices SET last_seen_at_ms = ?2, last_seen_address = ?3"
              " WHERE device_number = ?1")
            .bind(*known, now_ms, wish.address)
            .run();
        return *known;
    }
    tx.prepare(
          "INSERT INTO identity_devices (user_number, device_id, display_name, created_at_ms,"
          " last_seen_at_ms, last_seen_address) VALUES (?1, ?2, ?3, ?4, ?4, ?5)")
        .bind(user, device_id, wish.device_name, now_ms, wish.address)
        .run();
    return DeviceNumber{tx.last_insert_rowid()};
}

}  // namespace

SessionSecrets make_session_secrets(base::Random& random) {
    SessionSecrets secrets{
        .access_token = std::string(kAccessPrefix) + random.alphanumeric(kTokenCharacters),
        .refresh_token = std::string(kRefreshPrefix) + random.alphanumeric(kTokenCharacters),
        .device_id = random.alphanumeric(kDeviceIdCharacters)};
    for (char& c : secrets.device_id) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');  // people read device ids aloud
    }
    return secrets;
}

base::Bytes token_hash(std::string_view token) {
    const auto digest = base::sha256(token);
    return {digest.begin(), digest.end()};
}

Session open_session(storage::Transaction& tx, UserNumber user, const SessionSecrets& secrets,
                     const SessionWish& wish, std::int64_t now_ms) {
    Session session{.user_id = user_id_of(tx, user),
                    .device_id = wish.device_id.value_or(secrets.device_id),
                    .access_token = secrets.access_token};
    const auto device = device_for(tx, user, session.device_id, wish, now_ms);
    std::optional<std::int64_t> expires_at_ms;
    if (wish.refreshable) {
        session.refresh_token = secrets.refresh_token;
        session.expires_in_ms = wish.ttl_ms;
        expires_at_ms = now_ms + wish.ttl_ms;
        insert_refresh_token(tx, user, device, secrets.refresh_token, now_ms);
    }
    insert_access_token(tx, user, device, session.access_token, now_ms, expires_at_ms, std::nullopt);
    return session;
}

base::Result<Session> refresh_session(storage::Transaction& tx, std::string_view refresh_token,
                                      const SessionSecrets& secrets, std::int64_t ttl_ms,
                                      std::int64_t now_ms) {
    UserNumber user;
    DeviceNumber device;
    std::int64_t old_number = 0;
    std::optional<std::int64_t> unused_successor;
    std::string device_id;
    {
        auto row = tx.prepare(
            "SELECT r.refresh_number, r.user_number, r.device_number, r.successor, d.device_id"
            " FROM identity_refresh_tokens r JOIN identity_devices d ON d.device_number = r.device_number"
            " WHERE r.token_hash = ?1");
        row.bind(token_hash(refresh_token));
        if (!row.step()) {
            return base::fail(base::ErrorKind::unauthenticated, "M_UNKNOWN_TOKEN",
                              "The refresh token is unknown or was used already.");
        }
        old_number = row.integer(0);
        user = UserNumber{row.integer(1)};
        device = DeviceNumber{row.integer(2)};
        unused_successor = row.optional_integer(3);
        device_id = row.text(4);
    }
    // The token itself is the sign that it arrived: what it replaced ends now.
    tx.prepare("DELETE FROM identity_refresh_tokens WHERE successor = ?1").bind(old_number).run();
    if (unused_successor) {
        // The earlier answer was lost: nobody holds its tokens, or whoever does shall not keep them.
        tx.prepare("DELETE FROM identity_access_tokens WHERE device_number = ?1 AND supersedes_refresh = ?2")
            .bind(device, old_number)
            .run();
        tx.prepare("DELETE FROM identity_refresh_tokens WHERE refresh_number = ?1")
            .bind(*unused_successor)
            .run();
    }
    const auto new_number = insert_refresh_token(tx, user, device, secrets.refresh_token, now_ms);
    tx.prepare("UPDATE identity_refresh_tokens SET successor = ?2 WHERE refresh_number = ?1")
        .bind(old_number, new_number)
        .run();
    const auto access_number =
        insert_access_token(tx, user, device, secrets.access_token, now_ms, now_ms + ttl_ms, old_number);
    // Also where tokens are renewed and never asked with.
    delete_all_but_last_before(tx, device, access_number);
    return Session{.user_id = user_id_of(tx, user),
                   .device_id = std::move(device_id),
                   .access_token = secrets.access_token,
                   .refresh_token = secrets.refresh_token,
                   .expires_in_ms = ttl_ms};
}

std::optional<TokenRow> find_token(storage::Transaction& tx, const base::Bytes& hash) {
    auto row = tx.prepare(
        "SELECT t.token_number, t.user_number, t.device_number, t.expires_at_ms, t.supersedes_refresh,"
        " d.device_id, a.is_admin, '@' || a.localpart || ':' || s.value"
        " FROM identity_access_tokens t"
        " JOIN identity_devices d ON d.device_number = t.device_number"
        " JOIN identity_accounts a ON a.user_number = t.user_number"
        " JOIN identity_settings s ON s.name = 'server_name'"
        " WHERE t.token_hash = ?1 AND a.deactivated_at_ms IS NULL");
    row.bind(hash);
    if (!row.step()) return std::nullopt;
    return TokenRow{.principal = {.user_id = std::string(row.text(7)),
                                  .user_number = row.integer(1),
                                  .device_id = std::string(row.text(5)),
                                  .device_number = row.integer(2),
                                  .token_number = row.integer(0),
                                  .is_admin = row.integer(6) != 0},
                    .expires_at_ms = row.optional_integer(3),
                    .first_use = !row.is_null(4)};
}

void confirm_refresh(storage::Transaction& tx, std::int64_t token_number) {
    std::int64_t device = 0;
    std::int64_t superseded = 0;
    {
        auto row = tx.prepare(
            "SELECT device_number, supersedes_refresh FROM identity_access_tokens"
            " WHERE token_number = ?1 AND supersedes_refresh IS NOT NULL");
        row.bind(token_number);
        if (!row.step()) return;
        device = row.integer(0);
        superseded = row.integer(1);
    }
    tx.prepare("DELETE FROM identity_refresh_tokens WHERE refresh_number = ?1").bind(superseded).run();
    delete_all_but_last_before(tx, DeviceNumber{device}, token_number);
    tx.prepare(
          "UPDATE identity_access_tokens SET expires_at_ms = 0, supersedes_refresh = NULL"
          " WHERE device_number = ?1 AND token_number < ?2")
        .bind(device, token_number)
        .run();
    tx.prepare("UPDATE identity_access_tokens SET supersedes_refresh = NULL WHERE token_number = ?1")
        .bind(token_number)
        .run();
}

std::optional<DeviceNumber> find_device(storage::Transaction& tx, UserNumber user,
                                        std::string_view device_id) {
    auto row =
        tx.prepare("SELECT device_number FROM identity_devices WHERE user_number = ?1 AND device_id = ?2");
    row.bind(user, device_id);
    if (!row.step()) return std::nullopt;
    return DeviceNumber{row.integer(0)};
}

std::vector<Device> list_devices(storage::Transaction& tx, UserNumber user) {
    auto row = tx.prepare(
        "SELECT device_number, device_id, display_name, last_seen_at_ms, last_seen_address"
        " FROM identity_devices WHERE user_number = ?1 ORDER BY device_number");
    row.bind(user);
    std::vector<Device> devices;
    while (row.step()) devices.push_back(read_device(row));
    return devices;
}

std::optional<Device> find_device_row(storage::Transaction& tx, UserNumber user, std::string_view device_id) {
    auto row = tx.prepare(
        "SELECT device_number, device_id, display_name, last_seen_at_ms, last_seen_address"
        " FROM identity_devices WHERE user_number = ?1 AND device_id = ?2");
    row.bind(user, device_id);
    if (!row.step()) return std::nullopt;
    return read_device(row);
}

bool rename_device(storage::Transaction& tx, UserNumber user, std::string_view device_id,
                   const std::optional<std::string>& name) {
    return tx.prepare(
                 "UPDATE identity_devices SET display_name = ?3 WHERE user_number = ?1 AND device_id = ?2")
               .bind(user, device_id, name)
               .run() > 0;
}

void remove_device(storage::Transaction& tx, UserNumber user, DeviceNumber device,
                   const DeviceRemoved& removed, std::int64_t now_ms) {
    if (const auto address = last_address_of(tx, device)) note_network(tx, user, *address, now_ms);
    delete_tokens(tx, device);
    tx.prepare("DELETE FROM identity_devices WHERE device_number = ?1").bind(device).run();
    if (removed) removed(tx, user, device);
}

void remove_devices(storage::Transaction& tx, UserNumber user, std::optional<DeviceNumber> except,
                    const DeviceRemoved& removed, std::int64_t now_ms) {
    for (const auto& device : list_devices(tx, user)) {
        if (device.device != except) remove_device(tx, user, device.device, removed, now_ms);
    }
}

void make_place_for_device(storage::Transaction& tx, UserNumber user, std::int64_t most,
                           const DeviceRemoved& removed, std::int64_t now_ms) {
    const auto longest_unseen = [&]() -> std::optional<DeviceNumber> {
        auto row = tx.prepare(
            "SELECT device_number, count(*) OVER () FROM identity_devices WHERE user_number = ?1"
            " ORDER BY last_seen_at_ms, device_number LIMIT 1");
        row.bind(user);
        if (!row.step() || row.integer(1) < most) return std::nullopt;
        return DeviceNumber{row.integer(0)};
    };
    if (const auto device = longest_unseen()) remove_device(tx, user, *device, removed, now_ms);
}

void write_last_seen(storage::Transaction& tx, DeviceNumber device, const Sight& sight) {
    tx.prepare(
          "UPDATE identity_devices SET last_seen_at_ms = ?2, last_seen_address = ?3 WHERE device_number = ?1")
        .bind(device, sight.at_ms, sight.address)
        .run();
}

std::vector<std::string> addresses_of(storage::Transaction& tx, UserNumber user) {
    auto row = tx.prepare(
        "SELECT DISTINCT last_seen_address FROM identity_devices"
        " WHERE user_number = ?1 AND last_seen_address IS NOT NULL");
    row.bind(user);
    std::vector<std::string> addresses;
    while (row.step()) addresses.emplace_back(row.text(0));
    return addresses;
}

}  // namespace identity
