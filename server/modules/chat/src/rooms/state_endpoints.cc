#include "endpoints.h"
#include "event/canonical_json.h"
#include "rooms/state_store.h"
#include "stream_token.h"
#include "timeline/event_json.h"

#include <algorithm>

#include <identity/matrix_error.h>

namespace chat {
namespace {

constexpr std::string_view kMember = "m.room.member";

/// As of when the person may read the state. Errors: M_FORBIDDEN.
base::Result<Position> state_position_for(const RoomView& view) {
    const auto at = view.reads_state_at();
    if (!at) return base::fail(Core::not_in_room());
    return at;
}

std::vector<StateEntry> whole_state(RoomView& view, Position at) {
    return at == kEndOfTime ? current_state(view.transaction(), view.room(), Members::include)
                            : state_at(view.transaction(), view.room(), at, Members::include);
}

void append_events(std::string& out, RoomView& view, const std::vector<StateEntry>& entries) {
    bool first = true;
    for (const auto& entry : entries) {
        const auto event = find_event(view.transaction(), view.room(), entry.position);
        if (!event) continue;
        if (!first) out.push_back(',');
        first = false;
        view.append(out, *event, RoomIdIn::include, Aggregations::leave_out);
    }
}

/// ?membership= and ?not_membership=: either the one or not the other.
struct MembershipFilter {
    std::optional<std::string> is;
    std::optional<std::string> is_not;

    bool allows(std::string_view membership) const {
        if (!is && !is_not) return true;
        return (is && membership == *is) || (is_not && membership != *is_not);
    }
};

base::Result<MembershipFilter> read_membership_filter(const net::Request& request) {
    MembershipFilter filter;
    for (const auto* name : {"membership", "not_membership"}) {
        const auto word = request.query.get(name);
        if (!word) continue;
        if (!parse_membership(*word)) {
            return base::fail(base::ErrorKind::invalid, "M_INVALID_PARAM", "There is no such membership.");
        }
        (std::string_view(name) == "membership" ? filter.is : filter.is_not) = std::string(*word);
    }
    return filter;
}

}  // namespace

Answer get_room_state(Core& core, net::Request request) {
    co_return answer(co_await core.read_room(request.value("roomId"), actor_of(request),
                                             [](RoomView& view) -> base::Result<std::string> {
                                                 const auto at = state_position_for(view);
                                                 if (!at) return base::fail(at.error());
                                                 std::string out = "[";
                                                 append_events(out, view, whole_state(view, *at));
                                                 return out + "]";
                                             }));
}

Answer get_room_state_with_key(Core& core, net::Request request) {
    const auto format = request.query.get("format").value_or("content");
    if (format != "content" && format != "event") {
        co_return identity::matrix_error(
            {base::ErrorKind::invalid, "M_INVALID_PARAM", "'format' is 'content' or 'event'."});
    }
    auto read = [type = request.value("eventType"), key = request.value("stateKey"),
                 whole = format == "event"](RoomView& view) -> base::Result<std::string> {
        const auto at = state_position_for(view);
        if (!at) return base::fail(at.error());
        const auto event = state_event_at(view.transaction(), view.room(), type, key, *at);
        if (!event)
            return base::fail(base::ErrorKind::not_found, "M_NOT_FOUND", "The room has no such state.");
        if (!whole) return std::string(content_text(*event));
        std::string out;
        view.append(out, *event, RoomIdIn::include, Aggregations::leave_out);
        return out;
    };
    co_return answer(co_await core.read_room(request.value("roomId"), actor_of(request), std::move(read)));
}

Answer get_members_by_room(Core& core, net::Request request) {
    const auto filter = read_membership_filter(request);
    if (!filter) co_return identity::matrix_error(filter.error());
    const auto wanted_at = read_timeline_token(request, "at");
    if (!wanted_at) co_return identity::matrix_error(wanted_at.error());
    auto read = [filter = *filter, wanted_at = *wanted_at](RoomView& view) -> base::Result<std::string> {
        auto at = state_position_for(view);
        if (!at) return base::fail(at.error());
        if (wanted_at) *at = std::min(*at, *wanted_at);
        const auto entries = *at == kEndOfTime
                                 ? current_state_of_type(view.transaction(), view.room(), kMember)
                                 : state_of_type_at(view.transaction(), view.room(), kMember, *at);
        std::string out = R"({"chunk":[)";
        bool first = true;
        for (const auto& entry : entries) {
            const auto event = find_event(view.transaction(), view.room(), entry.position);
            if (!event || !view.may_see_in_state(*event, *at)) continue;
            if (filter.is || filter.is_not) {
                const auto content = parse_content(*event);
                if (!filter.allows(base::get_string(content, "membership").value_or(std::string_view{})))
                    continue;
            }
            if (!first) out.push_back(',');
            first = false;
            view.append(out, *event, RoomIdIn::include, Aggregations::leave_out);
        }
        return out + "]}";
    };
    co_return answer(co_await core.read_room(request.value("roomId"), actor_of(request), std::move(read)));
}

Answer get_joined_members_by_room(Core& core, net::Request request) {
    auto read = [](RoomView& view) -> base::Result<std::string> {
        if (view.membership() != Membership::join) return base::fail(Core::not_in_room());
        std::string out = R"({"joined":{)";
        bool first = true;
        for (const auto& member : members_of(view.transaction(), view.room(), Membership::join)) {
            const auto event = find_event(view.transaction(), view.room(), member.position);
            if (!event) continue;
            const auto content = parse_content(*event);
            if (!first) out.push_back(',');
            first = false;
            append_canonical_string(out, event->state_key.value_or(std::string{}));
            // Who has no name has an empty one: clients were written that refuse a member without.
            base::json::object profile{
                {"display_name", base::get_string(content, "displayname").value_or(std::string_view{})}};
            if (const auto avatar = base::get_string(content, "avatar_url")) profile["avatar_url"] = *avatar;
            out.append(":").append(base::json::serialize(profile));
        }
        return out + "}}";
    };
    co_return answer(co_await core.read_room(request.value("roomId"), actor_of(request), std::move(read)));
}

}  // namespace chat
