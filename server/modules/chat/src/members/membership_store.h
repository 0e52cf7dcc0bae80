#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <chat/ids.h>
#include <chat/membership.h>
#include <identity/ids.h>
#include <storage/transaction.h>

namespace chat {

struct StoredMembership {
    RoomNumber room;
    identity::UserNumber user;
    Membership membership = Membership::none;
    Position position;            ///< of the member event that holds now (a change of name moves it)
    Position since;               ///< of the member event that brought this membership
    identity::UserNumber sender;  ///< who brought it
    bool is_forgotten = false;
};

/// Nothing for a person who was never in the room.
std::optional<StoredMembership> find_membership(storage::Transaction& tx, RoomNumber room,
                                                identity::UserNumber user);

/// Writes what a member event says; a room that was forgotten is remembered again. Keeps the room's counts.
/// Returns the membership before.
Membership put_membership(storage::Transaction& tx, RoomNumber room, identity::UserNumber user,
                          Membership membership, Position position, identity::UserNumber sender);
void set_forgotten(storage::Transaction& tx, RoomNumber room, identity::UserNumber user);

/// All rooms of a person, without (or with) those that they forgot, in order of room number.
std::vector<StoredMembership> memberships_of(storage::Transaction& tx, identity::UserNumber user,
                                             bool forgotten_too = false);
/// The rooms in which a person has this membership, above `after`, in order of room number.
std::vector<RoomNumber> rooms_of(storage::Transaction& tx, identity::UserNumber user, Membership membership,
                                 RoomNumber after = {}, std::size_t limit = 1'000'000);
/// Every room that a person ever had to do with, forgotten ones too, above `after`, in order.
std::vector<RoomNumber> rooms_ever_of(storage::Transaction& tx, identity::UserNumber user, RoomNumber after,
                                      std::size_t limit);
/// The people of a room with this membership, in order of user number, from `after` on.
std::vector<StoredMembership> members_of(storage::Transaction& tx, RoomNumber room, Membership membership,
                                         identity::UserNumber after = {}, std::size_t limit = 1'000'000);

/// Whether both have joined some room.
bool share_room(storage::Transaction& tx, identity::UserNumber one, identity::UserNumber other);

/// When a person's membership changed, oldest first.
struct MembershipChange {
    Position position;
    Membership membership = Membership::none;
};
std::vector<MembershipChange> membership_changes(storage::Transaction& tx, RoomNumber room,
                                                 identity::UserNumber user);
/// What a person's membership was after the event at `position`.
Membership membership_at(storage::Transaction& tx, RoomNumber room, identity::UserNumber user,
                         Position position);
/// The newest event by which anybody joined, left or was put out; none where nobody ever did. O(members
/// that there ever were).
Position last_coming_or_going(storage::Transaction& tx, RoomNumber room);

}  // namespace chat
