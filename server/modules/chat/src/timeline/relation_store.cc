#include "timeline/relation_store.h"

namespace chat {
namespace {

constexpr std::string_view kThread = "m.thread";

void count_reply(storage::Transaction& tx, const Relation& relation) {
    auto summary = tx.prepare(
        "INSERT INTO thread (room_number, root_position, latest_position, reply_count) VALUES (?1, ?2, ?3, "
        "1) "
        "ON CONFLICT (room_number, root_position) DO UPDATE SET latest_position = ?3, reply_count = "
        "reply_count + 1");
    summary.bind(relation.room, relation.parent, relation.child);
    summary.run();
    auto participant = tx.prepare(
        "INSERT INTO thread_participant (room_number, root_position, user_number, reply_count) VALUES (?1, "
        "?2, ?3, 1) "
        "ON CONFLICT (room_number, root_position, user_number) DO UPDATE SET reply_count = reply_count + 1");
    participant.bind(relation.room, relation.parent, relation.sender);
    participant.run();
}

void discount_reply(storage::Transaction& tx, const Relation& relation) {
    const auto latest = latest_child(tx, relation.room, relation.parent, kThread);
    if (latest) {
        auto summary = tx.prepare(
            "UPDATE thread SET latest_position = ?3, reply_count = reply_count - 1 "
            "WHERE room_number = ?1 AND root_position = ?2");
        summary.bind(relation.room, relation.parent, latest);
        summary.run();
    } else {
        auto summary = tx.prepare("DELETE FROM thread WHERE room_number = ?1 AND root_position = ?2");
        summary.bind(relation.room, relation.parent);
        summary.run();
    }
    auto participant = tx.prepare(
        "UPDATE thread_participant SET reply_count = reply_count - 1 "
        "WHERE room_number = ?1 AND root_position = ?2 AND user_number = ?3");
    participant.bind(relation.room, relation.parent, relation.sender);
    participant.run();
    auto gone = tx.prepare(
        "DELETE FROM thread_participant WHERE room_number = ?1 AND root_position = ?2 AND user_number = ?3 "
        "AND reply_count <= 0");
    gone.bind(relation.room, relation.parent, relation.sender);
    gone.run();
}

}  // namespace

void insert_relation(storage::Transaction& tx, const Relation& relation) {
    auto statement = tx.prepare(
        "INSERT INTO relation (room_number, parent_position, rel_type, child_position, sender_number, type) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
    statement.bind(relation.room, relation.parent, relation.rel_type, relation.child, relation.sender,
                   relation.type);
    statement.run();
    if (relation.rel_type == kThread) count_reply(tx, relation);
}

void delete_relation(storage::Transaction& tx, const Relation& relation) {
    auto statement = tx.prepare(
        "DELETE FROM relation WHERE room_number = ?1 AND parent_position = ?2 AND rel_type = ?3 "
        "AND child_position = ?4");
    statement.bind(relation.room, relation.parent, relation.rel_type, relation.child);
    if (statement.run() == 1 && relation.rel_type == kThread) discount_reply(tx, relation);
}

Position find_annotation(storage::Transaction& tx, const Relation& relation, std::string_view key) {
    auto statement = tx.prepare(
        "SELECT child_position FROM annotation WHERE room_number = ?1 AND parent_position = ?2 AND "
        "sender_number = ?3 "
        "AND type = ?4 AND key = ?5");
    statement.bind(relation.room, relation.parent, relation.sender, relation.type, key);
    return Position{statement.step() ? statement.integer(0) : 0};
}

void insert_annotation(storage::Transaction& tx, const Relation& relation, std::string_view key) {
    auto statement = tx.prepare(
        "INSERT INTO annotation (room_number, parent_position, sender_number, type, key, child_position) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING");
    statement.bind(relation.room, relation.parent, relation.sender, relation.type, key, relation.child);
    statement.run();
}

void delete_annotation(storage::Transaction& tx, const Relation& relation, std::string_view key) {
    auto statement = tx.prepare(
        "DELETE FROM annotation WHERE room_number = ?1 AND parent_position = ?2 AND sender_number = ?3 AND "
        "type = ?4 "
        "AND key = ?5 AND child_position = ?6");
    statement.bind(relation.room, relation.parent, relation.sender, relation.type, key, relation.child);
    statement.run();
}

bool any_relations(storage::Transaction& tx, RoomNumber room, Position first, Position last) {
    auto statement = tx.prepare(
        "SELECT 1 FROM relation WHERE room_number = ?1 AND parent_position >= ?2 AND parent_position <= ?3 "
        "LIMIT 1");
    statement.bind(room, first, last);
    return statement.step();
}

std::vector<Child> latest_children(storage::Transaction& tx, RoomNumber room, Position parent,
                                   std::string_view rel_type, std::size_t limit) {
    auto statement = tx.prepare(
        "SELECT child_position, sender_number FROM relation WHERE room_number = ?1 AND parent_position = ?2 "
        "AND rel_type = ?3 ORDER BY child_position DESC LIMIT ?4");
    statement.bind(room, parent, rel_type, static_cast<std::int64_t>(limit));
    std::vector<Child> children;
    while (statement.step())
        children.push_back({Position{statement.integer(0)}, identity::UserNumber{statement.integer(1)}});
    return children;
}

Position latest_child(storage::Transaction& tx, RoomNumber room, Position parent, std::string_view rel_type) {
    auto statement = tx.prepare(
        "SELECT child_position FROM relation WHERE room_number = ?1 AND parent_position = ?2 AND rel_type = "
        "?3 "
        "ORDER BY child_position DESC LIMIT 1");
    statement.bind(room, parent, rel_type);
    return Position{statement.step() ? statement.integer(0) : 0};
}

std::optional<ThreadSummary> find_thread(storage::Transaction& tx, RoomNumber room, Position root) {
    auto statement = tx.prepare(
        "SELECT root_position, latest_position, reply_count FROM thread WHERE room_number = ?1 AND "
        "root_position = ?2");
    statement.bind(room, root);
    if (!statement.step()) return std::nullopt;
    return ThreadSummary{Position{statement.integer(0)}, Position{statement.integer(1)},
                         statement.integer(2)};
}

bool has_participated(storage::Transaction& tx, RoomNumber room, Position root, identity::UserNumber user) {
    auto statement = tx.prepare(
        "SELECT 1 FROM thread_participant WHERE room_number = ?1 AND root_position = ?2 AND user_number = "
        "?3");
    statement.bind(room, root, user);
    return statement.step();
}

std::vector<ThreadSummary> threads_of(storage::Transaction& tx, RoomNumber room, Position before,
                                      identity::UserNumber participant, std::size_t limit) {
    auto statement = tx.prepare(
        "SELECT t.root_position, t.latest_position, t.reply_count FROM thread t "
        "WHERE t.room_number = ?1 AND t.latest_position < ?2 AND (?3 = 0 OR "
        "EXISTS (SELECT 1 FROM thread_participant p WHERE p.room_number = t.room_number "
        "AND p.root_position = t.root_position AND p.user_number = ?3) OR "
        "EXISTS (SELECT 1 FROM event e WHERE e.room_number = t.room_number AND e.position = t.root_position "
        "AND e.sender_number = ?3)) ORDER BY t.latest_position DESC LIMIT ?4");
    statement.bind(room, before, participant, static_cast<std::int64_t>(limit));
    std::vector<ThreadSummary> threads;
    while (statement.step()) {
        threads.push_back(
            {Position{statement.integer(0)}, Position{statement.integer(1)}, statement.integer(2)});
    }
    return threads;
}

// The signs keep the planner from the index by child, in which it would walk all relations of the room.
std::string_view children_text(bool newest_first) {
    return newest_first
               ? "SELECT child_position FROM relation WHERE room_number = ?1 AND parent_position = ?2 "
                 "AND (?3 = '' OR rel_type = ?3) AND (?4 = '' OR type = ?4) AND +child_position > ?5 "
                 "AND +child_position < ?6 ORDER BY +child_position DESC LIMIT ?7"
               : "SELECT child_position FROM relation WHERE room_number = ?1 AND parent_position = ?2 "
                 "AND (?3 = '' OR rel_type = ?3) AND (?4 = '' OR type = ?4) AND +child_position > ?5 "
                 "AND +child_position < ?6 ORDER BY +child_position LIMIT ?7";
}

std::vector<Position> children_of(storage::Transaction& tx, const RelationQuery& query) {
    auto statement = tx.prepare(children_text(query.newest_first));
    statement.bind(query.room, query.parent, query.rel_type, query.type, query.after, query.before,
                   static_cast<std::int64_t>(query.limit));
    std::vector<Position> children;
    while (statement.step()) children.push_back(Position{statement.integer(0)});
    return children;
}

std::vector<std::string> relation_types_of(storage::Transaction& tx, RoomNumber room, Position parent) {
    auto statement =
        tx.prepare("SELECT DISTINCT rel_type FROM relation WHERE room_number = ?1 AND parent_position = ?2");
    statement.bind(room, parent);
    std::vector<std::string> types;
    while (statement.step()) types.emplace_back(statement.text(0));
    return types;
}

}  // namespace chat
