#pragma once

#include "rooms/room_reads.h"
#include "rooms/room_store.h"
#include "sync/sync_query.h"

#include <string>

#include <storage/transaction.h>

namespace chat {

/// Whether something that the summary is made of changed in (after, up_to]: somebody's membership of the
/// room, or what it is called (a room that lost its name needs its heroes). `may_redact`: whether a redaction
/// may be in that range, by which a name can be lost, too.
bool summary_changed(RoomReads& reads, RoomNumber room, Position after, Position up_to, bool may_redact);

/// The room's summary: counts, and, in a room without a name, the people to name it by. Those are added to
/// `wanted` (which may be null).
std::string make_summary(storage::Transaction& tx, const StoredRoom& room, identity::UserNumber reader,
                         UserIds* wanted);

}  // namespace chat
