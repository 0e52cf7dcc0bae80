#include "event/canonical_json.h"
#include "sync/account_data_store.h"
#include "sync/endpoints.h"
#include "sync/receipt_store.h"
#include "sync/unread.h"
#include "timeline/event_json.h"
#include "timeline/event_store.h"

#include <optional>
#include <vector>

#include <identity/matrix_error.h>

namespace chat {
namespace {

using base::ErrorKind;
using identity::matrix_error;

constexpr std::string_view kFullyRead = "m.fully_read";
constexpr std::size_t kThreadIdLimitBytes = 255;

std::unexpected<base::Error> invalid(std::string_view code, std::string message) {
    return base::fail(ErrorKind::invalid, code, std::move(message));
}

/// One mark that a person sets.
struct Mark {
    std::string type;
    std::string event_id;
    std::string thread_id;  ///< empty: of no thread
};

base::Result<void> set_mark(SyncCore& core, storage::Transaction& tx, RoomNumber room, const Caller& caller,
                            const Mark& mark) {
    const auto event = find_event(tx, mark.event_id);
    if (!event || event->room != room)
        return base::fail(ErrorKind::not_found, "M_NOT_FOUND", "There is no such event in this room.");
    if (mark.type == kFullyRead) {
        std::string json(R"({"event_id":)");
        append_canonical_string(json, mark.event_id);
        json.push_back('}');
        write_account_data(core, tx, caller.user, room, kFullyRead, json);
        return {};
    }
    // The root of a thread is of the main timeline, but a client that shows the thread has read it there.
    if (!mark.thread_id.empty() && mark.thread_id != mark.event_id &&
        thread_of(tx, room, parse_stored(event->json)) != mark.thread_id)
        return invalid("M_INVALID_PARAM", "The event is not in that thread.");
    const bool is_private = mark.type == "m.read.private";
    const auto position = put_receipt(tx, {.room = room,
                                           .user = caller.user,
                                           .kind = is_private ? ReceiptKind::read_private : ReceiptKind::read,
                                           .thread_id = mark.thread_id,
                                           .event_position = event->position,
                                           .event_id = mark.event_id,
                                           .ts_ms = core.clock.now_ms()});
    if (position) {
        tx.after_commit([&core, room, position = *position, user = caller.user, is_private] {
            core.on_receipt(room, position, user, is_private);
        });
    }
    return {};
}

runtime::Task<net::Response> set_marks(SyncCore& core, Caller caller, std::string room_id,
                                       std::vector<Mark> marks) {
    auto done =
        co_await core.database.write({"room:" + room_id},
                                     [&core, caller = std::move(caller), room_id, marks = std::move(marks)](
                                         storage::Transaction& tx) -> base::Result<void> {
                                         const auto room = joined_room(tx, room_id, caller.user);
                                         if (!room) return base::fail(room.error());
                                         for (const auto& mark : marks) {
                                             if (auto set = set_mark(core, tx, *room, caller, mark); !set)
                                                 return set;
                                         }
                                         return {};
                                     });
    if (!done) co_return matrix_error(done.error());
    co_return net::json(200, "{}");
}

}  // namespace

runtime::Task<net::Response> post_receipt(SyncCore& core, net::Request request) {
    const auto& type = request.value("receiptType");
    if (type != "m.read" && type != "m.read.private" && type != kFullyRead)
        co_return matrix_error(invalid("M_INVALID_PARAM", "There is no such kind of receipt.").error());
    const auto body = body_of(request);
    if (!body) co_return matrix_error(body.error());
    Mark mark{type, request.value("eventId"), {}};
    if (const auto* thread = body->if_contains("thread_id")) {
        if (!thread->is_string() || thread->get_string().empty() ||
            thread->get_string().size() > kThreadIdLimitBytes)
            co_return matrix_error(
                invalid("M_INVALID_PARAM", "'thread_id' has to be a string that is not empty.").error());
        if (type == kFullyRead)
            co_return matrix_error(invalid("M_INVALID_PARAM", "m.fully_read is of no thread.").error());
        mark.thread_id = thread->get_string();
    }
    std::vector<Mark> marks;
    marks.push_back(std::move(mark));
    co_return co_await set_marks(core, caller_of(request), request.value("roomId"), std::move(marks));
}

runtime::Task<net::Response> set_read_marker(SyncCore& core, net::Request request) {
    const auto body = body_of(request);
    if (!body) co_return matrix_error(body.error());
    std::vector<Mark> marks;
    for (const std::string_view type : {"m.fully_read", "m.read", "m.read.private"}) {
        if (base::has_wrong_type(*body, type, base::json::kind::string))
            co_return matrix_error(invalid("M_BAD_JSON", "Event ids are strings.").error());
        if (const auto event_id = base::get_string(*body, type))
            marks.push_back({std::string(type), std::string(*event_id), {}});
    }
    co_return co_await set_marks(core, caller_of(request), request.value("roomId"), std::move(marks));
}

}  // namespace chat
