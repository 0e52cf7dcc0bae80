#include "sync/judge.h"

#include "push/evaluate.h"
#include "rooms/state_store.h"
#include "sync/receipt_store.h"
#include "timeline/event_json.h"

#include <algorithm>

namespace chat {

Position ReadMarks::of(std::string_view thread) const {
    const auto at = threads.find(thread);
    return at == threads.end() ? all : std::max(all, at->second);
}

ReadMarks read_marks(storage::Transaction& tx, RoomNumber room, identity::UserNumber user) {
    ReadMarks marks;
    for (const auto& receipt : receipts_of(tx, room, user)) {
        auto& mark = receipt.thread_id.empty() ? marks.all : marks.threads[receipt.thread_id];
        mark = std::max(mark, receipt.event_position);
        marks.last_receipt = std::max(marks.last_receipt, receipt.position);
    }
    return marks;
}

const PushRule* Judge::rule_for(const base::json::object& event) {
    const auto sender = base::get_string(event, "sender").value_or(std::string_view{});
    if (settings_.ignored.contains(sender)) return nullptr;
    return matching_rule(*settings_.rules, {.event = event,
                                            .room_id = room_.id,
                                            .sender = sender,
                                            .user_id = settings_.user_id,
                                            .display_name = display_name(),
                                            .joined_members = room_.joined_members,
                                            .levels = [this] { return levels(); }});
}

std::string_view Judge::display_name() {
    if (!settings_.asks_for_name) return {};
    if (!name_) {
        name_.emplace();
        if (const auto member = state_event(tx_, room_.number, "m.room.member", settings_.user_id)) {
            const auto content = parse_content(*member);
            *name_ = base::get_string(content, "displayname").value_or(std::string_view{});
        }
    }
    return *name_;
}

const PowerLevels* Judge::levels() {
    if (!rules_) {
        if (const auto room = find_room(tx_, room_.number)) rules_ = load_rules(tx_, *room);
    }
    return rules_ ? &rules_->levels : nullptr;
}

}  // namespace chat
