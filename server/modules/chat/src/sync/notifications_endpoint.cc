#include "event/canonical_json.h"
#include "members/membership_store.h"
#include "rooms/room_store.h"
#include "rooms/room_view.h"
#include "sync/endpoints.h"
#include "sync/judge.h"
#include "timeline/event_json.h"

#include <charconv>
#include <queue>
#include <unordered_map>
#include <utility>

#include <identity/matrix_error.h>

namespace chat {
namespace {

using base::ErrorKind;
using identity::matrix_error;

constexpr std::size_t kDefaultLimit = 20;
constexpr std::size_t kMostLimit = 100;
constexpr std::size_t kPage = 32;
/// Events that one request looks at; the next goes on from there.
constexpr std::size_t kScanLimit = 2000;
constexpr std::string_view kTokenPrefix = "n1_";

struct Wish {
    Position up_to = kEndOfTime;
    std::size_t limit = kDefaultLimit;
    bool only_highlights = false;
};

base::Result<Wish> read_wish(const net::Query& query) {
    const auto bad = [](std::string_view name) {
        return base::fail(ErrorKind::invalid, "M_INVALID_PARAM",
                          "The parameter '" + std::string(name) + "' is not what it should be.");
    };
    const auto read = [](std::string_view text, std::int64_t& value) {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        return error == std::errc{} && end == text.data() + text.size() && value >= 0;
    };
    Wish wish;
    if (auto from = query.get("from"); from && !from->empty()) {
        if (!from->starts_with(kTokenPrefix) || !read(from->substr(kTokenPrefix.size()), wish.up_to.value))
            return bad("from");
    }
    if (const auto limit = query.get("limit")) {
        std::int64_t value = 0;
        if (!read(*limit, value)) return bad("limit");
        wish.limit = std::clamp<std::size_t>(static_cast<std::size_t>(value), 1, kMostLimit);
    }
    wish.only_highlights = query.get("only") == "highlight";
    return wish;
}

/// One room on the way back through time.
struct Trail {
    Trail(storage::Transaction& tx, const StoredRoom& room_in, const Caller& caller,
          const NotificationSettings& settings, std::int64_t now_ms)
        : room(room_in),
          view(tx, room.number, room.id.value, {caller.user, caller.device}, now_ms),
          judge(tx, {room.number, room.id.value, room.joined_count}, settings),
          marks(read_marks(tx, room.number, caller.user)) {}

    StoredRoom room;
    RoomView view;
    Judge judge;
    ReadMarks marks;
    Position joined_at;
    std::vector<StoredEvent> page;  ///< newest first
    std::size_t next = 0;
};

/// Goes back through all rooms at once, latest event first.
class NotificationList {
  public:
    NotificationList(storage::Transaction& tx, const Caller& caller, const Wish& wish, std::int64_t now_ms)
        : tx_(tx),
          caller_(caller),
          wish_(wish),
          now_ms_(now_ms),
          settings_(load_settings(tx, caller.user, caller.user_id, nullptr)) {}

    std::string list() {
        for (const auto& membership : memberships_of(tx_, caller_.user)) {
            if (membership.membership != Membership::join) continue;
            joined_at_[membership.room] = membership.since;
            offer(membership.room, last_event_position(tx_, membership.room, wish_.up_to));
        }
        std::string out(R"({"notifications":[)");
        std::size_t found = 0;
        std::size_t scanned = 0;
        while (!queue_.empty() && found < wish_.limit && scanned < kScanLimit) {
            const auto [position, room] = queue_.top();
            queue_.pop();
            ++scanned;
            auto& trail = trail_of(room, position);
            const auto event = std::move(trail.page[trail.next++]);
            offer(room, next_position(trail, event));
            if (append(out, trail, event)) ++found;
        }
        out.push_back(']');
        if (!queue_.empty())
            out.append(R"(,"next_token":")")
                .append(kTokenPrefix)
                .append(std::to_string(queue_.top().first.value))
                .push_back('"');
        return out.append("}");
    }

  private:
    void offer(RoomNumber room, Position position) {
        if (position > joined_at_[room]) queue_.emplace(position, room);
    }

    Trail& trail_of(RoomNumber room, Position position) {
        auto& trail = trails_[room];
        if (!trail)
            trail = std::make_unique<Trail>(tx_, find_room(tx_, room).value(), caller_, *settings_, now_ms_);
        if (trail->next >= trail->page.size()) {
            trail->page = events_before(tx_, room, position, joined_at_[room], kPage);
            trail->next = 0;
        }
        return *trail;
    }

    Position next_position(const Trail& trail, const StoredEvent& event) {
        if (trail.next < trail.page.size()) return trail.page[trail.next].position;
        return last_event_position(tx_, event.room, Position{event.position.value - 1});
    }

    bool append(std::string& out, Trail& trail, const StoredEvent& event) {
        if (event.sender == caller_.user || event.redacted_by || !trail.view.may_see(event)) return false;
        const auto json = parse_stored(event.json);
        const auto* rule = trail.judge.rule_for(json);
        if (rule == nullptr || !rule->notifies || (wish_.only_highlights && !rule->highlights)) return false;
        const bool is_read = event.position <= trail.marks.of(thread_of(tx_, event.room, json));
        if (out.back() != '[') out.push_back(',');
        out.append(R"({"actions":)").append(base::json::serialize(rule->actions));
        out.append(R"(,"read":)").append(is_read ? "true" : "false");
        out.append(R"(,"room_id":)");
        append_canonical_string(out, trail.room.id.value);
        out.append(R"(,"ts":)").append(std::to_string(event.origin_server_ts)).append(R"(,"event":)");
        trail.view.append(out, event, RoomIdIn::leave_out, Aggregations::leave_out);
        out.push_back('}');
        return true;
    }

    storage::Transaction& tx_;
    const Caller& caller_;
    const Wish& wish_;
    std::int64_t now_ms_;
    std::shared_ptr<const NotificationSettings> settings_;
    std::unordered_map<RoomNumber, Position> joined_at_;
    std::unordered_map<RoomNumber, std::unique_ptr<Trail>> trails_;
    std::priority_queue<std::pair<Position, RoomNumber>> queue_;
};

}  // namespace

runtime::Task<net::Response> get_notifications(SyncCore& core, net::Request request) {
    const auto wish = read_wish(request.query);
    if (!wish) co_return matrix_error(wish.error());
    auto list =
        co_await core.database.read([caller = caller_of(request), wish = *wish, now_ms = core.clock.now_ms()](
                                        storage::Transaction& tx) -> base::Result<std::string> {
            return NotificationList(tx, caller, wish, now_ms).list();
        });
    if (!list) co_return matrix_error(list.error());
    co_return net::json(200, std::move(*list));
}

}  // namespace chat
