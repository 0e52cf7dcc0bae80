#include "timeline/redaction_store.h"

namespace chat {

void put_redaction_rest(storage::Transaction& tx, const RedactionRest& rest) {
    auto statement = tx.prepare(
        "INSERT INTO redaction_rest (room_number, parent_position, redacted_by) VALUES (?1, ?2, ?3) "
        "ON CONFLICT DO NOTHING");
    statement.bind(rest.room, rest.message, rest.redacted_by);
    statement.run();
}

void delete_redaction_rest(storage::Transaction& tx, const RedactionRest& rest) {
    auto statement = tx.prepare("DELETE FROM redaction_rest WHERE room_number = ?1 AND parent_position = ?2");
    statement.bind(rest.room, rest.message);
    statement.run();
}

std::optional<RedactionRest> first_redaction_rest(storage::Transaction& tx) {
    auto statement =
        tx.prepare("SELECT room_number, parent_position, redacted_by FROM redaction_rest LIMIT 1");
    if (!statement.step()) return std::nullopt;
    return RedactionRest{RoomNumber{statement.integer(0)}, Position{statement.integer(1)},
                         Position{statement.integer(2)}};
}

}  // namespace chat
