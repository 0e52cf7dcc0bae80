#include "rooms/room_rules.h"
#include "rooms/room_view.h"
#include "rooms/state_store.h"
#include "sync/account_data_store.h"
#include "timeline/event_json.h"
#include "timeline/relation_store.h"

#include <algorithm>
#include <span>

#include <chat/reading.h>
#include <identity/users.h>

namespace chat {

struct RoomReading::Inside {
    Inside(storage::Transaction& tx_in, StoredRoom room_in, identity::UserNumber reader_in)
        : tx(tx_in),
          room(std::move(room_in)),
          reader(reader_in),
          // The time of reading matters only for what is written into `unsigned`.
          view(tx_in, room.number, room.id.value, {reader_in, {}}, 0) {}

    std::optional<ReadEvent> read(const StoredEvent& event) {
        if (event.room != room.number || !view.may_see(event)) return std::nullopt;
        ReadEvent read{.id = EventId(event.event_id()),
                       .position = event.position,
                       .sender = event.sender,
                       .type = event.type,
                       .is_state = event.is_state(),
                       .is_redacted = static_cast<bool>(event.redacted_by),
                       .origin_server_ts = event.origin_server_ts,
                       .content = parse_content(event),
                       .latest = {},
                       .edit = {}};
        read.latest = read.content;
        if (read.is_redacted || read.is_state) return read;
        read.edit = latest_child(tx, room.number, event.position, "m.replace");
        if (!read.edit) return read;
        const auto edit = find_event(tx, room.number, read.edit);
        if (!edit || edit->redacted_by || edit->sender != event.sender || !view.may_see(*edit)) return read;
        const auto content = parse_content(*edit);
        if (const auto* after = base::get_object(content, "m.new_content")) read.latest = *after;
        return read;
    }

    std::optional<Invitation> read_invitation() const {
        std::span<const MembershipChange> changes = view.memberships();
        Position accepted;
        if (!changes.empty() && changes.back().membership == Membership::join) {
            accepted = changes.back().position;
            changes = changes.first(changes.size() - 1);
        }
        if (changes.empty() || changes.back().membership != Membership::invite) return std::nullopt;
        const auto event = find_event(tx, room.number, changes.back().position);
        if (!event) return std::nullopt;
        return Invitation{event->sender, event->position, accepted};
    }

