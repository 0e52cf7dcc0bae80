#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chat/ids.h>
#include <identity/ids.h>
#include <storage/transaction.h>

namespace chat {

struct Relation {
    RoomNumber room;
    Position parent;
    std::string rel_type;
    Position child;
    identity::UserNumber sender;
    std::string type;  ///< the child's event type
};

/// Keeps the thread's summary where the relation is m.thread.
void insert_relation(storage::Transaction& tx, const Relation& relation);
/// Takes away what a child (that is being redacted) adds to its parent, the thread's summary included.
void delete_relation(storage::Transaction& tx, const Relation& relation);

/// The reaction of this person, type and key to the parent, or none.
Position find_annotation(storage::Transaction& tx, const Relation& relation, std::string_view key);
void insert_annotation(storage::Transaction& tx, const Relation& relation, std::string_view key);
void delete_annotation(storage::Transaction& tx, const Relation& relation, std::string_view key);

/// Whether any event of [first, last] has a child: one look for a whole page of events.
bool any_relations(storage::Transaction& tx, RoomNumber room, Position first, Position last);
/// The newest children by `rel_type`, newest first.
struct Child {
    Position position;
    identity::UserNumber sender;
};
std::vector<Child> latest_children(storage::Transaction& tx, RoomNumber room, Position parent,
                                   std::string_view rel_type, std::size_t limit);
/// The newest child by `rel_type`, or none. Edits stand here only where they are valid, so this is the edit
/// in force.
Position latest_child(storage::Transaction& tx, RoomNumber room, Position parent, std::string_view rel_type);

struct ThreadSummary {
    Position root;
    Position latest;
    std::int64_t reply_count = 0;
};
std::optional<ThreadSummary> find_thread(storage::Transaction& tx, RoomNumber room, Position root);
bool has_participated(storage::Transaction& tx, RoomNumber room, Position root, identity::UserNumber user);
/// The room's threads, latest activity first, below `before`; with `participant`, those in which they wrote a
/// reply or the root.
std::vector<ThreadSummary> threads_of(storage::Transaction& tx, RoomNumber room, Position before,
                                      identity::UserNumber participant, std::size_t limit);

/// Children of an event; empty filters match all. Newest first (positions of (after, before)) or oldest
/// first.
struct RelationQuery {
    RoomNumber room;
    Position parent;
    std::string rel_type;
    std::string type;
    Position after;   ///< exclusive
    Position before;  ///< exclusive
    bool newest_first = true;
    std::size_t limit = 50;
};
std::vector<Position> children_of(storage::Transaction& tx, const RelationQuery& query);
/// Its query, for whoever asks how it is answered.
std::string_view children_text(bool newest_first);
std::vector<std::string> relation_types_of(storage::Transaction& tx, RoomNumber room, Position parent);

}  // namespace chat
