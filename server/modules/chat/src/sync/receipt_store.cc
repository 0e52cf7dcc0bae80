#include "sync/receipt_store.h"

#include "stream_store.h"

namespace chat {
namespace {

std::vector<Receipt> read_rows(storage::Statement& statement) {
    std::vector<Receipt> rows;
    while (statement.step()) {
        rows.push_back({.room = RoomNumber{statement.integer(0)},
                        .user = identity::UserNumber{statement.integer(1)},
                        .kind = static_cast<ReceiptKind>(statement.integer(2)),
                        .thread_id = std::string(statement.text(3)),
                        .event_position = Position{statement.integer(4)},
                        .event_id = std::string(statement.text(5)),
                        .ts_ms = statement.integer(6),
                        .position = statement.integer(7)});
    }
    return rows;
}

}  // namespace

std::string_view to_string(ReceiptKind kind) {
    return kind == ReceiptKind::read ? "m.read" : "m.read.private";
}

std::optional<std::int64_t> put_receipt(storage::Transaction& tx, const Receipt& receipt) {
    const auto kind = static_cast<int>(receipt.kind);
    {
        auto standing = tx.prepare(
            "SELECT event_position FROM receipt WHERE room_number = ?1 AND user_number = ?2 AND kind = ?3 "
            "AND "
            "thread_id = ?4");
        standing.bind(receipt.room, receipt.user, kind, receipt.thread_id);
        if (standing.step() && standing.integer(0) >= receipt.event_position.value) return std::nullopt;
    }
    const auto position = take_position(tx, Stream::receipts);
    auto statement = tx.prepare(
        "INSERT INTO receipt (room_number, user_number, kind, thread_id, event_position, event_id, ts_ms, "
        "position) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (room_number, user_number, kind, "
        "thread_id) DO UPDATE SET event_position = ?5, event_id = ?6, ts_ms = ?7, position = ?8");
    statement.bind(receipt.room, receipt.user, kind, receipt.thread_id, receipt.event_position,
                   receipt.event_id, receipt.ts_ms, position);
    statement.run();
    return position;
}

void put_read_by_writing(storage::Transaction& tx, RoomNumber room, identity::UserNumber user,
                         std::string_view thread_id, Position event_position) {
    // Position 0: after no token, so that nothing tells of it.
    auto statement = tx.prepare(
        "INSERT INTO receipt (room_number, user_number, kind, thread_id, event_position, event_id, ts_ms, "
        "position) VALUES (?1, ?2, ?3, ?4, ?5, '', 0, 0) ON CONFLICT (room_number, user_number, kind, "
        "thread_id) DO UPDATE SET event_position = max(event_position, ?5)");
    statement.bind(room, user, static_cast<int>(ReceiptKind::by_writing), thread_id, event_position);
    statement.run();
}

std::int64_t delete_receipts(storage::Transaction& tx, identity::UserNumber user, std::int64_t limit) {
    std::vector<Receipt> some;
    {
        auto rows = tx.prepare(
            "SELECT room_number, user_number, kind, thread_id, event_position, event_id, ts_ms, position "
            "FROM receipt WHERE user_number = ?1 LIMIT ?2");
        rows.bind(user, limit);
        some = read_rows(rows);
    }
    // One by its whole key: of a list of keys SQLite uses the first columns alone, and there may be any
    // number of one room.
    for (const Receipt& receipt : some) {
        tx.prepare(
              "DELETE FROM receipt WHERE room_number = ?1 AND user_number = ?2 AND kind = ?3 AND thread_id = "
              "?4")
            .bind(receipt.room, user, static_cast<int>(receipt.kind), receipt.thread_id)
            .run();
    }
    return static_cast<std::int64_t>(some.size());
}

std::vector<Receipt> receipts_of(storage::Transaction& tx, RoomNumber room, identity::UserNumber user) {
    auto statement = tx.prepare(
        "SELECT room_number, user_number, kind, thread_id, event_position, event_id, ts_ms, position "
        "FROM receipt WHERE room_number = ?1 AND user_number = ?2");
    statement.bind(room, user);
    return read_rows(statement);
}

std::vector<Receipt> receipt_changes(storage::Transaction& tx, RoomNumber room, identity::UserNumber reader,
                                     std::int64_t after, std::int64_t up_to, std::size_t limit) {
    auto statement = tx.prepare(
        "SELECT room_number, user_number, kind, thread_id, event_position, event_id, ts_ms, position "
        "FROM receipt WHERE room_number = ?1 AND position > ?2 AND position <= ?3 "
        "AND (kind = 1 OR user_number = ?4) ORDER BY position DESC LIMIT ?5");
    statement.bind(room, after, up_to, reader, static_cast<std::int64_t>(limit));
    return read_rows(statement);
}

bool has_receipts_after(storage::Transaction& tx, RoomNumber room, std::int64_t after, std::int64_t up_to) {
    auto statement = tx.prepare(
        "SELECT 1 FROM receipt WHERE room_number = ?1 AND position > ?2 AND position <= ?3 LIMIT 1");
    statement.bind(room, after, up_to);
    return statement.step();
}

bool has_own_receipts_after(storage::Transaction& tx, RoomNumber room, identity::UserNumber reader,
                            std::int64_t after, std::int64_t up_to) {
    auto statement = tx.prepare(
        "SELECT 1 FROM receipt WHERE room_number = ?1 AND position > ?2 AND position <= ?3"
        " AND user_number = ?4 LIMIT 1");
    statement.bind(room, after, up_to, reader);
    return statement.step();
}

}  // namespace chat
