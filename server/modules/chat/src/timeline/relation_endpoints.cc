#include "endpoints.h"
#include "stream_token.h"
#include "timeline/event_json.h"
#include "timeline/relation_store.h"
#include "timeline/relation_tree.h"

#include <algorithm>

#include <identity/matrix_error.h>

namespace chat {
namespace {

constexpr std::size_t kDefaultLimit = 50;
constexpr std::size_t kMostLimit = 100;

struct RelationsQuery {
    std::string event_id;
    std::string rel_type;
    std::string type;
    std::optional<Position> from;
    std::optional<Position> to;
    bool backwards = true;
    bool recurse = false;
    std::size_t limit = kDefaultLimit;
};

base::Result<std::string> read_relations(RoomView& view, const RelationsQuery& query) {
    const auto parent = find_event(view.transaction(), query.event_id);
    if (!parent || parent->room != view.room() || !view.may_see(*parent)) {
        return base::fail(base::ErrorKind::not_found, "M_NOT_FOUND",
                          "There is no such event, or you may not see it.");
    }
    // Tokens stand between events; a page is (after, before) of positions.
    Position after;
    auto before = kEndOfTime;
    const auto next = [](Position position) {
        return position < kEndOfTime ? Position{position.value + 1} : kEndOfTime;
    };
    if (query.backwards) {
        if (query.from) before = next(*query.from);
        after = query.to.value_or(Position{});
    } else {
        after = query.from.value_or(Position{});
        if (query.to) before = next(*query.to);
    }
    const RelationQuery wanted{.room = view.room(),
                               .parent = parent->position,
                               .rel_type = query.rel_type,
                               .type = query.type,
                               .after = after,
                               .before = before,
                               .newest_first = query.backwards,
                               .limit = query.limit};
    const auto page = query.recurse ? descendants_page(view.transaction(), wanted)
                                    : children_page(view.transaction(), wanted);
    std::vector<StoredEvent> events;
    for (const auto position : page.positions) {
        auto event = find_event(view.transaction(), view.room(), position);
        if (event && view.may_see(*event) && !view.hides(*event)) events.push_back(std::move(*event));
    }
    std::string out = R"({"chunk":)";
    view.append_array(out, events);
    if (page.next) {
        out.append(R"(,"next_batch":")")
            .append(timeline_token(query.backwards ? Position{page.next.value - 1} : page.next))
            .append("\"");
    }
    if (query.from) out.append(R"(,"prev_batch":")").append(timeline_token(*query.from)).append("\"");
    if (query.recurse) out.append(R"(,"recursion_depth":)").append(std::to_string(kRelationDepth));
    return out + "}";
}

base::Result<std::string> read_threads(RoomView& view, Position before, bool participated,
                                       std::size_t limit) {
    const auto threads = threads_of(view.transaction(), view.room(), before,
                                    participated ? view.reader().user : identity::UserNumber{}, limit + 1);
    std::vector<StoredEvent> roots;
    for (std::size_t i = 0; i < std::min(limit, threads.size()); ++i) {
        auto root = find_event(view.transaction(), view.room(), threads[i].root);
        if (!root || !view.may_see(*root) || !view.shown_thread(root->position)) continue;
        roots.push_back(view.ignores(root->sender) ? redacted_form(*root) : std::move(*root));
    }
    std::string out = R"({"chunk":[)";
    for (std::size_t i = 0; i < roots.size(); ++i) {
        if (i > 0) out.push_back(',');
        view.expect(roots[i].position, roots[i].position);
        view.append(out, roots[i]);
    }
    out.push_back(']');
    if (threads.size() > limit) {
        out.append(R"(,"next_batch":")").append(timeline_token(threads[limit - 1].latest)).append("\"");
    }
    return out + "}";
}

}  // namespace

Answer get_relating_events(Core& core, net::Request request) {
    const auto backwards = read_backwards(request, true);
    if (!backwards) co_return identity::matrix_error(backwards.error());
    const auto from = read_timeline_token(request, "from");
    if (!from) co_return identity::matrix_error(from.error());
    const auto to = read_timeline_token(request, "to");
    if (!to) co_return identity::matrix_error(to.error());
    const auto limit = read_limit(request, kDefaultLimit, kMostLimit);
    if (!limit) co_return identity::matrix_error(limit.error());
    const auto recurse = request.query.get("recurse").value_or("false");
    if (recurse != "true" && recurse != "false") {
        co_return identity::matrix_error(
            {base::ErrorKind::invalid, "M_INVALID_PARAM", "'recurse' is 'true' or 'false'."});
    }
    RelationsQuery query{.event_id = request.value("eventId"),
                         .rel_type = request.value("relType"),
                         .type = request.value("eventType"),
                         .from = *from,
                         .to = *to,
                         .backwards = *backwards,
                         .recurse = recurse == "true",
                         .limit = std::max<std::size_t>(1, *limit)};
    auto result = co_await core.read_room(
        request.value("roomId"), actor_of(request),
        [query = std::move(query)](RoomView& view) { return read_relations(view, query); });
    if (!result && result.error().kind == base::ErrorKind::forbidden) {
        result.error() = {base::ErrorKind::not_found, "M_NOT_FOUND",
                          "There is no such event, or you may not see it."};
    }
    co_return answer(std::move(result));
}

Answer get_thread_roots(Core& core, net::Request request) {
    const auto include = request.query.get("include").value_or("all");
    const auto from = read_timeline_token(request, "from");
    if (!from) co_return identity::matrix_error(from.error());
    const auto limit = read_limit(request, kDefaultLimit, kMostLimit);
    if (!limit) co_return identity::matrix_error(limit.error());
    if (*limit == 0 || (include != "all" && include != "participated")) {
        co_return identity::matrix_error(
            {base::ErrorKind::invalid, "M_INVALID_PARAM", "'limit' or 'include' is not one that there is."});
    }
    co_return answer(co_await core.read_room(
        request.value("roomId"), actor_of(request),
        [before = from->value_or(kEndOfTime), participated = include == "participated",
         limit = *limit](RoomView& view) { return read_threads(view, before, participated, limit); }));
}

}  // namespace chat
