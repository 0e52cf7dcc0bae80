#include "asked_by_itself.h"

namespace assistant {

bool take_turn(storage::Transaction& tx, identity::UserNumber user, std::string_view room_id,
               chat::Position newest) {
    auto take = tx.prepare(
        "INSERT INTO asked_by_itself (user_number, room_id, position) VALUES (?1, ?2, ?3) "
        "ON CONFLICT (user_number, room_id) DO UPDATE SET position = excluded.position "
        "WHERE asked_by_itself.position < excluded.position "
        "RETURNING position");
    take.bind(user, room_id, newest);
    return take.step();
}

}  // namespace assistant
