#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <base/crypto.h>
#include <base/random.h>
#include <identity/hooks.h>
#include <identity/ids.h>
#include <net/message.h>
#include <storage/transaction.h>

namespace identity {

/// Secrets are chosen before a job, so that the job is the same when it is repeated.
struct SessionSecrets {
    std::string access_token;
    std::string refresh_token;
    std::string device_id;  ///< for a client that brought none
};
SessionSecrets make_session_secrets(base::Random& random);

/// Only this stands in the database.
base::Bytes token_hash(std::string_view token);

struct SessionWish {
    std::optional<std::string> device_id;
    std::optional<std::string> device_name;
    std::string address;
    bool refreshable = false;
    std::int64_t ttl_ms = 0;  ///< of the access token, where it is refreshable
};

struct Session {
    UserId user_id;
    std::string device_id;
    std::string access_token;
    std::optional<std::string> refresh_token;
    std::optional<std::int64_t> expires_in_ms;
};

/// A session on a new device, or on the one named, whose earlier tokens end.
Session open_session(storage::Transaction& tx, UserNumber user, const SessionSecrets& secrets,
                     const SessionWish& wish, std::int64_t now_ms);

/// New tokens for a refresh token. The old ones live until the new ones are first used, so that a lost answer
/// can be asked for again. Errors: M_UNKNOWN_TOKEN (unauthenticated).
base::Result<Session> refresh_session(storage::Transaction& tx, std::string_view refresh_token,
                                      const SessionSecrets& secrets, std::int64_t ttl_ms,
                                      std::int64_t now_ms);

struct TokenRow {
    net::Principal principal;
    std::optional<std::int64_t> expires_at_ms;
    bool first_use = false;  ///< confirm_refresh has something to do
};
std::optional<TokenRow> find_token(storage::Transaction& tx, const base::Bytes& hash);

/// The refreshed token reached its client: what it replaces ends. The last one before it is known as expired
/// from now on, so that whoever still asks with it is told to use the new one, not that the session is gone.
void confirm_refresh(storage::Transaction& tx, std::int64_t token_number);

struct Device {
    DeviceNumber device;
    std::string device_id;
    std::optional<std::string> display_name;
    std::optional<std::int64_t> last_seen_at_ms;
    std::optional<std::string> last_seen_address;
};
std::vector<Device> list_devices(storage::Transaction& tx, UserNumber user);
std::optional<Device> find_device_row(storage::Transaction& tx, UserNumber user, std::string_view device_id);
bool rename_device(storage::Transaction& tx, UserNumber user, std::string_view device_id,
                   const std::optional<std::string>& name);

using DeviceRemoved = decltype(Hooks::device_removed);
/// Ends the sessions of a device and forgets it; where it was last seen stays known (network_store.h).
void remove_device(storage::Transaction& tx, UserNumber user, DeviceNumber device,
                   const DeviceRemoved& removed, std::int64_t now_ms);
/// The same for all of an account but `except`.
void remove_devices(storage::Transaction& tx, UserNumber user, std::optional<DeviceNumber> except,
                    const DeviceRemoved& removed, std::int64_t now_ms);

/// Makes place for one more device where an account has `most`: the one that was seen longest ago is removed.
void make_place_for_device(storage::Transaction& tx, UserNumber user, std::int64_t most,
                           const DeviceRemoved& removed, std::int64_t now_ms);

/// That a device was in use.
struct Sight {
    std::int64_t at_ms = 0;
    std::string address;
};
void write_last_seen(storage::Transaction& tx, DeviceNumber device, const Sight& sight);
/// The addresses from which the account's devices were last seen.
std::vector<std::string> addresses_of(storage::Transaction& tx, UserNumber user);

}  // namespace identity
