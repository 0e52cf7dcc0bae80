#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <identity/ids.h>
#include <storage/transaction.h>

namespace identity {

/// What a short-lived secret is for.
enum class Purpose : std::uint8_t { setup, reset, login, openid };

void insert_secret(storage::Transaction& tx, Purpose purpose, std::string_view token,
                   std::optional<UserNumber> user, std::int64_t now_ms, std::int64_t expires_at_ms);

struct Secret {
    std::optional<UserNumber> user;
};
/// The secret, if it is known, of that purpose, and not expired.
std::optional<Secret> find_secret(storage::Transaction& tx, Purpose purpose, std::string_view token,
                                  std::int64_t now_ms);
/// The same, and it never works again.
std::optional<Secret> take_secret(storage::Transaction& tx, Purpose purpose, std::string_view token,
                                  std::int64_t now_ms);
/// Of everyone, or of one account.
void delete_secrets(storage::Transaction& tx, Purpose purpose, std::optional<UserNumber> user);
void purge_expired_secrets(storage::Transaction& tx, std::int64_t now_ms);

}  // namespace identity
