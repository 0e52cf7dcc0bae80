#include "endpoints.h"
#include "event/canonical_json.h"
#include "rooms/state_store.h"
#include "stream_token.h"
#include "timeline/timeline_page.h"

#include <algorithm>
#include <charconv>

#include <identity/matrix_error.h>

namespace chat {
namespace {

constexpr std::size_t kPageLimit = 1000;
constexpr std::size_t kContextLimit = 100;
constexpr std::size_t kDefaultLimit = 10;

std::unexpected<base::Error> no_such_event() {
    return base::fail(base::ErrorKind::not_found, "M_NOT_FOUND",
                      "There is no such event, or you may not see it.");
}

/// Where an event may not be seen, its room is not spoken of either.
template <class T>
base::Result<T> hide_room(base::Result<T> result) {
    if (!result && result.error().kind == base::ErrorKind::forbidden) return no_such_event();
    return result;
}

base::Result<StoredEvent> find_visible(RoomView& view, const std::string& event_id) {
    auto event = find_event(view.transaction(), event_id);
    if (!event || event->room != view.room() || !view.may_see(*event)) return no_such_event();
    return std::move(*event);
}

void append_token(std::string& out, std::string_view key, Position position) {
    out.append(",\"").append(key).append("\":\"").append(timeline_token(position)).append("\"");
}

/// The state that goes with a stretch of timeline: whole, or only those who speak in it.
std::string state_with(RoomView& view, const std::vector<StoredEvent>& events, Position at,
                       bool lazy_load_members, const RoomEventFilter& filter) {
    std::vector<StoredEvent> state;
    const auto members = lazy_load_members ? Members::leave_out : Members::include;
    for (const auto& entry : state_at(view.transaction(), view.room(), at, members)) {
        auto event = find_event(view.transaction(), view.room(), entry.position);
        if (event && filter.allows(*event)) state.push_back(std::move(*event));
    }
    if (lazy_load_members) {
        for (auto& member : members_of_senders(view, events, at)) state.push_back(std::move(member));
    }
    std::string out;
    view.append_array(out, state, RoomIdIn::include, Aggregations::leave_out);
    return out;
}

struct ContextQuery {
    std::string event_id;
    std::size_t limit = kDefaultLimit;
    RoomEventFilter filter;
};

base::Result<std::string> read_context(RoomView& view, const ContextQuery& query) {
    const auto event = find_visible(view, query.event_id);
    if (!event) return base::fail(event.error());
    auto filter = query.filter;
    filter.limit.reset();  // `limit` of the request is for both sides together
    const auto before = read_page(view, {.backwards = true,
                                         .from = Position{event->position.value - 1},
                                         .to = {},
                                         .limit = query.limit / 2,
                                         .filter = filter});
    const auto after = read_page(view, {.backwards = false,
                                        .from = event->position,
                                        .to = {},
                                        .limit = query.limit - query.limit / 2,
                                        .filter = filter});
    auto shown = before.events;
    shown.insert(shown.end(), after.events.begin(), after.events.end());
    shown.push_back(*event);
    const auto last = after.events.empty() ? event->position : after.events.back().position;

    std::string out = R"({"event":)";
    view.expect(event->position, event->position);
    view.append(out, *event);
    out.append(R"(,"events_before":)");
    view.append_array(out, before.events);
    out.append(R"(,"events_after":)");
    view.append_array(out, after.events);
    append_token(out, "start", before.end.value_or(Position{0}));
    append_token(out, "end", after.end.value_or(last));
    out.append(R"(,"state":)").append(state_with(view, shown, last, filter.lazy_load_members, filter));
    return out + "}";
}

base::Result<std::string> read_messages(RoomView& view, const PageQuery& query) {
    const auto page = read_page(view, query);
    std::string out = R"({"chunk":)";
    view.append_array(out, page.events);
    append_token(out, "start", page.start);
    if (page.end) append_token(out, "end", *page.end);
    if (query.filter.lazy_load_members && !page.events.empty()) {
        const auto newest = std::max(page.events.front().position, page.events.back().position);
        const auto members = members_of_senders(view, page.events, newest);
        out.append(R"(,"state":)");
        view.append_array(out, members, RoomIdIn::include, Aggregations::leave_out);
    }
    return out + "}";
}

/// The event nearest to a time, by halving: positions and times grow together.
base::Result<std::string> read_by_timestamp(RoomView& view, std::int64_t at_ms, bool backwards) {
    auto& tx = view.transaction();
    Position low;  // every event up to here is before `at_ms`
    auto high = last_event_position(tx, view.room(), view.sees_up_to());
    while (low < high) {
        const Position middle{low.value + (high.value - low.value + 1) / 2};
        const auto event = last_event(tx, view.room(), middle);
        const bool is_before =
            !event || (backwards ? event->origin_server_ts <= at_ms : event->origin_server_ts < at_ms);
        if (is_before) {
            low = middle;
        } else {
            high = Position{event->position.value - 1};
        }
    }
    const auto page =
        read_page(view, {.backwards = backwards, .from = low, .to = {}, .limit = 1, .filter = {}});
    if (page.events.empty()) {
        return base::fail(base::ErrorKind::not_found, "M_NOT_FOUND",
                          "There is no event on that side of the time.");
    }
    const auto& event = page.events.front();
    return R"({"event_id":")" + std::string(event.event_id()) + R"(","origin_server_ts":)" +
           std::to_string(event.origin_server_ts) + "}";
}

}  // namespace

Answer get_one_room_event(Core& core, net::Request request) {
    auto read = [event_id = request.value("eventId")](RoomView& view) -> base::Result<std::string> {
        const auto event = find_visible(view, event_id);
        if (!event) return base::fail(event.error());
        std::string out;
        view.expect(event->position, event->position);
        view.append(out, *event);
        return out;
    };
    co_return answer(
        hide_room(co_await core.read_room(request.value("roomId"), actor_of(request), std::move(read))));
}

Answer get_event_context(Core& core, net::Request request) {
    const auto limit = read_limit(request, kDefaultLimit, kContextLimit);
    if (!limit) co_return identity::matrix_error(limit.error());
    auto filter = RoomEventFilter::parse_text(request.query.get("filter"));
    if (!filter) co_return identity::matrix_error(filter.error());
    ContextQuery query{request.value("eventId"), *limit, std::move(*filter)};
    co_return answer(hide_room(co_await core.read_room(
        request.value("roomId"), actor_of(request),
        [query = std::move(query)](RoomView& view) { return read_context(view, query); })));
}

Answer get_room_events(Core& core, net::Request request) {
    const auto backwards = read_backwards(request, std::nullopt);
    if (!backwards) co_return identity::matrix_error(backwards.error());
    const auto from = read_timeline_token(request, "from");
    if (!from) co_return identity::matrix_error(from.error());
    const auto to = read_timeline_token(request, "to");
    if (!to) co_return identity::matrix_error(to.error());
    const auto limit = read_limit(request, kDefaultLimit, kPageLimit);
    if (!limit) co_return identity::matrix_error(limit.error());
    auto filter = RoomEventFilter::parse_text(request.query.get("filter"));
    if (!filter) co_return identity::matrix_error(filter.error());
    PageQuery query{.backwards = *backwards,
                    .from = from->value_or(*backwards ? kEndOfTime : Position{}),
                    .to = *to,
                    .limit = *limit,
                    .filter = std::move(*filter)};
    co_return answer(co_await core.read_room(
        request.value("roomId"), actor_of(request),
        [query = std::move(query)](RoomView& view) { return read_messages(view, query); }));
}

Answer get_event_by_timestamp(Core& core, net::Request request) {
    const auto backwards = read_backwards(request, std::nullopt);
    if (!backwards) co_return identity::matrix_error(backwards.error());
    const auto text = request.query.get("ts").value_or(std::string_view{});
    std::int64_t at_ms = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), at_ms);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) {
        co_return identity::matrix_error(
            {base::ErrorKind::invalid, "M_INVALID_PARAM", "'ts' must be a time in milliseconds."});
    }
    co_return answer(co_await core.read_room(request.value("roomId"), actor_of(request),
                                             [at_ms, backwards = *backwards](RoomView& view) {
                                                 return read_by_timestamp(view, at_ms, backwards);
                                             }));
}

}  // namespace chat
