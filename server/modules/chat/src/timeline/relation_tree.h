#pragma once

#include "timeline/relation_store.h"

#include <vector>

#include <chat/ids.h>
#include <storage/transaction.h>

namespace chat {

/// How many relations lie between an event and the farthest that relates to it through others.
inline constexpr int kRelationDepth = 3;

struct RelationPage {
    std::vector<Position> positions;  ///< in order of reading
    Position next;  ///< the page ends with it, and there may be more behind; none: that was all
};

/// A page of what relates to an event directly.
RelationPage children_page(storage::Transaction& tx, const RelationQuery& query);

/// A page of what relates to an event directly or through others; the filters hold for every relation on the
/// way ("Relationships API"). Where a great many do, a page may hold fewer than asked for, or none, though
/// more follow: it ends after a few thousand of the room's relations.
RelationPage descendants_page(storage::Transaction& tx, const RelationQuery& query);

}  // namespace chat
