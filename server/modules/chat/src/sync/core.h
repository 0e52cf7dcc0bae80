#pragma once

#include "stream_lives.h"
#include "stream_token.h"
#include "sync/answer_desk.h"
#include "sync/filter_pool.h"
#include "sync/presence.h"
#include "sync/room_log.h"
#include "sync/sync_cache.h"
#include "sync/typing.h"
#include "sync/watch_list.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <chat/sync.h>
#include <net/message.h>
#include <runtime/task_group.h>

namespace chat {

/// What the endpoints of this half share. I/O thread only.
struct Sync::Core {
    Core(runtime::Runtime& runtime_in, storage::Database& database_in, const base::Clock& clock_in,
         base::Random& random_in)
        : runtime(runtime_in),
          database(database_in),
          clock(clock_in),
          random(random_in),
          watches(runtime_in, clock_in),
          typing(clock_in),
          presence(clock_in),
          tasks(runtime_in, "chat.sync"),
          desk(runtime_in, tasks, database_in) {}

    runtime::Runtime& runtime;
    storage::Database& database;
    const base::Clock& clock;
    base::Random& random;

    StreamLives lives;
    /// The name of the life that is to begin: the disk refused it. No token names it till it is written; it
    /// begins there, and what is given meanwhile is of the one before.
    std::optional<std::uint32_t> unwritten_life;
    WatchList watches;
    RoomLog events;
    RoomLog receipts;
    std::int64_t account_data_position = 0;  ///< of the last change that is known here
    Typing typing;
    Presence presence;
    SyncCache cache;
    FilterPool filters;
    bool is_stopping = false;
    runtime::TaskGroup tasks;
    AnswerDesk desk;

    /// Where all streams stand, as far as their changes are known here: what an answer may tell up to.
    StreamToken now() const;

    /// The streams begin here, as the database has them; what has been heard of meanwhile is newer.
    void begin_at(std::int64_t events_position, std::int64_t receipts_position,
                  std::int64_t account_data_position);
    void on_event(const RoomNews& news);
    void on_receipt(RoomNumber room, std::int64_t position, identity::UserNumber user, bool is_private);
    void on_account_data(identity::UserNumber user, std::int64_t position);

    /// Writes the life that began, where that could not be done at once.
    runtime::Task<void> write_life();
    /// Ends what is over its time, and tells of presence: once in a while rather than with each change, since
    /// a change of one person's concerns all they share a room with.
    runtime::Task<void> upkeep();
    void tell_presence();
    /// Writes down now and then who has come and who has gone, for after a restart.
    runtime::Task<void> store_presence();
    /// A person who has just come learns who is there, and they of the person.
    void introduce(RoomNumber room, identity::UserNumber newcomer);
};

using SyncCore = Sync::Core;

/// Writes account data in a job, which becomes known after its commit.
void write_account_data(SyncCore& core, storage::Transaction& tx, identity::UserNumber user, RoomNumber room,
                        std::string_view type, std::string_view json);

/// Who makes an authenticated request.
struct Caller {
    identity::UserNumber user;
    std::string user_id;
    identity::DeviceNumber device;
};
Caller caller_of(const net::Request& request);
/// The same, where the path's {userId} is theirs. Errors: M_FORBIDDEN.
base::Result<Caller> owner_of(const net::Request& request);

/// The JSON object of a request; an empty body is an empty object. Errors: base.not_json, M_BAD_JSON.
base::Result<base::json::object> body_of(const net::Request& request);

/// The number of a room that the person has joined. Part of a job. Errors: M_FORBIDDEN.
base::Result<RoomNumber> joined_room(storage::Transaction& tx, std::string_view room_id,
                                     identity::UserNumber user);

}  // namespace chat
