#pragma once

#include "rooms/room_store.h"
#include "timeline/event_store.h"

#include <storage/transaction.h>

namespace chat {

/// Takes the words of an event out of its row, those of its sender's edits of it out of theirs, and what it
/// added to others (relations): after the commit they are nowhere in the database. Does nothing to an event
/// that is redacted already.
void redact_stored(storage::Transaction& tx, const StoredRoom& room, const StoredEvent& event,
                   Position redacted_by);

}  // namespace chat
