#pragma once

#include "members/membership_store.h"
#include "rooms/room_reads.h"
#include "rooms/room_store.h"
#include "timeline/event_store.h"
#include "timeline/relation_store.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <chat/ids.h>
#include <identity/ids.h>
#include <storage/transaction.h>

namespace chat {

/// Who reads: transaction ids are told to the device that sent them alone.
struct Reader {
    identity::UserNumber user;
    identity::DeviceNumber device;
};

enum class RoomIdIn : std::uint8_t { leave_out, include };
enum class Aggregations : std::uint8_t { leave_out, include };

/// A room as one person may see it, within one transaction: which events they may read (history visibility as
/// it was when each was sent), and how each is written for them (`unsigned`).
class RoomView {
  public:
    RoomView(storage::Transaction& tx, RoomNumber room, std::string room_id, Reader reader,
             std::int64_t now_ms);
    /// The same, where others read the room from the same snapshot (`reads` outlives it) and what the
    /// person's membership is as of `up_to` is known.
    RoomView(RoomReads& reads, const StoredMembership& membership, Position up_to, std::string room_id,
             Reader reader, std::int64_t now_ms);

    Membership membership() const { return membership_at(kEndOfTime); }
    /// After the event at `position`.
    Membership membership_at(Position position) const;
    /// The reader's changes of membership here, oldest first; read once.
    const std::vector<MembershipChange>& memberships() const;
    bool is_forgotten() const { return is_forgotten_; }
    bool may_see(const StoredEvent& event) const;
    /// The same of an event that held in the room's state as of `at`: it may be read too where it held while
    /// the reader was there.
    bool may_see_in_state(const StoredEvent& event, Position at) const;
    /// Whether the reader ignores this person: then nothing of theirs is aggregated ("Ignoring Users").
    bool ignores(identity::UserNumber sender);
    /// Whether lists leave the event out because of that: all but state.
    bool hides(const StoredEvent& event) { return !event.is_state() && ignores(event.sender); }
    /// The thread of this root as the reader sees it: without replies that they may not see or that are by
    /// people whom they ignore; nothing where none is left.
    std::optional<ThreadSummary> shown_thread(Position root);
    /// The newest position that this person may see at all: of their leave, where they left; the end of time
    /// where they are in the room or the room is open to all; none for a person who may see nothing but
    /// single events.
    Position sees_up_to() const;
    /// As of which position the person may read the room's state: the end of time for members (and for
    /// everybody where the history is world readable), their leave for those who left; none for all others.
    Position reads_state_at() const;

    /// Where the person's last stay in the room, of those that had ended at `at`, ended; none for one who
    /// never was there.
    Position last_leave(Position at = kEndOfTime) const;

    /// Tells which events come next, so that their relations are looked for once.
    void expect(Position first, Position last);
    /// Appends the event in client format with its `unsigned`.
    void append(std::string& out, const StoredEvent& event, RoomIdIn room_id = RoomIdIn::include,
                Aggregations aggregations = Aggregations::include);
    /// Appends `[…]` of those.
    void append_array(std::string& out, const std::vector<StoredEvent>& events,
                      RoomIdIn room_id = RoomIdIn::include,
                      Aggregations aggregations = Aggregations::include);

    storage::Transaction& transaction() { return tx_; }
    RoomReads& reads() { return *reads_; }
    RoomNumber room() const { return room_; }
    const std::string& room_id() const { return room_id_; }
    Reader reader() const { return reader_; }

  private:
    HistoryVisibility visibility_at(Position position) const;
    /// By the visibility as it was at `set_at`.
    bool allows(Position set_at, Membership membership, Position position) const;
    bool joined_after(Position position) const;
    bool may_see_message_at(Position position) const;
    bool may_see_replaced(const StoredEvent& event, const StoredEvent& before) const;
    bool sees_all_from(Position position) const;
    bool shows(const Child& child);
    Position latest_shown(Position parent, std::string_view rel_type);
    std::string unsigned_of(const StoredEvent& event, RoomIdIn room_id, Aggregations aggregations);
    std::string relations_of(const StoredEvent& event, RoomIdIn room_id);

    storage::Transaction& tx_;
    std::unique_ptr<RoomReads> own_reads_;  ///< where no others are given
    RoomReads* reads_;
    RoomNumber room_;
    std::string room_id_;
    Reader reader_;
    std::int64_t now_ms_;
    bool is_forgotten_ = false;
    /// The reader's membership in [since, up_to], where it is known: most of what is read lies there, and
    /// asks for nothing of the below.
    StoredMembership standing_;
    Position standing_up_to_;
    mutable std::optional<std::vector<MembershipChange>> memberships_;  ///< oldest first; read when asked for
    std::pair<Position, Position> expected_{Position{0}, kEndOfTime};
    std::optional<bool> has_relations_;  ///< in the expected range
    int bundle_depth_ = 0;
    std::optional<std::set<identity::UserNumber>> ignored_;  ///< read when it is asked for
};

}  // namespace chat
