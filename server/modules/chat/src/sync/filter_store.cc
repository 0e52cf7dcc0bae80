#include "sync/filter_store.h"

namespace chat {

std::int64_t put_filter(storage::Transaction& tx, identity::UserNumber user, std::string_view json) {
    std::int64_t last = 0;
    {
        auto rows = tx.prepare(
            "SELECT filter_number, json FROM sync_filter WHERE user_number = ?1 ORDER BY filter_number");
        rows.bind(user);
        while (rows.step()) {
            if (rows.text(1) == json) return rows.integer(0);
            last = rows.integer(0);
        }
    }
    auto insert =
        tx.prepare("INSERT INTO sync_filter (user_number, filter_number, json) VALUES (?1, ?2, ?3)");
    insert.bind(user, last + 1, json);
    insert.run();
    auto prune = tx.prepare("DELETE FROM sync_filter WHERE user_number = ?1 AND filter_number <= ?2");
    prune.bind(user, last + 1 - kStoredFilterLimit);
    prune.run();
    return last + 1;
}

std::optional<std::string> find_filter(storage::Transaction& tx, identity::UserNumber user,
                                       std::int64_t number) {
    auto statement = tx.prepare("SELECT json FROM sync_filter WHERE user_number = ?1 AND filter_number = ?2");
    statement.bind(user, number);
    if (!statement.step()) return std::nullopt;
    return std::string(statement.text(0));
}

}  // namespace chat
