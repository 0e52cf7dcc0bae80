#include "timeline/erasure.h"

#include "timeline/event_json.h"
#include "timeline/redact_stored.h"

#include <string_view>

#include <identity/users.h>

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

/// Who is erased.
struct Erased {
    identity::UserNumber user;
    std::string user_id;
};

/// Whether the event holds what the person said of themselves: words of theirs, or their name and picture in
/// a member event, which others write too when they invite. Why somebody else put them out are that one's
/// words.
bool tells_of(const StoredEvent& event, const Erased& erased) {
    const bool is_member = event.is_state() && event.type == "m.room.member";
    if (event.sender == erased.user) return is_member || !event.is_state();
    if (!is_member || event.state_key != erased.user_id) return false;
    const auto content = parse_content(event);
    return content.contains("displayname") || content.contains("avatar_url");
}

base::Result<Progress> erase_some(storage::Transaction& tx, identity::UserNumber user, Progress progress) {
    const auto room = find_room(tx, progress.room);
    const auto membership = find_membership(tx, progress.room, user);
    std::vector<StoredEvent> rows;
    if (room && membership)
        rows = events_after(tx, progress.room, progress.position, kEndOfTime, kEventsAJob);
    const Erased erased{user, identity::user_id_of(tx, user).value};
    std::size_t redacted = 0;
    for (const auto& event : rows) {
        if (redacted >= kRedactedRowsAJob) return progress;
        progress.position = event.position;
        if (event.redacted_by || !tells_of(event, erased)) continue;
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
