#pragma once

#include "rooms/room_reads.h"
#include "sync/sync_query.h"

namespace chat {

/// Makes one answer of /sync from one snapshot of the database, which other answers may be made from as well.
/// Runs on a reader thread.
SyncAnswer make_answer(RoomReads& reads, const SyncQuery& query);
/// The answer that tells nothing but where to go on.
std::string empty_answer(const StreamToken& next_batch);

}  // namespace chat
