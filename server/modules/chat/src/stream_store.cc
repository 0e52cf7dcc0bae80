#include "stream_store.h"

namespace chat {

std::int64_t take_position(storage::Transaction& tx, Stream stream) {
    auto statement = tx.prepare(
        "INSERT INTO stream (stream, position) VALUES (?1, 1) "
        "ON CONFLICT (stream) DO UPDATE SET position = position + 1 RETURNING position");
    statement.bind(static_cast<int>(stream));
    statement.step();
    const auto position = statement.integer(0);
    statement.step();  // to its end: the write is complete only then
    return position;
}

std::int64_t last_position(storage::Transaction& tx, Stream stream) {
    auto statement = tx.prepare("SELECT position FROM stream WHERE stream = ?1");
    statement.bind(static_cast<int>(stream));
    return statement.step() ? statement.integer(0) : 0;
}

}  // namespace chat
