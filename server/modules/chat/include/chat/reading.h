#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <base/json.h>
#include <chat/ids.h>
#include <chat/membership.h>
#include <identity/ids.h>
#include <storage/transaction.h>

namespace chat {

/// Which words of an event somebody read: those that it was sent with, or those of an edit.
struct EventVersion {
    Position event;
    Position edit;  ///< the edit in force; none where there was none
};

/// An event as somebody may read it.
struct ReadEvent {
    EventId id;
    Position position;
    identity::UserNumber sender;
    std::string type;
    bool is_state = false;
    bool is_redacted = false;
    std::int64_t origin_server_ts = 0;
    base::json::object content;  ///< as it was sent; what a redaction left of it
    /// The content with the latest edit in its place (m.new_content), where the reader may see that edit.
    base::json::object latest;
    Position edit;  ///< the edit in force, whether or not the reader may see it

    EventVersion version() const { return {position, edit}; }
};

/// A room as one person may read it, for the modules above chat: inside a job, over Transaction&.
class RoomReading {
  public:
    /// Nothing where there is no such room, or the person may see nothing of it.
    static std::optional<RoomReading> open(storage::Transaction& tx, std::string_view room_id,
                                           identity::UserNumber reader);
    static std::optional<RoomReading> open(storage::Transaction& tx, RoomNumber room,
                                           identity::UserNumber reader);
    ~RoomReading();
    RoomReading(RoomReading&&) noexcept;
    RoomReading& operator=(RoomReading&&) noexcept;

    RoomNumber number() const;
    const std::string& room_id() const;
    Membership membership() const;
    /// The reader's, after the event at `position`.
    Membership membership_at(Position position) const;
    Membership membership_of(identity::UserNumber user) const;
    std::int64_t joined_count() const;
    std::int64_t invited_count() const;
    /// Where somebody came or went last.
    Position members_changed_at() const;
    /// The invitation that the reader's stay began with, or that stands still.
    struct Invitation {
        identity::UserNumber inviter;
        Position position;
        Position accepted;  ///< the event by which the reader came; none while it stands
    };
    /// Nothing where the reader came by themselves, or is not there.
    std::optional<Invitation> invitation() const;
    /// Whether anybody but the reader was invited, came, went or changed their name in (after, up_to].
    bool others_changed(Position after, Position up_to) const;
    /// Those who are there, then who is invited, then who left.
    std::vector<identity::UserNumber> people(std::size_t limit) const;

    /// Nothing where the event is not in this room, or the person may not see it.
    std::optional<ReadEvent> event(std::string_view event_id);
    std::optional<ReadEvent> event(Position position);
    /// Those before `before` that the person may see, newest first; looks at no more than `limit` events.
    std::vector<ReadEvent> events_before(Position before, std::size_t limit);
    /// Whether the event may still be read, and with the same words.
    bool stands(const EventVersion& version) const;

    /// The content of the room's current state; nothing where it has none.
    std::optional<base::json::object> state(std::string_view type, std::string_view state_key = {}) const;
    struct State {
        std::string state_key;
        base::json::object content;
    };
    std::vector<State> states_of_type(std::string_view type) const;
    /// Whether the room's power levels, as they are, let this person set state of this type.
    bool may_set_state(std::string_view user_id, std::string_view type) const;
    /// Whether the room's current state of this type with the person's id as its key is of the membership
    /// that they have now: set after it began. A changed name begins none.
    bool is_of_present_membership(std::string_view type, identity::UserNumber user) const;
    /// What somebody is called in this room, or was before they left it; empty where that is nothing of its
    /// own.
    std::string name_of_member(std::string_view user_id) const;

  private:
    struct Inside;
    explicit RoomReading(std::unique_ptr<Inside> inside);
    std::unique_ptr<Inside> inside_;
};

/// The rooms in which an account has this membership, above `after`, in order of their numbers.
std::vector<RoomNumber> rooms_with(storage::Transaction& tx, identity::UserNumber user, Membership membership,
                                   std::size_t limit, RoomNumber after = {});

/// A person's global account data of this type.
std::optional<base::json::object> account_data(storage::Transaction& tx, identity::UserNumber user,
                                               std::string_view type);

}  // namespace chat
