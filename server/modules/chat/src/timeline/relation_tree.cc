#include "timeline/relation_tree.h"

#include "timeline/event_store.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>
#include <string>

namespace chat {
namespace {

/// A tree of more events than this is read in the order of the room.
constexpr std::size_t kTreeEvents = 1'000;
/// Relations of the room that one page looks at.
constexpr std::size_t kScannedRelations = 4'000;

/// Everything below the event; nothing where that is too much.
std::optional<std::set<Position>> whole_tree(storage::Transaction& tx, const RelationQuery& query) {
    std::set<Position> found;
    std::vector<Position> level{query.parent};
    for (int depth = 0; depth < kRelationDepth && !level.empty(); ++depth) {
        std::vector<Position> next;
        for (const auto parent : level) {
            auto children = query;
            children.parent = parent;
            children.after = {};
            children.before = kEndOfTime;
            children.limit = kTreeEvents + 1;
            for (const auto child : children_of(tx, children)) {
                if (found.insert(child).second) next.push_back(child);
                if (found.size() > kTreeEvents) return std::nullopt;
            }
        }
        level = std::move(next);
    }
    return found;
}

/// One more than `limit` tells that there are more.
RelationPage cut(std::vector<Position> positions, std::size_t limit) {
    RelationPage page{std::move(positions), {}};
    if (page.positions.size() > limit) {
        page.positions.resize(limit);
        page.next = page.positions.back();
    }
    return page;
}

/// The room's relations in order, each with whether it leads to the event in three steps at most. A child has
/// one parent, so each stands once. The index is named: without it the planner walks all of the room at every
/// step.
std::string scan_text(std::string_view order) {
    std::string text =
        "SELECT c.child_position, (?3 = '' OR c.rel_type = ?3) AND (?4 = '' OR c.type = ?4) AND "
        "(c.parent_position IS ?2 OR p.parent_position IS ?2 OR g.parent_position IS ?2) "
        "FROM relation c INDEXED BY relation_by_child "
        "LEFT JOIN relation p INDEXED BY relation_by_child ON p.room_number = c.room_number "
        "AND p.child_position = c.parent_position "
        "AND (?3 = '' OR p.rel_type = ?3) AND (?4 = '' OR p.type = ?4) "
        "LEFT JOIN relation g INDEXED BY relation_by_child ON g.room_number = p.room_number "
        "AND g.child_position = p.parent_position "
        "AND (?3 = '' OR g.rel_type = ?3) AND (?4 = '' OR g.type = ?4) "
        "WHERE c.room_number = ?1 AND c.child_position > ?5 AND c.child_position < ?6 "
        "ORDER BY c.child_position ";
    return text.append(order).append(" LIMIT ?7");
}

RelationPage scan(storage::Transaction& tx, const RelationQuery& query) {
    static_assert(kRelationDepth == 3);
    static const std::string newest_first = scan_text("DESC");
    static const std::string oldest_first = scan_text("ASC");
    auto statement = tx.prepare(query.newest_first ? newest_first : oldest_first);
    // Nothing relates to what comes later.
    statement.bind(query.room, query.parent, query.rel_type, query.type, std::max(query.after, query.parent),
                   query.before, static_cast<std::int64_t>(kScannedRelations));
    std::vector<Position> found;
    Position last;
    std::size_t scanned = 0;
    while (found.size() <= query.limit && statement.step()) {
        ++scanned;
        last = Position{statement.integer(0)};
        if (statement.integer(1) != 0) found.push_back(last);
    }
    auto page = cut(std::move(found), query.limit);
    if (!page.next && scanned == kScannedRelations) page.next = last;
    return page;
}

}  // namespace

RelationPage children_page(storage::Transaction& tx, const RelationQuery& query) {
    auto one_more = query;
    ++one_more.limit;
    return cut(children_of(tx, one_more), query.limit);
}

RelationPage descendants_page(storage::Transaction& tx, const RelationQuery& query) {
    if (query.after >= query.before) return {};
    const auto tree = whole_tree(tx, query);
    if (!tree) return scan(tx, query);
    std::vector<Position> positions(tree->upper_bound(query.after), tree->lower_bound(query.before));
    if (query.newest_first) std::ranges::reverse(positions);
    return cut(std::move(positions), query.limit);
}

}  // namespace chat