    storage::Transaction& tx;
    StoredRoom room;
    identity::UserNumber reader;
    RoomView view;
    std::shared_ptr<const RoomRules> rules;  ///< read when they are asked for
    /// Of one snapshot, so the same whenever they are asked for: of each event, where many are looked at.
    std::optional<std::optional<Invitation>> invitation;
    std::optional<Position> members_changed_at;
    struct Others {
        Position after;
        Position up_to;
        bool have_changed = false;
    };
    std::optional<Others> others;  ///< of the last question
};

RoomReading::RoomReading(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}
RoomReading::~RoomReading() = default;
RoomReading::RoomReading(RoomReading&&) noexcept = default;
RoomReading& RoomReading::operator=(RoomReading&&) noexcept = default;

std::optional<RoomReading> RoomReading::open(storage::Transaction& tx, std::string_view room_id,
                                             identity::UserNumber reader) {
    const auto room = find_room(tx, room_id);
    if (!room) return std::nullopt;
    auto inside = std::make_unique<Inside>(tx, *room, reader);
    if (!inside->view.sees_up_to()) return std::nullopt;
    return RoomReading(std::move(inside));
}

std::optional<RoomReading> RoomReading::open(storage::Transaction& tx, RoomNumber room,
                                             identity::UserNumber reader) {
    const auto found = find_room(tx, room);
    if (!found) return std::nullopt;
    return open(tx, found->id.value, reader);
}

RoomNumber RoomReading::number() const {
    return inside_->room.number;
}
const std::string& RoomReading::room_id() const {
    return inside_->room.id.value;
}
Membership RoomReading::membership() const {
    return inside_->view.membership();
}
Membership RoomReading::membership_at(Position position) const {
    return inside_->view.membership_at(position);
}
Membership RoomReading::membership_of(identity::UserNumber user) const {
    const auto member = find_membership(inside_->tx, number(), user);
    return member ? member->membership : Membership::none;
}
std::int64_t RoomReading::joined_count() const {
    return inside_->room.joined_count;
}
std::int64_t RoomReading::invited_count() const {
    return inside_->room.invited_count;
}
Position RoomReading::members_changed_at() const {
    auto& known = inside_->members_changed_at;
    if (!known) known = last_coming_or_going(inside_->tx, number());
    return *known;
}

std::optional<RoomReading::Invitation> RoomReading::invitation() const {
    if (!inside_->invitation) inside_->invitation = inside_->read_invitation();
    return *inside_->invitation;
}

bool RoomReading::others_changed(Position after, Position up_to) const {
    auto& known = inside_->others;
    if (!known || known->after != after || known->up_to != up_to) {
        const auto reader = identity::user_id_of(inside_->tx, inside_->reader).value;
        known = Inside::Others{after, up_to,
                               std::ranges::any_of(state_changes(inside_->tx, number(), after, up_to),
                                                   [&](const StateEntry& entry) {
                                                       return entry.type == "m.room.member" &&
                                                              entry.state_key != reader;
                                                   })};
    }
    return known->have_changed;
}

std::vector<identity::UserNumber> RoomReading::people(std::size_t limit) const {
    std::vector<identity::UserNumber> people;
    for (const auto membership : {Membership::join, Membership::invite, Membership::leave, Membership::ban}) {
        if (people.size() >= limit) break;
        for (const auto& member : members_of(inside_->tx, number(), membership, {}, limit - people.size()))
            people.push_back(member.user);
    }
    return people;
}

std::optional<ReadEvent> RoomReading::event(std::string_view event_id) {
    const auto event = find_event(inside_->tx, event_id);
    return event ? inside_->read(*event) : std::nullopt;
}

std::optional<ReadEvent> RoomReading::event(Position position) {
    const auto event = find_event(inside_->tx, number(), position);
    return event ? inside_->read(*event) : std::nullopt;
}

std::vector<ReadEvent> RoomReading::events_before(Position before, std::size_t limit) {
    std::vector<ReadEvent> events;
    for (const auto& event :
         chat::events_before(inside_->tx, number(), Position{before.value - 1}, Position{}, limit)) {
        if (auto read = inside_->read(event)) events.push_back(std::move(*read));
    }
    return events;
}

bool RoomReading::stands(const EventVersion& version) const {
    const auto event = find_event(inside_->tx, number(), version.event);
    return event && !event->redacted_by && inside_->view.may_see(*event) &&
           latest_child(inside_->tx, number(), version.event, "m.replace") == version.edit;
}

std::optional<base::json::object> RoomReading::state(std::string_view type,
                                                     std::string_view state_key) const {
    const auto event = state_event(inside_->tx, number(), type, state_key);
    if (!event) return std::nullopt;
    return parse_content(*event);
}

std::vector<RoomReading::State> RoomReading::states_of_type(std::string_view type) const {
    std::vector<State> states;
    for (const auto& entry : current_state_of_type(inside_->tx, number(), type)) {
        const auto event = find_event(inside_->tx, number(), entry.position);
        if (event) states.push_back({entry.state_key, parse_content(*event)});
    }
    return states;
}

bool RoomReading::may_set_state(std::string_view user_id, std::string_view type) const {
    auto& rules = inside_->rules;
    if (!rules) rules = load_rules(inside_->tx, inside_->room);
    return rules->levels.of_user(user_id) >= rules->levels.of_event(type, true);
}

bool RoomReading::is_of_present_membership(std::string_view type, identity::UserNumber user) const {
    const auto member = find_membership(inside_->tx, number(), user);
    const auto event =
        state_event(inside_->tx, number(), type, identity::user_id_of(inside_->tx, user).value);
    return member && event && event->position > member->since;
}

std::string RoomReading::name_of_member(std::string_view user_id) const {
    auto event = state_event(inside_->tx, number(), "m.room.member", user_id);
    for (int back = 0; event && back < 2; ++back) {
        const auto content = parse_content(*event);
        if (const auto name = base::get_string(content, "displayname"); name && !name->empty())
            return std::string(*name);
        event = event->replaces ? find_event(inside_->tx, number(), event->replaces) : std::nullopt;
    }
    return {};
}

std::vector<RoomNumber> rooms_with(storage::Transaction& tx, identity::UserNumber user, Membership membership,
                                   std::size_t limit, RoomNumber after) {
    return rooms_of(tx, user, membership, after, limit);
}

std::optional<base::json::object> account_data(storage::Transaction& tx, identity::UserNumber user,
                                               std::string_view type) {
    const auto stored = find_account_data(tx, user, kNoRoom, type);
    if (!stored) return std::nullopt;
    return parse_stored(stored->json);
}

}  // namespace chat
