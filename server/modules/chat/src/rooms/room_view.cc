#include "rooms/room_view.h"

#include "event/canonical_json.h"
#include "rooms/state_store.h"
#include "sync/account_data_store.h"
#include "sync/ignored_users.h"
#include "timeline/event_json.h"
#include "timeline/transaction_store.h"

#include <algorithm>

#include <identity/users.h>

namespace chat {
namespace {

constexpr std::string_view kMember = "m.room.member";
constexpr std::string_view kHistoryVisibility = "m.room.history_visibility";
/// An edit of a thread's latest event is bundled with it; nothing is bundled with that.
constexpr int kBundleDepthLimit = 2;
/// References are listed by id; more than these are found through the relations endpoint.
constexpr std::size_t kReferenceLimit = 100;
/// Children that are looked at where not all of them are the reader's to see.
constexpr std::size_t kChildrenLimit = 2'000;

void append_member(std::string& out, std::string_view key) {
    if (!out.empty()) out.push_back(',');
    out.push_back('"');
    out.append(key);
    out.append("\":");
}

}  // namespace

RoomView::RoomView(storage::Transaction& tx, RoomNumber room, std::string room_id, Reader reader,
                   std::int64_t now_ms)
    : tx_(tx),
      own_reads_(std::make_unique<RoomReads>(tx)),
      reads_(own_reads_.get()),
      room_(room),
      room_id_(std::move(room_id)),
      reader_(reader),
      now_ms_(now_ms) {
    if (const auto now = find_membership(tx, room, reader.user)) is_forgotten_ = now->is_forgotten;
}

RoomView::RoomView(RoomReads& reads, const StoredMembership& membership, Position up_to, std::string room_id,
                   Reader reader, std::int64_t now_ms)
    : tx_(reads.transaction()),
      reads_(&reads),
      room_(membership.room),
      room_id_(std::move(room_id)),
      reader_(reader),
      now_ms_(now_ms),
      is_forgotten_(membership.is_forgotten),
      standing_(membership),
      standing_up_to_(up_to) {}

const std::vector<MembershipChange>& RoomView::memberships() const {
    if (!memberships_) memberships_ = membership_changes(tx_, room_, reader_.user);
    return *memberships_;
}

Membership RoomView::membership_at(Position position) const {
    if (position >= standing_.since && position <= standing_up_to_) return standing_.membership;
    auto membership = Membership::none;
    for (const auto& change : memberships()) {
        if (change.position > position) break;
        membership = change.membership;
    }
    return membership;
}

HistoryVisibility RoomView::visibility_at(Position position) const {
    auto visibility = HistoryVisibility::shared;
    for (const auto& [at, value] : reads_->visibilities(room_)) {
        if (at > position) break;
        visibility = value;
    }
    return visibility;
}

bool RoomView::joined_after(Position position) const {
    return std::ranges::any_of(memberships(), [&](const MembershipChange& change) {
        return change.position > position && change.membership == Membership::join;
    });
}

bool RoomView::allows(Position set_at, Membership membership, Position position) const {
    if (membership == Membership::join) return true;
    const auto visibility = visibility_at(set_at);
    if (visibility == HistoryVisibility::world_readable) return true;
    if (visibility == HistoryVisibility::shared) return joined_after(position);
    return visibility == HistoryVisibility::invited && membership == Membership::invite;
}

bool RoomView::may_see_message_at(Position position) const {
    if (is_forgotten_) return visibility_at(position) == HistoryVisibility::world_readable;
    return allows(position, membership_at(position), position);
}

bool RoomView::may_see(const StoredEvent& event) const {
    const auto position = event.position;
    const Position before{position.value - 1};
    if (may_see_message_at(position)) return true;
    if (is_forgotten_) return false;
    const auto membership = membership_at(position);
    if (event.type == kHistoryVisibility && event.is_state()) {
        return allows(before, membership, position);
    }
    // One's own member event: seen with the membership before it or after it.
    const bool is_own = event.type == kMember && std::ranges::any_of(memberships(), [&](const auto& change) {
                            return change.position == position;
                        });
    return is_own && allows(before, membership_at(before), before);
}

bool RoomView::may_see_in_state(const StoredEvent& event, Position at) const {
    // Who may read what is said there may read the state that it is said in.
    if (may_see_message_at(at) || may_see(event)) return true;
    const auto held_at = [&](Position position) {
        return position >= at &&
               state_position_at(tx_, room_, event.type, event.state_key.value(), position) == event.position;
    };
    if (held_at(reads_state_at())) return true;
    if (is_forgotten_) return false;
    if (event.position <= last_leave(at)) return true;
    const auto joined = std::ranges::find_if(memberships(), [&](const MembershipChange& change) {
        return change.position > at && change.membership == Membership::join;
    });
    return joined != memberships().end() && held_at(joined->position);
}

bool RoomView::may_see_replaced(const StoredEvent& event, const StoredEvent& before) const {
    if (is_forgotten_) return may_see(before);
    // What was replaced while the reader was there stood in the state that they could read; and what became
    // of an invitation of theirs is not to be understood without it.
    if (membership_at(Position{event.position.value - 1}) == Membership::join) return true;
    return std::ranges::binary_search(memberships(), event.position, {}, &MembershipChange::position) ||
           may_see(before);
}

bool RoomView::sees_all_from(Position position) const {
    if (is_forgotten_ || membership() != Membership::join) return false;
    if (membership_at(position) == Membership::join && memberships().back().position <= position) return true;
    const auto is_open = [](HistoryVisibility visibility) {
        return visibility == HistoryVisibility::shared || visibility == HistoryVisibility::world_readable;
    };
    return is_open(visibility_at(position)) &&
           std::ranges::all_of(reads_->visibilities(room_), [&](const auto& change) {
               return change.first <= position || is_open(change.second);
           });
}

bool RoomView::ignores(identity::UserNumber sender) {
    if (sender == reader_.user) return false;
    if (!ignored_) {
        ignored_.emplace();
        if (const auto list = find_account_data(tx_, reader_.user, kNoRoom, "m.ignored_user_list")) {
            for (const auto& user_id : read_ignored_users(parse_stored(list->json))) {
                if (const auto user = identity::find_user(tx_, user_id)) ignored_->insert(*user);
            }
        }
    }
    return ignored_->contains(sender);
}

bool RoomView::shows(const Child& child) {
    return may_see_message_at(child.position) && !ignores(child.sender);
}

Position RoomView::latest_shown(Position parent, std::string_view rel_type) {
    // Nearly always the very latest.
    for (const auto limit : {std::size_t{1}, kChildrenLimit}) {
        const auto children = latest_children(tx_, room_, parent, rel_type, limit);
        for (const auto& child : children) {
            if (shows(child)) return child.position;
        }
        if (children.size() < limit) break;
    }
    return {};
}

std::optional<ThreadSummary> RoomView::shown_thread(Position root) {
    auto thread = find_thread(tx_, room_, root);
    if (!thread) return std::nullopt;
    ignores({});  // so that it is known whether there is anybody
    if (ignored_->empty() && sees_all_from(root)) return thread;
    ThreadSummary shown{.root = root, .latest = {}, .reply_count = 0};
    for (const auto& child : latest_children(tx_, room_, root, "m.thread", kChildrenLimit)) {
        if (!shows(child)) continue;
        if (!shown.latest) shown.latest = child.position;
        ++shown.reply_count;
    }
    if (!shown.latest) return std::nullopt;
    return shown;
}

Position RoomView::last_leave(Position at) const {
    Position end;
    const auto& changes = memberships();
    for (std::size_t i = 1; i < changes.size() && changes[i].position <= at; ++i) {
        if (changes[i - 1].membership == Membership::join) end = changes[i].position;
    }
    return end;
}

Position RoomView::sees_up_to() const {
    if (visibility_at(kEndOfTime) == HistoryVisibility::world_readable) return kEndOfTime;
    if (is_forgotten_) return {};
    const auto now = membership();
    return now == Membership::join || now == Membership::invite ? kEndOfTime : last_leave();
}

Position RoomView::reads_state_at() const {
    if (membership() == Membership::join || visibility_at(kEndOfTime) == HistoryVisibility::world_readable) {
        return kEndOfTime;
    }
    return is_forgotten_ ? Position{} : last_leave();
}

void RoomView::expect(Position first, Position last) {
    expected_ = {std::min(first, last), std::max(first, last)};
    has_relations_.reset();
}

void RoomView::append(std::string& out, const StoredEvent& event, RoomIdIn room_id,
                      Aggregations aggregations) {
    append_client_event(out, event,
                        room_id == RoomIdIn::include ? std::string_view(room_id_) : std::string_view{},
                        unsigned_of(event, room_id, aggregations));
}

void RoomView::append_array(std::string& out, const std::vector<StoredEvent>& events, RoomIdIn room_id,
                            Aggregations aggregations) {
    if (!events.empty()) expect(events.front().position, events.back().position);
    out.push_back('[');
    for (std::size_t i = 0; i < events.size(); ++i) {
        if (i > 0) out.push_back(',');
        append(out, events[i], room_id, aggregations);
    }
    out.push_back(']');
}

std::string RoomView::unsigned_of(const StoredEvent& event, RoomIdIn room_id, Aggregations aggregations) {
    std::string out;
    const auto age_ms = std::max<std::int64_t>(0, now_ms_ - event.origin_server_ts);
    append_member(out, "age");
    out.append(std::to_string(age_ms));
    append_member(out, "membership");
    out.append("\"").append(to_string(membership_at(event.position))).append("\"");
    // State is set without a transaction id.
    if (event.sender == reader_.user && reader_.device && !event.is_state() &&
        age_ms < kTransactionRetentionMs) {
        const auto sent = find_transaction(tx_, event.position);
        if (sent && sent->device == reader_.device) {
            append_member(out, "transaction_id");
            append_canonical_string(out, sent->txn_id);
        }
    }
    if (event.replaces) {
        if (const auto before = find_event(tx_, room_, event.replaces)) {
            append_member(out, "replaces_state");
            append_canonical_string(out, before->event_id());
            if (may_see_replaced(event, *before)) {
                append_member(out, "prev_content");
                out.append(content_text(*before));
            }
        }
    }
    if (event.redacted_by) {
        if (const auto redaction = find_event(tx_, room_, event.redacted_by)) {
            append_member(out, "redacted_because");
            // Who left before it is told that it happened, not why.
            append_client_event(out, may_see(*redaction) ? *redaction : redacted_form(*redaction),
                                room_id == RoomIdIn::include ? room_id_ : std::string{}, {});
        }
    }
    if (aggregations == Aggregations::include && !event.is_state() && bundle_depth_ < kBundleDepthLimit) {
        if (!has_relations_) has_relations_ = reads_->any_relations(room_, expected_.first, expected_.second);
        if (*has_relations_ || bundle_depth_ > 0) {
            const auto relations = relations_of(event, room_id);
            if (!relations.empty()) {
                append_member(out, "m.relations");
                out.append("{").append(relations).append("}");
            }
        }
    }
    return out;
}

std::string RoomView::relations_of(const StoredEvent& event, RoomIdIn room_id) {
    std::string out;
    const auto append_bundled = [&](const StoredEvent& bundled) {
        ++bundle_depth_;
        append(out, bundled, room_id, Aggregations::include);
        --bundle_depth_;
    };
    if (!event.redacted_by) {
        if (const auto position = latest_shown(event.position, "m.replace")) {
            if (const auto edit = find_event(tx_, room_, position)) {
                append_member(out, "m.replace");
                append_bundled(*edit);
            }
        }
    }
    if (const auto thread = shown_thread(event.position)) {
        if (const auto latest = find_event(tx_, room_, thread->latest)) {
            const bool participated =
                event.sender == reader_.user || has_participated(tx_, room_, event.position, reader_.user);
            append_member(out, "m.thread");
            out.append(R"({"count":)").append(std::to_string(thread->reply_count));
            out.append(R"(,"current_user_participated":)").append(participated ? "true" : "false");
            out.append(R"(,"latest_event":)");
            append_bundled(*latest);
            out.append("}");
        }
    }
    std::string references;
    for (const auto position : children_of(tx_, {.room = room_,
                                                 .parent = event.position,
                                                 .rel_type = "m.reference",
                                                 .type = {},
                                                 .after = {},
                                                 .before = kEndOfTime,
                                                 .newest_first = false,
                                                 .limit = kReferenceLimit})) {
        const auto child = find_event(tx_, room_, position);
        if (!child || !shows({position, child->sender})) continue;
        if (!references.empty()) references.push_back(',');
        references.append(R"({"event_id":)");
        append_canonical_string(references, child->event_id());
        references.push_back('}');
    }
    if (!references.empty()) {
        append_member(out, "m.reference");
        out.append(R"({"chunk":[)").append(references).append("]}");
    }
    return out;
}

}  // namespace chat
