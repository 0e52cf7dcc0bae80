#include "sync/state_part.h"

#include "rooms/state_store.h"
#include "timeline/event_store.h"

#include <algorithm>
#include <set>
#include <string_view>

namespace chat {
namespace {

constexpr std::string_view kMember = "m.room.member";

/// Writes one list of state events.
class StateWriter {
  public:
    StateWriter(std::string& out, RoomView& view, StateRange range, const Timeline& timeline,
                const SyncFilter& filter, const LazyMembers& members, EventWriter& writer)
        : out_(out),
          view_(view),
          range_(range),
          timeline_(timeline),
          filter_(filter),
          members_(members),
          writer_(writer) {
        at_ = start_of(range.up_to);
        allows_all_ = filter.state.allows_all();
    }

    void write_whole() {
        // Two ranges of the key around lazily loaded members, which are not even passed over.
        write_standing(
            members_.is_lazy
                ? "SELECT s.type, s.state_key, s.position, e.json FROM state_current s JOIN event e "
                  "ON e.position = s.position WHERE s.room_number = ?1 AND s.type < 'm.room.member' UNION "
                  "ALL "
                  "SELECT s.type, s.state_key, s.position, e.json FROM state_current s JOIN event e "
                  "ON e.position = s.position WHERE s.room_number = ?1 AND s.type > 'm.room.member'"
                : "SELECT s.type, s.state_key, s.position, e.json FROM state_current s JOIN event e "
                  "ON e.position = s.position WHERE s.room_number = ?1");
        for (const auto& change : view_.reads().state_changes(view_.room(), at_)) {
            if (members_.is_lazy && change.type == kMember) continue;
            write_at(told_version(change), change);
        }
        // A client that has been told of members and asks for all once more is told what became of them.
        if (members_.is_lazy && range_.after) write_changes(kMember);
    }

    void write_changes(std::string_view only_type = {}) {
        for (const auto& change : view_.reads().state_changes(view_.room(), range_.after)) {
            if (!only_type.empty() && change.type != only_type) continue;
            const auto position = told_version(change);
            if (position > range_.after) write_at(position, change);
        }
    }

    /// Those of the wanted members who were not written yet.
    std::vector<std::string> write_wanted_members() {
        std::vector<std::string> told;
        if (!members_.is_lazy) return told;
        for (const auto& user_id : members_.wanted) {
            const bool is_known = members_.sent != nullptr && members_.sent->contains(user_id);
            if (!is_known && !members_written_.contains(user_id) && !write_standing_member(user_id)) {
                const StateEntry entry{std::string(kMember), user_id, kEndOfTime};
                write_at(told_version(entry), entry);
            }
            if (!is_known) told.push_back(user_id);
        }
        return told;
    }

  private:
    /// What holds now and was so already at `at_`.
    void write_standing(std::string_view sql) {
        auto rows = view_.transaction().prepare(sql);
        rows.bind(view_.room());
        while (rows.step()) {
            if (stands(rows)) write_row(rows);
        }
    }

    /// The same of one member; false where it was not so already.
    bool write_standing_member(std::string_view user_id) {
        auto row = view_.transaction().prepare(
            "SELECT s.type, s.state_key, s.position, e.json FROM state_current s JOIN event e "
            "ON e.position = s.position WHERE s.room_number = ?1 AND s.type = 'm.room.member' "
            "AND s.state_key = ?2");
        row.bind(view_.room(), user_id);
        if (!row.step() || !stands(row)) return false;
        write_row(row);
        return true;
    }

    bool stands(const storage::Statement& row) const { return Position{row.integer(2)} <= at_; }

    void write_row(const storage::Statement& row) {
        if (!allows_all_) {
            StoredEvent event;
            event.type = row.text(0);
            event.state_key = row.text(1);
            event.json = row.text(3);
            if (!filter_.state.allows(event)) return;
        }
        if (writer_.is_plain()) {
            begin_event();
            out_.append(row.text(3));
        } else if (const auto event =
                       find_event(view_.transaction(), view_.room(), Position{row.integer(2)})) {
            write(*event);
        }
    }

    /// Where the state begins that the timeline's events lead on to `up_to`.
    Position start_of(Position up_to) const {
        return range_.is_after ? up_to : std::min(timeline_.before, up_to);
    }

    /// The version of it that the list holds. What stands in the timeline itself, the client sees there.
    Position told_version(const StateEntry& entry) {
        const bool is_own = range_.own && entry.type == kMember && entry.state_key == range_.own->user_id;
        const auto up_to = is_own ? range_.own->up_to : range_.up_to;
        const auto end = at_or_before(entry, up_to);
        if (range_.is_after || !end || !timeline_.contains(end)) return end;
        return at_or_before(entry, start_of(up_to));
    }

    Position at_or_before(const StateEntry& entry, Position at) {
        if (entry.position <= at) return entry.position;
        return state_position_at(view_.transaction(), view_.room(), entry.type, entry.state_key, at);
    }

    void write_at(Position position, const StateEntry& entry) {
        if (!position) return;
        const auto event = find_event(view_.transaction(), view_.room(), position);
        if (!event || !filter_.state.allows(*event)) return;
        if (entry.type == kMember) members_written_.insert(entry.state_key);
        write(*event);
    }

    void write(const StoredEvent& event) {
        begin_event();
        writer_.append(out_, event, event.json);
    }

    void begin_event() {
        if (!is_first_) out_.push_back(',');
        is_first_ = false;
    }

    std::string& out_;
    RoomView& view_;
    StateRange range_;
    const Timeline& timeline_;
    const SyncFilter& filter_;
    const LazyMembers& members_;
    EventWriter& writer_;
    Position at_;
    bool allows_all_ = true;
    bool is_first_ = true;
    UserIds members_written_;
};

}  // namespace

std::vector<std::string> append_state(std::string& out, RoomView& view, StateRange range,
                                      const Timeline& timeline, const SyncFilter& filter,
                                      const LazyMembers& members, EventWriter& writer) {
    if (!filter.state.allows_room(view.room_id())) return {};
    StateWriter list(out, view, range, timeline, filter, members, writer);
    if (range.is_whole) {
        list.write_whole();
    } else {
        list.write_changes();
    }
    return list.write_wanted_members();
}

}  // namespace chat
