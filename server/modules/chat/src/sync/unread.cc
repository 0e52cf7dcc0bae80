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

void count(UnreadCounts& counts, const PushRule& rule) {
    ++counts.notifications;
    if (rule.highlights) ++counts.highlights;
}

/// Looks at one room's events and counts them in `unread`.
class Count {
  public:
    Count(RoomReads& reads, const UnreadRoom& room, const NotificationSettings& settings,
          const ReadMarks& marks, Unread& unread)
        : reads_(reads),
          tx_(reads.transaction()),
          room_(room),
          settings_(settings),
          marks_(marks),
          unread_(unread),
          judge_(tx_, {room.room, room.room_id, room.joined_members}, settings) {}

    /// Of an event that came after all that are counted.
    void add_newer(const StoredEvent& event) {
        if (event.redacted_by) return;
        const bool is_own = event.sender == settings_.user;
        if (is_own && !shows_reading(event)) return;
        const auto json = parse_stored(event.json);
        if (!is_own) {
            add_unless_read(event, json);
            return;
        }
        auto thread = thread_of(tx_, room_.room, json);
        unread_.threads.erase(thread);
        if (unread_.rest) unread_.written_in.insert(std::move(thread));
    }

    /// From `at` on, newest first, until nothing before can count or the budget is used up.
    void go_down(Position at, std::size_t& budget) {
        const auto floor = std::max(marks_.all, room_.joined_at);
        std::size_t seen = 0;
        // Pages that grow, since a person who writes in the room is done after a few events.
        for (auto page_size = kFirstPage;; page_size = std::min(kMostOfPage, page_size * 4)) {
            if (seen >= budget) {
                unread_.rest = at;
                break;
            }
            const auto wanted = std::min(page_size, budget - seen);
            const auto page = reads_.events_before(room_.room, at, floor, wanted);
            seen += page.size();
            const bool goes_on =
                std::ranges::all_of(page, [this](const auto& event) { return add_older(event); });
            if (!goes_on || page.size() < wanted) {
                unread_.rest = {};
                unread_.written_in.clear();
                break;
            }
            at = Position{page.back().position.value - 1};
        }
        budget -= seen;
        unread_.is_long = unread_.is_long || seen >= kCountedAtLeast;
    }

  private:
    /// False where nothing before this event can count.
    bool add_older(const StoredEvent& event) {
        if (event.redacted_by) return true;
        const bool is_own = event.sender == settings_.user;
        if (is_own && !shows_reading(event)) return true;
        const auto json = parse_stored(event.json);
        if (!is_own) {
            add_unless_read(event, json);
            return true;
        }
        auto thread = thread_of(tx_, room_.room, json);
        if (thread == kMainThread && !has_threads()) return false;
        unread_.written_in.insert(std::move(thread));
        return true;
    }

    void add_unless_read(const StoredEvent& event, const base::json::object& json) {
        const auto* rule = judge_.rule_for(json);
        if (rule == nullptr || !rule->notifies) return;
        auto thread = thread_of(tx_, room_.room, json);
        const bool is_read = event.position <= marks_.of(thread) ||
                             (event.position <= unread_.up_to && unread_.written_in.contains(thread));
        if (!is_read) count(unread_.threads[std::move(thread)], *rule);
    }

    bool has_threads() {
        if (!has_threads_) has_threads_ = !threads_of(tx_, room_.room, kEndOfTime, {}, 1).empty();
        return *has_threads_;
    }

    RoomReads& reads_;
    storage::Transaction& tx_;
    const UnreadRoom& room_;
    const NotificationSettings& settings_;
    const ReadMarks& marks_;
    Unread& unread_;
    Judge judge_;
    std::optional<bool> has_threads_;
};

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

bool shows_reading(const StoredEvent& event) {
    return !event.is_state() && event.type != "m.room.redaction";
}

Unread count_unread(RoomReads& reads, const UnreadRoom& room, const NotificationSettings& settings,
                    const Unread* known, std::size_t& budget) {
    const auto marks = read_marks(reads.transaction(), room.room, settings.user);
    const bool holds = known != nullptr && known->settings == settings.position &&
                       known->receipts == marks.last_receipt && known->up_to <= room.up_to &&
                       known->up_to >= room.joined_at;
    if (holds) {
        const auto events = reads.events_after(room.room, known->up_to, room.up_to, budget);
        // What was redacted may have been counted.
        const bool is_redacting =
            std::ranges::any_of(events, [](const auto& event) { return event.type == "m.room.redaction"; });
        if (!is_redacting && events.size() < budget) {
            Unread unread = *known;
            Count counting(reads, room, settings, marks, unread);
            for (const auto& event : events) counting.add_newer(event);
            unread.up_to = room.up_to;
            budget -= events.size();
            if (unread.rest) counting.go_down(unread.rest, budget);
            return unread;
        }
    }
    Unread unread{.up_to = room.up_to, .settings = settings.position, .receipts = marks.last_receipt};
    Count(reads, room, settings, marks, unread).go_down(room.up_to, budget);
    return unread;
}

}  // namespace chat
