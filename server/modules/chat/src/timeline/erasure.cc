#include "timeline/erasure.h"

#include "timeline/redact_stored.h"

namespace chat {
namespace {

/// Events that one job looks at; it ends sooner where it has redacted enough.
constexpr std::size_t kEventsAJob = 500;

/// Where the erasure stands: which room, and how far in it.
struct Progress {
    RoomNumber room;
    Position position;
    bool is_done = false;
};

base::Result<Progress> erase_some(storage::Transaction& tx, identity::UserNumber user, Progress progress) {
    const auto room = find_room(tx, progress.room);
    const auto membership = find_membership(tx, progress.room, user);
    std::vector<StoredEvent> rows;
    if (room && membership)
        rows = events_after(tx, progress.room, progress.position, kEndOfTime, kEventsAJob);
    std::size_t redacted = 0;
    for (const auto& event : rows) {
        if (redacted >= kRedactedRowsAJob) return progress;
        progress.position = event.position;
        if (event.sender != user || event.redacted_by) continue;
        if (event.is_state() && event.type != "m.room.member") continue;
        // Their edits of it are events of theirs as well.
        redacted += redact_event(tx, *room, event, membership->position);
    }
    if (rows.size() == kEventsAJob) return progress;
    const auto next = rooms_ever_of(tx, user, progress.room, 1);
    if (next.empty()) return Progress{.room = {}, .position = {}, .is_done = true};
    return Progress{.room = next.front(), .position = {}, .is_done = false};
}

}  // namespace

runtime::Task<base::Result<void>> erase_messages(Core& core, identity::UserNumber user) {
    Progress progress;
    while (!progress.is_done) {
        const auto next = co_await core.database.write(
            {"account:" + std::to_string(user.value)},
            [user, progress](storage::Transaction& tx) { return erase_some(tx, user, progress); });
        if (!next) co_return base::fail(next.error());
        progress = *next;
    }
    co_return base::Result<void>{};
}

}  // namespace chat
