#pragma once

#include "event/signing.h"
#include "rooms/room_cache.h"
#include "rooms/room_view.h"
#include "rooms/room_writer.h"
#include "timeline/transaction_ids.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <chat/chat.h>
#include <net/message.h>
#include <runtime/signal.h>
#include <runtime/task_group.h>

namespace chat {

/// What the endpoints share. I/O thread only.
struct Chat::Core {
    Core(runtime::Runtime& runtime_in, storage::Database& database_in, const base::Clock& clock_in,
         base::Random& random_in)
        : runtime(runtime_in),
          database(database_in),
          clock(clock_in),
          random(random_in),
          transactions(runtime_in, database_in),
          redacted(runtime_in),
          tasks(runtime_in, "chat") {}

    runtime::Runtime& runtime;
    storage::Database& database;
    const base::Clock& clock;
    base::Random& random;
    News news;
    std::vector<ContentCheck> content_checks;
    RoomCache rooms;
    TransactionIds transactions;
    std::optional<ServerKey> key;
    runtime::Notifier redacted;
    bool has_redacted = false;  ///< a message may have left edits that are still to be redacted
    bool is_stopping = false;
    runtime::TaskGroup tasks;

    base::Result<void> check_content(identity::UserNumber sender, std::string_view type,
                                     const base::json::object& content) const;

    /// Part of a write job that succeeded: what was written becomes known after the commit.
    void publish_after_commit(RoomWriter& writer);

    /// Runs `body(RoomWriter&) -> base::Result<T>` in a write job on this room. `unknown` is the failure
    /// where there is no such room.
    template <class F, class R = std::invoke_result_t<F&, RoomWriter&>>
    runtime::Task<R> write_in_room(std::string room_id, F body, base::Error unknown);
    template <class F, class R = std::invoke_result_t<F&, RoomWriter&>>
    runtime::Task<R> write_in_room(std::string room_id, F body) {
        co_return co_await write_in_room(std::move(room_id), std::move(body), not_in_room());
    }

    /// Runs `body(RoomView&) -> base::Result<T>` in a read job, over the room as `actor` may see it. Whoever
    /// may see nothing of it gets M_FORBIDDEN, as for a room that does not exist.
    template <class F, class R = std::invoke_result_t<F&, RoomView&>>
    runtime::Task<R> read_room(std::string room_id, Actor actor, F body);

    static base::Error not_in_room();
    static base::Error no_such_room();
};

using Core = Chat::Core;

/// The rules of a room from what is known of them, or from the database; null where there is no such room.
std::shared_ptr<const RoomRules> find_rules(storage::Transaction& tx, const std::string& room_id,
                                            std::shared_ptr<const RoomRules> known);

template <class F, class R>
runtime::Task<R> Core::write_in_room(std::string room_id, F body, base::Error unknown) {
    auto known = rooms.find(room_id);
    storage::OrderKey order{"room:" + room_id};
    auto job = [this, room_id = std::move(room_id), known = std::move(known), body = std::move(body),
                unknown = std::move(unknown),
                now_ms = clock.now_ms()](storage::Transaction& tx) mutable -> R {
        auto rules = find_rules(tx, room_id, std::move(known));
        if (!rules) return base::fail(std::move(unknown));
        RoomWriter writer(tx, std::move(rules), now_ms);
        R result = body(writer);
        if (result) publish_after_commit(writer);
        return result;
    };
    co_return co_await database.write(std::move(order), std::move(job));
}

template <class F, class R>
runtime::Task<R> Core::read_room(std::string room_id, Actor actor, F body) {
    auto job = [room_id = std::move(room_id), actor = std::move(actor), body = std::move(body),
                now_ms = clock.now_ms()](storage::Transaction& tx) mutable -> R {
        const auto room = find_room(tx, room_id);
        if (!room) return base::fail(not_in_room());
        RoomView view(tx, room->number, std::move(room_id), {actor.user, actor.device}, now_ms);
        if (!view.sees_up_to()) return base::fail(not_in_room());
        return body(view);
    };
    co_return co_await database.read(std::move(job));
}

/// Who makes an authenticated request.
Actor actor_of(const net::Request& request);
/// An account of the server itself, or anybody in whose name a module acts; part of a job.
Actor actor_of(storage::Transaction& tx, identity::UserNumber user);

}  // namespace chat
