#pragma once

#include "rooms/room_store.h"
#include "rooms/state_store.h"
#include "timeline/event_store.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include <chat/ids.h>
#include <storage/transaction.h>

namespace chat {

enum class HistoryVisibility : std::uint8_t { world_readable, shared, invited, joined };
/// What was set when, oldest first. An unknown word counts as shared, as the specification says.
using Visibilities = std::vector<std::pair<Position, HistoryVisibility>>;

/// What is the same for everybody who reads a room, of one snapshot. Where several answers are made from it
/// (`is_shared`), each question is put to the database once for all of them. References stay valid until
/// trim().
class RoomReads {
  public:
    explicit RoomReads(storage::Transaction& tx, bool is_shared = false) : tx_(tx), is_shared_(is_shared) {}

    storage::Transaction& transaction() { return tx_; }
    const std::optional<StoredRoom>& room(RoomNumber room);
    const Visibilities& visibilities(RoomNumber room);
    /// Those of chat::events_before.
    std::vector<StoredEvent> events_before(RoomNumber room, Position up_to, Position after,
                                           std::size_t limit);
    /// Those of chat::events_after.
    std::vector<StoredEvent> events_after(RoomNumber room, Position after, Position up_to, std::size_t limit);
    /// All after `after`, to the end of the snapshot.
    const std::vector<StateEntry>& state_changes(RoomNumber room, Position after);
    /// Whether an event of [first, last] has a child.
    bool any_relations(RoomNumber room, Position first, Position last);

    /// Forgets all where it has grown large.
    void trim();

  private:
    using Range = std::tuple<std::int64_t, std::int64_t, std::int64_t>;
    using Page = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::size_t>;

    /// The page at `key`: read with `read`, and kept for the others where there are others.
    template <class Read>
    std::vector<StoredEvent> page(std::map<Page, std::vector<StoredEvent>>& pages, const Page& key,
                                  Read read);

    storage::Transaction& tx_;
    bool is_shared_;
    std::size_t kept_ = 0;  ///< rows
    std::map<RoomNumber, std::optional<StoredRoom>> rooms_;
    std::map<RoomNumber, Visibilities> visibilities_;
    std::map<Page, std::vector<StoredEvent>> before_;
    std::map<Page, std::vector<StoredEvent>> after_;
    std::map<Range, std::vector<StateEntry>> changes_;
    std::map<Range, bool> relations_;
};

}  // namespace chat
