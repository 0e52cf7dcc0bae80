#include "server_key_store.h"

#include <algorithm>
#include <array>

namespace chat {

std::optional<ServerKey> find_server_key(storage::Transaction& tx) {
    auto statement = tx.prepare("SELECT key_id, seed FROM server_key ORDER BY created_at_ms DESC LIMIT 1");
    if (!statement.step()) return std::nullopt;
    std::array<std::uint8_t, 32> seed{};
    const auto stored = statement.blob(1);
    std::ranges::copy_n(stored.begin(), std::min<std::ptrdiff_t>(std::ssize(stored), 32), seed.begin());
    return ServerKey{base::SigningKey::from_seed(seed), std::string(statement.text(0))};
}

void insert_server_key(storage::Transaction& tx, const ServerKey& key, std::int64_t now_ms) {
    auto statement = tx.prepare("INSERT INTO server_key (key_id, seed, created_at_ms) VALUES (?1, ?2, ?3)");
    statement.bind(key.key_id, std::span<const std::uint8_t>(key.key.seed()), now_ms);
    statement.run();
}

}  // namespace chat
