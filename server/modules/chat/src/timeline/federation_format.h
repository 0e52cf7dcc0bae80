#pragma once

#include "event/event_builder.h"
#include "rooms/room_store.h"
#include "timeline/event_store.h"

#include <string>
#include <vector>

#include <base/result.h>

namespace chat {

/// What an event was made of, found again: its row, the event before it, and the state that it was judged by.
/// The strings are its own.
struct FoundParts {
    std::vector<std::string> auth_events;
    std::string content;
    std::string redacted_content;
    std::string prev_event;
    std::string sender;
    std::string room_id;
    EventParts parts() const { return view; }
    EventParts view;  ///< of the members above

    FoundParts() = default;
    FoundParts(const FoundParts&) = delete;
    FoundParts& operator=(const FoundParts&) = delete;
};
/// `event` must outlive what is filled in.
void find_parts(storage::Transaction& tx, const StoredRoom& room, const StoredEvent& event,
                FoundParts& found);

/// The event as another server would be sent it: hashed and signed. Made when it is asked for, since a server
/// without federation sends it to nobody (docs/decisions: signatures are made when they are asked for).
base::Result<base::json::object> federation_event(storage::Transaction& tx, const StoredRoom& room,
                                                  const StoredEvent& event, const ServerKey& key);

}  // namespace chat
