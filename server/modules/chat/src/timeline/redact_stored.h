#pragma once

#include "rooms/room_store.h"
#include "timeline/event_store.h"

#include <cstddef>

#include <storage/transaction.h>

namespace chat {

/// What one job redacts at most, in rows that it writes: people's messages are to pass between two of them.
/// The event that goes over it is its last.
inline constexpr std::size_t kRedactedRowsAJob = 100;

/// Takes the words of one event out of its row, and what it added to others (relations, uses of media): after
/// the commit they are nowhere in the database. Does nothing to an event that is redacted already. Returns
/// how many rows that took.
std::size_t redact_event(storage::Transaction& tx, const StoredRoom& room, const StoredEvent& event,
                         Position redacted_by);

/// The same of a message and of its sender's edits of it, however many: those over the job's limit are
/// written down for later jobs. That its sender had read what stands before it is kept.
void redact_message(storage::Transaction& tx, const StoredRoom& room, const StoredEvent& event,
                    Position redacted_by);

/// Redacts some of the edits that earlier jobs left. False where there were none.
bool redact_some_left(storage::Transaction& tx);

}  // namespace chat
