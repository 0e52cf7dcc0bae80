#include "secret_store.h"

#include "session_store.h"

namespace identity {
namespace {

std::string_view name_of(Purpose purpose) {
    switch (purpose) {
        case Purpose::setup:
            return "setup";
        case Purpose::reset:
            return "reset";
        case Purpose::login:
            return "login";
        case Purpose::openid:
            return "openid";
    }
    return "";
}

}  // namespace

void insert_secret(storage::Transaction& tx, Purpose purpose, std::string_view token,
                   std::optional<UserNumber> user, std::int64_t now_ms, std::int64_t expires_at_ms) {
    tx.prepare(
          "INSERT INTO identity_secrets (token_hash, purpose, user_number, created_at_ms, expires_at_ms)"
          " VALUES (?1, ?2, ?3, ?4, ?5)")
        .bind(token_hash(token), name_of(purpose), user, now_ms, expires_at_ms)
        .run();
}

std::optional<Secret> find_secret(storage::Transaction& tx, Purpose purpose, std::string_view token,
                                  std::int64_t now_ms) {
    auto row = tx.prepare(
        "SELECT user_number FROM identity_secrets WHERE token_hash = ?1 AND purpose = ?2 AND expires_at_ms > "
        "?3");
    row.bind(token_hash(token), name_of(purpose), now_ms);
    if (!row.step()) return std::nullopt;
    Secret secret;
    if (const auto user = row.optional_integer(0)) secret.user = UserNumber{*user};
    return secret;
}

std::optional<Secret> take_secret(storage::Transaction& tx, Purpose purpose, std::string_view token,
                                  std::int64_t now_ms) {
    const auto secret = find_secret(tx, purpose, token, now_ms);
    if (secret)
        tx.prepare("DELETE FROM identity_secrets WHERE token_hash = ?1").bind(token_hash(token)).run();
    return secret;
}

void delete_secrets(storage::Transaction& tx, Purpose purpose, std::optional<UserNumber> user) {
    // A text each: an index serves neither where one asks for both.
    if (user) {
        tx.prepare("DELETE FROM identity_secrets WHERE purpose = ?1 AND user_number = ?2")
            .bind(name_of(purpose), *user)
            .run();
    } else {
        tx.prepare("DELETE FROM identity_secrets WHERE purpose = ?1").bind(name_of(purpose)).run();
    }
}

void purge_expired_secrets(storage::Transaction& tx, std::int64_t now_ms) {
    tx.prepare("DELETE FROM identity_secrets WHERE expires_at_ms <= ?1").bind(now_ms).run();
}

}  // namespace identity
