#include "network_store.h"

#include "failed_logins.h"
#include "session_store.h"

#include <algorithm>

#include <base/crypto.h>

namespace identity {
namespace {

constexpr std::int64_t kKnownMs = std::int64_t{30} * 24 * 60 * 60 * 1000;
constexpr std::int64_t kMostNetworks = 20;

/// No text: its bytes are any.
base::Bytes stored(std::string_view address) {
    const auto network = network_of(address);
    return {network.begin(), network.end()};
}

}  // namespace

void note_network(storage::Transaction& tx, UserNumber user, std::string_view address, std::int64_t now_ms) {
    // With a new number, the last.
    tx.prepare(
          "INSERT OR REPLACE INTO identity_networks (user_number, network, noted_at_ms) VALUES (?1, ?2, ?3)")
        .bind(user, stored(address), now_ms)
        .run();
    tx.prepare(
          "DELETE FROM identity_networks WHERE user_number = ?1 AND network_number NOT IN"
          " (SELECT network_number FROM identity_networks WHERE user_number = ?1"
          " ORDER BY network_number DESC LIMIT ?2)")
        .bind(user, kMostNetworks)
        .run();
}

bool is_known_network(storage::Transaction& tx, UserNumber user, std::string_view address,
                      std::int64_t now_ms) {
    const auto addresses = addresses_of(tx, user);
    if (std::ranges::find(addresses, network_of(address), network_of) != addresses.end()) return true;
    return tx
        .prepare(
            "SELECT 1 FROM identity_networks WHERE user_number = ?1 AND network = ?2 AND noted_at_ms > ?3")
        .bind(user, stored(address), now_ms - kKnownMs)
        .step();
}

void forget_networks(storage::Transaction& tx, UserNumber user) {
    tx.prepare("DELETE FROM identity_networks WHERE user_number = ?1").bind(user).run();
}

void purge_old_networks(storage::Transaction& tx, std::int64_t now_ms) {
    tx.prepare("DELETE FROM identity_networks WHERE noted_at_ms <= ?1").bind(now_ms - kKnownMs).run();
}

}  // namespace identity
