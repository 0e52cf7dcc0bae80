#include "timeline/transaction_store.h"

#include <array>

#include <base/crypto.h>

namespace chat {

std::int64_t transaction_scope_key(identity::UserNumber user, identity::DeviceNumber device,
                                   std::string_view endpoint, std::string_view room_id, std::string_view type,
                                   std::string_view txn_id) {
    std::string text = std::to_string(user.value);
    text.append("/").append(std::to_string(device.value));
    for (const auto part : {endpoint, room_id, type, txn_id}) {
        text.push_back('\0');
        text.append(part);
    }
    const auto digest = base::sha256(text);
    std::uint64_t key = 0;
    for (std::size_t i = 0; i < 8; ++i) key = key << 8 | digest[i];
    return static_cast<std::int64_t>(key);
}

void insert_transaction(storage::Transaction& tx, const SentTransaction& sent) {
    auto statement = tx.prepare(
        "INSERT INTO sent_transaction (position, room_number, device_number, scope_key, txn_id, sent_at_ms) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
    statement.bind(sent.position, sent.room, sent.device, sent.scope_key, sent.txn_id, sent.sent_at_ms);
    statement.run();
}

std::optional<SentTransaction> find_transaction(storage::Transaction& tx, Position position) {
    auto statement = tx.prepare(
        "SELECT position, room_number, device_number, scope_key, txn_id, sent_at_ms FROM sent_transaction "
        "WHERE position = ?1");
    statement.bind(position);
    if (!statement.step()) return std::nullopt;
    return SentTransaction{.position = Position{statement.integer(0)},
                           .room = RoomNumber{statement.integer(1)},
                           .device = identity::DeviceNumber{statement.integer(2)},
                           .scope_key = statement.integer(3),
                           .txn_id = std::string(statement.text(4)),
                           .sent_at_ms = statement.integer(5)};
}

std::vector<std::pair<std::int64_t, Position>> transaction_keys(storage::Transaction& tx, Position after,
                                                                std::size_t limit) {
    auto statement = tx.prepare(
        "SELECT scope_key, position FROM sent_transaction WHERE position > ?1 ORDER BY position LIMIT ?2");
    statement.bind(after, static_cast<std::int64_t>(limit));
    std::vector<std::pair<std::int64_t, Position>> keys;
    while (statement.step()) keys.emplace_back(statement.integer(0), Position{statement.integer(1)});
    return keys;
}

Position prune_transactions(storage::Transaction& tx, std::int64_t cutoff_ms, std::size_t limit) {
    std::int64_t last = 0;
    {
        auto statement =
            tx.prepare("SELECT position, sent_at_ms FROM sent_transaction ORDER BY position LIMIT ?1");
        statement.bind(static_cast<std::int64_t>(limit));
        while (statement.step() && statement.integer(1) < cutoff_ms) last = statement.integer(0);
    }
    if (last == 0) return {};
    auto statement = tx.prepare("DELETE FROM sent_transaction WHERE position <= ?1");
    statement.bind(last);
    statement.run();
    return Position{last};
}

}  // namespace chat
