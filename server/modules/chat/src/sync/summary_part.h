#pragma once

#include "rooms/room_store.h"
#include "sync/sync_query.h"

#include <string>

#include <storage/transaction.h>

namespace chat {

/// Whether anybody's membership of the room (or name in it) changed in (after, up_to].
bool members_changed(storage::Transaction& tx, RoomNumber room, Position after, Position up_to);

/// The room's summary: counts, and, in a room without a name, the people to name it by. Those are added to
/// `wanted` (which may be null).
std::string make_summary(storage::Transaction& tx, const StoredRoom& room, identity::UserNumber reader,
                         UserIds* wanted);

}  // namespace chat
