#include "sync/account_data_store.h"

#include "media/media_use.h"
#include "stream_store.h"

namespace chat {
namespace {

std::vector<AccountData> read_rows(storage::Statement& statement) {
    std::vector<AccountData> rows;
    while (statement.step()) {
        rows.push_back({RoomNumber{statement.integer(0)}, std::string(statement.text(1)),
                        statement.integer(2), std::string(statement.text(3))});
    }
    return rows;
}

Position find_position(storage::Transaction& tx, identity::UserNumber user, RoomNumber room,
                       std::string_view type) {
    auto statement = tx.prepare(
        "SELECT position FROM account_data WHERE user_number = ?1 AND room_number = ?2 AND type = ?3");
    statement.bind(user, room, type);
    return Position{statement.step() ? statement.integer(0) : 0};
}

}  // namespace

std::int64_t put_account_data(storage::Transaction& tx, identity::UserNumber user, RoomNumber room,
                              std::string_view type, std::string_view json) {
    const auto before = find_position(tx, user, room, type);
    const auto position = take_position(tx, Stream::account_data);
    auto statement = tx.prepare(
        "INSERT INTO account_data (user_number, room_number, type, position, json) VALUES (?1, ?2, ?3, ?4, "
        "?5) "
        "ON CONFLICT (user_number, room_number, type) DO UPDATE SET position = ?4, json = ?5");
    statement.bind(user, room, type, position, json);
    statement.run();
    replace_account_data_uses(tx, user, before, Position{position}, json);
    return position;
}

std::optional<AccountData> find_account_data(storage::Transaction& tx, identity::UserNumber user,
                                             RoomNumber room, std::string_view type) {
    auto statement = tx.prepare(
        "SELECT room_number, type, position, json FROM account_data WHERE user_number = ?1 AND room_number = "
        "?2 "
        "AND type = ?3");
    statement.bind(user, room, type);
    auto rows = read_rows(statement);
    if (rows.empty()) return std::nullopt;
    return std::move(rows.front());
}

std::vector<AccountData> account_data_changes(storage::Transaction& tx, identity::UserNumber user,
                                              std::int64_t after, std::int64_t up_to) {
    auto statement = tx.prepare(
        "SELECT room_number, type, position, json FROM account_data WHERE user_number = ?1 AND position > ?2 "
        "AND position <= ?3 ORDER BY position");
    statement.bind(user, after, up_to);
    return read_rows(statement);
}

std::vector<AccountData> account_data_of(storage::Transaction& tx, identity::UserNumber user,
                                         RoomNumber room) {
    auto statement = tx.prepare(
        "SELECT room_number, type, position, json FROM account_data WHERE user_number = ?1 AND room_number = "
        "?2 "
        "ORDER BY type");
    statement.bind(user, room);
    return read_rows(statement);
}

std::int64_t delete_account_data(storage::Transaction& tx, identity::UserNumber user, std::int64_t limit) {
    std::vector<std::int64_t> positions;
    {
        auto rows =
            tx.prepare("SELECT position FROM account_data WHERE user_number = ?1 ORDER BY position LIMIT ?2");
        rows.bind(user, limit);
        while (rows.step()) positions.push_back(rows.integer(0));
    }
    std::int64_t deleted = 0;
    for (const auto position : positions) {
        if (deleted >= limit) break;
        deleted += delete_account_data_uses(tx, Position{position});
        deleted += tx.prepare("DELETE FROM account_data WHERE user_number = ?1 AND position = ?2")
                       .bind(user, position)
                       .run();
    }
    return deleted;
}

std::int64_t count_account_data(storage::Transaction& tx, identity::UserNumber user, RoomNumber room) {
    auto statement =
        tx.prepare("SELECT count(*) FROM account_data WHERE user_number = ?1 AND room_number = ?2");
    statement.bind(user, room);
    return statement.step() ? statement.integer(0) : 0;
}

}  // namespace chat
