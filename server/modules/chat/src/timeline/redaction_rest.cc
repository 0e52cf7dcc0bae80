#include "timeline/redaction_rest.h"

#include "timeline/redact_stored.h"
#include "timeline/redaction_store.h"

#include <chrono>

#include <base/log.h>

namespace chat {
namespace {

constexpr std::chrono::steady_clock::duration kLookAgainAfter = std::chrono::minutes(30);
constexpr std::chrono::steady_clock::duration kTryAgainAfter = std::chrono::seconds(20);

/// The id of the room in which there is something left; empty: there is nothing.
base::Result<std::string> room_with_rest(storage::Transaction& tx) {
    const auto rest = first_redaction_rest(tx);
    const auto room = rest ? find_room(tx, rest->room) : std::nullopt;
    return room ? room->id.value : std::string{};
}

/// Whether there was anything to do.
runtime::Task<base::Result<bool>> redact_all_left(Core& core) {
    for (bool was_some = false;; was_some = true) {
        const auto room_id = co_await core.database.read(room_with_rest);
        if (!room_id) co_return base::fail(room_id.error());
        if (room_id->empty()) co_return was_some;
        const auto done = co_await core.database.write({"room:" + *room_id}, [](storage::Transaction& tx) {
            return base::Result<bool>(redact_some_left(tx));
        });
        if (!done) co_return base::fail(done.error());
    }
}

}  // namespace

runtime::Task<void> redact_rest(Core& core) {
    while (!core.is_stopping) {
        core.has_redacted = false;
        const auto done = co_await redact_all_left(core);
        if (!done) base::log_warning("chat.redaction_failed", {{"code", done.error().code}});
        if (done && *done) core.news.publish_rest();
        // What was redacted while that ran may have been missed.
        if (core.has_redacted && done) continue;
        co_await core.redacted.wait(done ? kLookAgainAfter : kTryAgainAfter);
    }
}

}  // namespace chat
