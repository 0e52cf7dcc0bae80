#pragma once

#include "event/signing.h"
#include "rooms/room_reads.h"
#include "sync/filter.h"
#include "timeline/event_store.h"

#include <optional>
#include <string>
#include <string_view>

namespace chat {

/// Writes the events of an answer as its filter asks for them: in the client's format or as another server
/// would be sent them, with all of their members or some.
class EventWriter {
  public:
    EventWriter(RoomReads& reads, const SyncFilter& filter) : reads_(reads), filter_(filter) {}

    /// Whether the client's format with all of its members is wanted, as nearly always.
    bool is_plain() const { return filter_.event_fields.empty() && !filter_.federation_format; }
    /// Appends an event that the client would be shown as `as_client`.
    void append(std::string& out, const StoredEvent& event, std::string_view as_client);

  private:
    base::json::object in_format(const StoredEvent& event, std::string_view as_client);

    RoomReads& reads_;
    const SyncFilter& filter_;
    std::optional<ServerKey> key_;  ///< read when it is needed
};

}  // namespace chat
