#include "sync/unread.h"

#include "event/hashes.h"
#include "sync/account_data_store.h"
#include "sync/ignored_users.h"
#include "sync/judge.h"
#include "sync/receipt_store.h"
#include "timeline/event_json.h"
#include "timeline/event_store.h"
#include "timeline/relation_store.h"
#include "timeline/relations.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <identity/users.h>

namespace chat {
namespace {

constexpr int kThreadHopLimit = 3;
constexpr std::size_t kFirstPage = 4;
constexpr std::size_t kMostOfPage = 64;

bool looks_for_name(const PushRules& rules) {
    for (const auto& kind : rules.kinds) {
        for (const auto& rule : kind) {
            if (std::ranges::any_of(rule.compiled, [](const PushCondition& condition) {
                    return condition.test == PushCondition::Test::display_name;
                }))
                return true;
        }
    }
    return false;
}

/// Whether sending it shows that the person has read what stands before it.
bool shows_reading(const StoredEvent& event) {
    return !event.is_state() && event.type != "m.room.redaction";
}

void count(UnreadCounts& counts, const PushRule& rule) {
    ++counts.notifications;
    if (rule.highlights) ++counts.highlights;
}

/// Looks at one room's unread events, newest first, until nothing before can count.
class Count {
  public:
    Count(storage::Transaction& tx, const UnreadRoom& room, const NotificationSettings& settings,
          const ReadMarks& marks)
        : tx_(tx),
          room_(room),
          settings_(settings),
          marks_(marks),
          judge_(tx, {room.room, room.room_id, room.joined_members}, settings) {}

    /// False where nothing before this event can count.
    bool look_at(const StoredEvent& event, Unread& unread) {
        if (event.redacted_by) return true;
        const bool is_own = event.sender == settings_.user;
        if (is_own && !shows_reading(event)) return true;
        const auto json = parse_stored(event.json);
        if (is_own) {
            auto thread = thread_of(tx_, room_.room, json);
            if (thread == kMainThread && !has_threads()) return false;
            read_by_writing_.insert(std::move(thread));
            return true;
        }
        const auto* rule = judge_.rule_for(json);
        if (rule == nullptr || !rule->notifies) return true;
        auto thread = thread_of(tx_, room_.room, json);
        if (!read_by_writing_.contains(thread) && event.position > marks_.of(thread))
            count(unread.threads[std::move(thread)], *rule);
        return true;
    }

  private:
    bool has_threads() {
        if (!has_threads_) has_threads_ = !threads_of(tx_, room_.room, kEndOfTime, {}, 1).empty();
        return *has_threads_;
    }

    storage::Transaction& tx_;
    const UnreadRoom& room_;
    const NotificationSettings& settings_;
    const ReadMarks& marks_;
    Judge judge_;
    std::set<std::string, std::less<>> read_by_writing_;
    std::optional<bool> has_threads_;
};

Unread count_all(RoomReads& reads, const UnreadRoom& room, const NotificationSettings& settings,
                 const ReadMarks& marks, std::size_t limit) {
    Unread unread{.up_to = room.up_to, .settings = settings.position, .receipts = marks.last_receipt};
    const auto floor = std::max(marks.all, room.joined_at);
    Count counting(reads.transaction(), room, settings, marks);
    // Pages that grow, since a person who writes in the room is done after a few events.
    auto before = room.up_to;
    auto page_size = kFirstPage;
    for (std::size_t seen = 0; seen < limit; page_size = std::min(kMostOfPage, page_size * 4)) {
        const auto page = reads.events_before(room.room, before, floor, std::min(page_size, limit - seen));
        for (const auto& event : page) {
            if (!counting.look_at(event, unread)) return unread;
        }
        if (page.size() < page_size) break;
        seen += page.size();
        before = Position{page.back().position.value - 1};
    }
    return unread;
}

}  // namespace

std::shared_ptr<const NotificationSettings> load_settings(storage::Transaction& tx, identity::UserNumber user,
                                                          std::string_view user_id,
                                                          std::shared_ptr<const NotificationSettings> known) {
    const auto rules = find_account_data(tx, user, kNoRoom, "m.push_rules");
    const auto ignored = find_account_data(tx, user, kNoRoom, "m.ignored_user_list");
    const auto position = std::max(rules ? rules->position : 0, ignored ? ignored->position : 0);
    if (known && known->position == position && known->user == user) return known;
    auto settings = std::make_shared<NotificationSettings>();
    settings->user = user;
    settings->user_id = user_id;
    settings->position = position;
    settings->has_default_rules = !rules;
    settings->rules =
        rules ? std::make_shared<const PushRules>(read_push_rules(user_id, parse_stored(rules->json)))
              : shared_default_rules();
    settings->asks_for_name = looks_for_name(*settings->rules);
    if (ignored) {
        settings->ignored = read_ignored_users(parse_stored(ignored->json));
        settings->ignored.erase(settings->user_id);
    }
    return settings;
}

PushRules NotificationSettings::own_rules() const {
    return has_default_rules ? default_push_rules(user_id) : *rules;
}

UnreadCounts Unread::main() const {
    const auto at = threads.find(kMainThread);
    return at == threads.end() ? UnreadCounts{} : at->second;
}

UnreadCounts Unread::total() const {
    UnreadCounts sum;
    for (const auto& [thread, counts] : threads) {
        sum.notifications += counts.notifications;
        sum.highlights += counts.highlights;
    }
    return sum;
}

std::string thread_of(storage::Transaction& tx, RoomNumber room, const base::json::object& event) {
    auto relation = read_relates_to(content_of(event));
    for (int hop = 0; relation && hop < kThreadHopLimit; ++hop) {
        if (relation->rel_type == "m.thread" && is_event_id(relation->event_id)) return relation->event_id;
        const auto parent = find_event(tx, relation->event_id);
        if (!parent || parent->room != room) break;
        relation = read_relates_to(parse_content(*parent));
    }
    return std::string(kMainThread);
}

Unread count_unread(RoomReads& reads, const UnreadRoom& room, const NotificationSettings& settings,
                    const Unread* known, std::size_t limit) {
    auto& tx = reads.transaction();
    const auto marks = read_marks(tx, room.room, settings.user);
    const bool holds = known != nullptr && known->settings == settings.position &&
                       known->receipts == marks.last_receipt && known->up_to <= room.up_to &&
                       known->up_to >= room.joined_at;
    if (!holds) return count_all(reads, room, settings, marks, limit);
    const auto events = reads.events_after(room.room, known->up_to, room.up_to, limit);
    // What was redacted may have been counted.
    const bool is_redacting =
        std::ranges::any_of(events, [](const auto& event) { return event.type == "m.room.redaction"; });
    if (is_redacting || events.size() == limit) return count_all(reads, room, settings, marks, limit);
    Unread unread = *known;
    unread.up_to = room.up_to;
    Judge judge(tx, {room.room, room.room_id, room.joined_members}, settings);
    for (const auto& event : events) {
        if (event.redacted_by) continue;
        const bool is_own = event.sender == settings.user;
        if (is_own && !shows_reading(event)) continue;
        const auto json = parse_stored(event.json);
        if (is_own) {
            unread.threads.erase(thread_of(tx, room.room, json));
            continue;
        }
        const auto* rule = judge.rule_for(json);
        if (rule == nullptr || !rule->notifies) continue;
        const auto thread = thread_of(tx, room.room, json);
        if (event.position > marks.of(thread)) count(unread.threads[thread], *rule);
    }
    return unread;
}

}  // namespace chat
