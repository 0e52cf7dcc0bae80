#include "sync/summary_part.h"

#include "event/canonical_json.h"
#include "rooms/state_store.h"
#include "timeline/event_json.h"

#include <algorithm>
#include <array>
#include <vector>

#include <identity/users.h>

namespace chat {
namespace {

constexpr std::size_t kHeroes = 5;
/// What a room is called by.
constexpr std::array<std::string_view, 2> kNames = {"m.room.name", "m.room.canonical_alias"};

bool is_name(std::string_view type) {
    return std::ranges::find(kNames, type) != kNames.end();
}

bool has_text(storage::Transaction& tx, RoomNumber room, std::string_view type, std::string_view member) {
    const auto event = state_event(tx, room, type);
    if (!event) return false;
    const auto content = parse_content(*event);
    const auto text = base::get_string(content, member);
    return text && !text->empty();
}

std::vector<identity::UserNumber> first_members(storage::Transaction& tx, RoomNumber room,
                                                identity::UserNumber but, bool is_there) {
    auto statement = tx.prepare(
        is_there ? "SELECT user_number FROM membership WHERE room_number = ?1 AND user_number <> ?2 AND "
                   "membership IN (1, 2) ORDER BY since_position LIMIT ?3"
                 : "SELECT user_number FROM membership WHERE room_number = ?1 AND user_number <> ?2 AND "
                   "membership IN (4, 5) ORDER BY since_position LIMIT ?3");
    statement.bind(room, but, static_cast<std::int64_t>(kHeroes));
    std::vector<identity::UserNumber> users;
    while (statement.step()) users.push_back(identity::UserNumber{statement.integer(0)});
    return users;
}

}  // namespace

bool summary_changed(RoomReads& reads, RoomNumber room, Position after, Position up_to, bool may_redact) {
    if (std::ranges::any_of(reads.state_changes(room, after), [&](const StateEntry& change) {
            return change.position <= up_to && (change.type == "m.room.member" || is_name(change.type));
        }))
        return true;
    return may_redact && std::ranges::any_of(kNames, [&](std::string_view type) {
               const auto event = state_event(reads.transaction(), room, type);
               return event && event->redacted_by > after && event->redacted_by <= up_to;
           });
}

std::string make_summary(storage::Transaction& tx, const StoredRoom& room, identity::UserNumber reader,
                         UserIds* wanted) {
    std::string out("{");
    if (!has_text(tx, room.number, "m.room.name", "name") &&
        !has_text(tx, room.number, "m.room.canonical_alias", "alias")) {
        auto heroes = first_members(tx, room.number, reader, true);
        if (heroes.empty()) heroes = first_members(tx, room.number, reader, false);
        out.append(R"("m.heroes":[)");
        for (const auto user : heroes) {
            if (out.back() != '[') out.push_back(',');
            auto user_id = identity::user_id_of(tx, user).value;
            append_canonical_string(out, user_id);
            if (wanted != nullptr) wanted->insert(std::move(user_id));
        }
        out.append("],");
    }
    out.append(R"("m.joined_member_count":)").append(std::to_string(room.joined_count));
    out.append(R"(,"m.invited_member_count":)").append(std::to_string(room.invited_count)).push_back('}');
    return out;
}

}  // namespace chat
