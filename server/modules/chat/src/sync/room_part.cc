#include "sync/room_part.h"

#include "event/canonical_json.h"
#include "rooms/room_view.h"
#include "rooms/state_store.h"
#include "sync/receipt_store.h"
#include "sync/receipts_part.h"
#include "sync/state_part.h"
#include "sync/summary_part.h"
#include "sync/timeline_part.h"
#include "timeline/event_json.h"
#include "timeline/event_store.h"

#include <algorithm>
#include <array>

#include <identity/users.h>

namespace chat {
namespace {

constexpr std::array<std::string_view, 8> kStrippedTypes = {
    "m.room.create", "m.room.join_rules", "m.room.canonical_alias", "m.room.avatar",
    "m.room.name",   "m.room.topic",      "m.room.encryption",      "im.lingxi.ai_policy"};

void append_key(std::string& out, std::string_view key) {
    if (out.back() != '{') out.push_back(',');
    append_canonical_string(out, key);
    out.push_back(':');
}

/// Appends the list of state under each name that the client asked for.
void append_state_lists(std::string& out, const StateMode& mode, const std::string& events) {
    const auto append = [&](std::string_view key) {
        append_key(out, key);
        out.append(R"({"events":[)").append(events).append("]}");
    };
    if (!mode.is_after()) append("state");
    if (mode.after) append("state_after");
    if (mode.after_unstable) append("org.matrix.msc4222.state_after");
}

/// Up to where the client takes the state from the timeline's events.
Position carried_state(const SyncQuery& query, Position up_to) {
    return query.state_mode.is_after() ? Position{} : up_to;
}

LazyMembers lazy_members(const SyncQuery& query, RoomNumber room, const Timeline& timeline, bool is_whole) {
    LazyMembers members;
    members.is_lazy = query.filter->lazy_load_members();
    if (!members.is_lazy) return members;
    for (const auto& event : timeline.events) members.wanted.emplace(sender_in(event));
    if (is_whole) members.wanted.emplace(query.user_id);
    const auto sent = query.members_sent.find(room);
    // A client that is given all anew has nothing.
    if (!is_whole && !query.filter->include_redundant_members() && sent != query.members_sent.end())
        members.sent = sent->second.get();
    return members;
}

void append_counts(std::string& out, const UnreadCounts& counts) {
    out.append(R"({"highlight_count":)").append(std::to_string(counts.highlights));
    out.append(R"(,"notification_count":)").append(std::to_string(counts.notifications)).push_back('}');
}

void append_unread(std::string& out, const Unread& unread, bool by_thread) {
    append_key(out, "unread_notifications");
    append_counts(out, by_thread ? unread.main() : unread.total());
    if (!by_thread) return;
    append_key(out, "unread_thread_notifications");
    out.push_back('{');
    for (const auto& [thread, counts] : unread.threads) {
        if (thread == kMainThread || counts.notifications == 0) continue;
        append_key(out, thread);
        append_counts(out, counts);
    }
    out.push_back('}');
}

/// m.typing and m.receipt; empty where there is nothing new.
std::string ephemeral_events(AnswerContext& context, const StoredRoom& room, bool is_new) {
    const auto& query = context.query;
    const auto& filter = query.filter->ephemeral;
    std::string out;
    if (!filter.allows_room(room.id.value)) return out;
    const auto typing = query.typing.find(room.number);
    if (typing != query.typing.end() && filter.allows_type("m.typing") &&
        !(is_new && typing->second.user_ids.empty())) {
        out.append(R"({"type":"m.typing","content":{"user_ids":[)");
        for (const auto& user_id : typing->second.user_ids) {
            if (out.back() != '[') out.push_back(',');
            append_canonical_string(out, user_id);
        }
        out.append("]}}");
    }
    if (filter.allows_type("m.receipt")) {
        const auto after = is_new || !query.since ? 0 : (*query.since)[Stream::receipts];
        append_receipts(out, context.tx, room.number, query.user, after, query.now[Stream::receipts]);
    }
    return out;
}

/// What changed of the account data of a room; of one that is `new_to_client` all of it: what was written
/// about the room before is new to the client as well.
std::string room_account_data(AnswerContext& context, const StoredRoom& room, bool new_to_client,
                              const std::vector<const AccountData*>& changes) {
    std::string out;
    const auto& filter = context.query.filter->room_account_data;
    if (!filter.allows_room(room.id.value)) return out;
    const auto append = [&](const AccountData& data) {
        if (!filter.allows_type(data.type)) return;
        if (!out.empty()) out.push_back(',');
        append_account_data(out, data);
    };
    if (new_to_client) {
        for (const auto& data : account_data_of(context.tx, context.query.user, room.number)) append(data);
    } else {
        for (const auto* data : changes) append(*data);
    }
    return out;
}

/// What became of the reader, who was never in the room: the one change of state that is theirs to know. A
/// client that takes state from the list alone would have them invited for ever.
void append_end_of_invitation(std::string& out, AnswerContext& context, const StoredRoom& room,
                              const StoredMembership& membership) {
    const auto& filter = *context.query.filter;
    if (!filter.state.allows_room(room.id.value)) return;
    const auto event = find_event(context.tx, room.number, membership.since);
    if (event && filter.state.allows(*event)) context.writer.append(out, *event, event->json);
}

}  // namespace

void append_account_data(std::string& out, const AccountData& data) {
    out.append(R"({"type":)");
    append_canonical_string(out, data.type);
    out.append(R"(,"content":)").append(data.json).push_back('}');
}

Unread count_of(AnswerContext& context, const StoredRoom& room, const StoredMembership& membership,
                std::size_t& budget) {
    const auto known = context.query.unread.find(room.number);
    auto unread = count_unread(context.reads,
                               {.room = room.number,
                                .room_id = room.id.value,
                                .joined_members = room.joined_count,
                                .joined_at = membership.since,
                                .up_to = context.query.events_now()},
                               context.settings,
                               known == context.query.unread.end() ? nullptr : &known->second, budget);
    if (unread.rest) context.answer.next_batch[Stream::cut_counts] = 1;
    return unread;
}

bool append_joined_room(std::string& out, AnswerContext& context, const StoredRoom& room,
                        const StoredMembership& membership,
                        const std::vector<const AccountData*>& account_data) {
    const auto& query = context.query;
    const bool is_new = !query.since || membership.since > query.events_since();
    const bool is_whole = is_new || query.full_state;
    RoomView view(context.reads, membership, query.events_now(), room.id.value, {query.user, query.device},
                  query.now_ms);

    const Position after = is_new ? Position{} : query.events_since();
    auto timeline =
        select_timeline(view, {after, query.events_now(), carried_state(query, query.events_now())},
                        query.filter->timeline, context.settings);
    if (query.parted_at) timeline.is_limited = true;
    auto members = lazy_members(query, room.number, timeline, is_whole);
    std::string summary;
    if (is_whole ||
        summary_changed(context.reads, room.number, after, query.events_now(), timeline.may_redact))
        summary = make_summary(context.tx, room, query.user, members.is_lazy ? &members.wanted : nullptr);
    std::string state;
    auto told = append_state(state, view,
                             {.is_whole = is_whole,
                              .is_after = query.state_mode.is_after(),
                              .after = after,
                              .up_to = query.events_now()},
                             timeline, *query.filter, members, context.writer);
    const auto ephemeral = ephemeral_events(context, room, is_new);

    // An initial sync has read them all.
    const auto account = room_account_data(context, room, is_new && query.since, account_data);
    const auto counted = context.counted.find(room.number);
    const bool is_counted = counted != context.counted.end();
    const bool tells_counts = is_counted && context.tells_counted;
    // What was read elsewhere changes the counts also of whoever asks for no receipts.
    const auto has_read = [&] {
        return has_own_receipts_after(context.tx, room.number, query.user, (*query.since)[Stream::receipts],
                                      query.now[Stream::receipts]);
    };
    if (!is_whole && !tells_counts && timeline.events.empty() && !timeline.is_limited && summary.empty() &&
        state.empty() && ephemeral.empty() && account.empty() && !has_read()) {
        return false;
    }

    auto budget = context.unread_limit;
    auto unread = is_counted ? counted->second : count_of(context, room, membership, budget);

    append_key(out, room.id.value);
    out.push_back('{');
    if (!summary.empty()) {
        append_key(out, "summary");
        out.append(summary);
    }
    append_state_lists(out, query.state_mode, state);
    append_key(out, "timeline");
    append_timeline(out, view, timeline, context.writer);
    append_key(out, "ephemeral");
    out.append(R"({"events":[)").append(ephemeral).append("]}");
    append_key(out, "account_data");
    out.append(R"({"events":[)").append(account).append("]}");
    append_unread(out, unread, query.filter->timeline.unread_thread_notifications);
    out.push_back('}');

    if (!is_counted) context.answer.unread.emplace_back(room.number, std::move(unread));
    if (!told.empty()) context.answer.members_sent.emplace_back(room.number, std::move(told));
    return true;
}

bool append_left_room(std::string& out, AnswerContext& context, const StoredRoom& room,
                      const StoredMembership& membership,
                      const std::vector<const AccountData*>& account_data) {
    const auto& query = context.query;
    const bool is_new = !query.since || membership.since > query.events_since();
    RoomView view(context.reads, membership, query.events_now(), room.id.value, {query.user, query.device},
                  query.now_ms);
    // Invited or banned once more after they had left, they may read the state of when they left, no later
    // one.
    const auto last_leave = query.tells_bare_ends() ? Position{} : view.last_leave(membership.since);
    const bool has_stayed = last_leave && (!query.since || last_leave > query.events_since());
    const bool was_joined = query.since && view.membership_at(query.events_since()) == Membership::join;

    const auto account = room_account_data(context, room, is_new && query.since && !was_joined, account_data);
    if (!is_new && account.empty()) return false;

    // Of a room in which one has not been since, the end of the invitation is all there is to tell; and of
    // one that the client may or may not hold, its end.
    Position after{is_new ? membership.since.value - 1 : membership.since.value};
    if (has_stayed) after = was_joined ? query.events_since() : Position{};
    auto timeline = select_timeline(view, {after, membership.since, carried_state(query, last_leave)},
                                    query.filter->timeline, context.settings);
    if (query.parted_at) timeline.is_limited = true;
    std::string state;
    if (has_stayed) {
        const auto members = lazy_members(query, room.number, timeline, !was_joined);
        append_state(state, view,
                     {.is_whole = !was_joined || query.full_state,
                      .is_after = query.state_mode.is_after(),
                      .after = after,
                      .up_to = last_leave,
                      .own = OwnMember{query.user_id, membership.since}},
                     timeline, *query.filter, members, context.writer);
    } else if (is_new && query.state_mode.is_after()) {
        append_end_of_invitation(state, context, room, membership);
    }
    append_key(out, room.id.value);
    out.push_back('{');
    append_state_lists(out, query.state_mode, state);
    append_key(out, "timeline");
    append_timeline(out, view, timeline, context.writer);
    append_key(out, "account_data");
    out.append(R"({"events":[)").append(account).append("]}}");
    return true;
}

bool append_stripped_room(std::string& out, AnswerContext& context, const StoredRoom& room,
                          const StoredMembership& membership) {
    const auto& query = context.query;
    const bool is_invite = membership.membership == Membership::invite;
    if (is_invite && !context.settings.ignored.empty() &&
        context.settings.ignored.contains(identity::user_id_of(context.tx, membership.sender).value)) {
        return false;
    }
    append_key(out, room.id.value);
    out.append(is_invite ? R"({"invite_state":{"events":[)" : R"({"knock_state":{"events":[)");
    const auto append = [&](std::string_view type, std::string_view state_key) {
        const auto event = state_event(context.tx, room.number, type, state_key);
        if (!event) return;
        if (out.back() != '[') out.push_back(',');
        append_stripped_event(out, *event);
    };
    for (const auto type : kStrippedTypes) append(type, {});
    append("m.room.member", query.user_id);
    // Whoever invites has a name and a face, which the client shows.
    if (is_invite) append("m.room.member", identity::user_id_of(context.tx, membership.sender).value);
    out.append("]}}");
    return true;
}

}  // namespace chat
