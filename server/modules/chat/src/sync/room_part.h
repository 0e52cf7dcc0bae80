#pragma once

#include "members/membership_store.h"
#include "rooms/room_reads.h"
#include "rooms/room_store.h"
#include "sync/account_data_store.h"
#include "sync/event_writer.h"
#include "sync/sync_query.h"

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include <storage/transaction.h>

namespace chat {

/// What all rooms of one answer share.
struct AnswerContext {
    RoomReads& reads;
    storage::Transaction& tx;
    const SyncQuery& query;
    const NotificationSettings& settings;
    EventWriter& writer;
    std::size_t unread_limit = 0;  ///< the most events to look at for counting in one room
    /// Rooms with many unread events, which were counted ahead of the others.
    const std::map<RoomNumber, Unread>& counted;
    bool tells_counted = false;  ///< they are told though nothing else of them is new
    SyncAnswer& answer;          ///< where what is to be kept goes
};

/// Counts the unread events of a room that the person has joined; takes from `budget` the events that it
/// looked at.
Unread count_of(AnswerContext& context, const StoredRoom& room, const StoredMembership& membership,
                std::size_t& budget);

/// Appends `"!id":{…}` of a room that the person has joined; false (and nothing) where it has nothing new.
/// `account_data`: what changed of this room's; for a room that is new to the client all of it is read here.
bool append_joined_room(std::string& out, AnswerContext& context, const StoredRoom& room,
                        const StoredMembership& membership,
                        const std::vector<const AccountData*>& account_data);
/// The same of a room that they left or were banned from. Where that was told before, of its account data
/// alone.
bool append_left_room(std::string& out, AnswerContext& context, const StoredRoom& room,
                      const StoredMembership& membership,
                      const std::vector<const AccountData*>& account_data);
/// The same of one that they are invited to, or knock at: its stripped state.
bool append_stripped_room(std::string& out, AnswerContext& context, const StoredRoom& room,
                          const StoredMembership& membership);

/// Appends {"type":…,"content":…}.
void append_account_data(std::string& out, const AccountData& data);

}  // namespace chat
