#include "members/membership_store.h"
#include "sync/account_data_store.h"
#include "sync/answer.h"
#include "sync/endpoints.h"
#include "sync/filter_store.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include <boost/asio/this_coro.hpp>

#include <identity/matrix_error.h>

namespace chat {
namespace {

using base::ErrorKind;
using identity::matrix_error;
using std::chrono::milliseconds;

/// Longer waits than this are cut: proxies give up on them.
constexpr milliseconds kWaitLimit{90'000};
constexpr std::size_t kPresenceLimit = 1000;

/// A request of /sync: all that is kept of it while it is parked.
struct Poll {
    Caller caller;
    std::optional<StreamToken> since;  ///< goes ahead while there is nothing to tell
    std::optional<Position> parted_at;
    std::shared_ptr<const SyncFilter> filter;
    std::chrono::steady_clock::time_point deadline;
    StateMode state_mode;
    bool full_state = false;

    bool may_wait() const { return since.has_value() && !full_state; }
};

std::unexpected<base::Error> bad_parameter(std::string_view name) {
    return base::fail(ErrorKind::invalid, "M_INVALID_PARAM",
                      "The parameter '" + std::string(name) + "' is not what the specification says.");
}

base::Result<bool> read_flag(const net::Query& query, std::string_view name) {
    const auto text = query.get(name);
    if (!text || *text == "false") return false;
    if (*text == "true") return true;
    return bad_parameter(name);
}

base::Result<milliseconds> read_timeout(const net::Query& query) {
    const auto text = query.get("timeout");
    if (!text) return milliseconds{0};
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc{} || end != text->data() + text->size() || value < 0)
        return bad_parameter("timeout");
    return std::min(milliseconds{value}, kWaitLimit);
}

/// A filter by number or written out; none: everything. Errors: M_INVALID_PARAM (no such filter), those of
/// SyncFilter::parse_text.
runtime::Task<base::Result<std::shared_ptr<const SyncFilter>>> find_filter_of(
    SyncCore& core, identity::UserNumber user, std::optional<std::string> text) {
    if (!text || text->empty()) co_return core.filters.filter_of("{}");
    if (text->starts_with('{')) co_return core.filters.filter_of(*text);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (error != std::errc{} || end != text->data() + text->size()) co_return bad_parameter("filter");
    if (auto known = core.cache.filter(user, number)) co_return known;
    const auto json = co_await core.database.read(
        [user, number](storage::Transaction& tx) -> base::Result<std::optional<std::string>> {
            return find_filter(tx, user, number);
        });
    if (!json) co_return base::fail(json.error());
    if (!*json) co_return bad_parameter("filter");
    auto found = core.filters.filter_of(**json);
    if (found) core.cache.put_filter(user, number, *found);
    co_return found;
}

/// Reads the rooms of a person who has just connected.
runtime::Task<base::Result<void>> load_watch(SyncCore& core, identity::UserNumber user,
                                             std::shared_ptr<WatchList::Watch> watch) {
    struct Loaded {
        std::vector<RoomNumber> rooms;
        std::int64_t account_data_position = 0;
    };
    auto loaded = co_await core.database.read([user](storage::Transaction& tx) -> base::Result<Loaded> {
        Loaded found{rooms_of(tx, user, Membership::join), 0};
        auto last = tx.prepare("SELECT max(position) FROM account_data WHERE user_number = ?1");
        last.bind(user);
        if (last.step() && !last.is_null(0)) found.account_data_position = last.integer(0);
        return found;
    });
    if (!loaded) co_return base::fail(std::move(loaded.error()));
    core.watches.load(user, *watch, std::move(loaded->rooms), loaded->account_data_position);
    co_return base::Result<void>{};
}

/// Whether the client was given unread counts that were cut short, and not been told the whole ones.
bool has_cut_counts(const Poll& poll) {
    return poll.since && (*poll.since)[Stream::cut_counts] != 0;
}

/// What an answer tells up to: of presence, what it may look at.
StreamToken tells_up_to(const SyncCore& core, const Poll& poll, const WatchList::Watch& watch) {
    auto now = core.now();
    now[Stream::presence] =
        core.presence.page_end(poll.since ? (*poll.since)[Stream::presence] : 0, kPresenceLimit);
    now[Stream::shown_typing] = core.typing.shown_to(watch.joined);
    if (poll.since) now[Stream::cut_counts] = (*poll.since)[Stream::cut_counts];
    return now;
}

/// Where the typing is to be told: what changed; and, where memory does not reach back to the token, where
/// its holder saw somebody typing then.
std::vector<RoomNumber> typing_rooms(const SyncCore& core, const Poll& poll, const WatchList::Watch& watch) {
    std::vector<RoomNumber> rooms;
    for (const auto room : core.typing.changed_since(poll.since ? (*poll.since)[Stream::typing] : 0)) {
        if (std::ranges::binary_search(watch.joined, room)) rooms.push_back(room);
    }
    if (poll.since && !core.typing.covers((*poll.since)[Stream::typing])) {
        const auto seen = Typing::read_shown((*poll.since)[Stream::shown_typing], watch.joined);
        rooms.insert(rooms.end(), seen.begin(), seen.end());
    }
    return rooms;
}

/// The rooms that may have something new, `typing` among them; nothing where memory does not reach back to
/// the token.
std::optional<std::vector<RoomNumber>> changed_rooms(const SyncCore& core, const Poll& poll,
                                                     const WatchList::Watch& watch,
                                                     const std::vector<RoomNumber>& typing) {
    const auto& since = poll.since.value();
    if (!core.events.covers(since[Stream::events]) || !core.receipts.covers(since[Stream::receipts]))
        return std::nullopt;
    auto rooms = typing;
    if (has_cut_counts(poll)) {
        const auto counted = core.cache.long_rooms(poll.caller.user, watch.joined);
        if (!counted) return std::nullopt;
        rooms.insert(rooms.end(), counted->begin(), counted->end());
    }
    const auto add = [&](const RoomLog::Entry& entry) {
        if (entry.only == poll.caller.user ||
            (!entry.only && std::ranges::binary_search(watch.joined, entry.room)))
            rooms.push_back(entry.room);
    };
    core.events.since(since[Stream::events], add);
    core.receipts.since(since[Stream::receipts], add);
    std::ranges::sort(rooms);
    const auto doubles = std::ranges::unique(rooms);
    rooms.erase(doubles.begin(), doubles.end());
    return rooms;
}

/// Those whom the person has newly come to share a room with, and who did not change since.
void add_introductions(SyncQuery& query, const SyncCore& core, const WatchList::Watch& watch) {
    for (const auto& [position, user] : watch.introductions) {
        if (position <= (*query.since)[Stream::presence]) continue;
        const auto* known = core.presence.find(user);
        if (known == nullptr || known->state == PresenceState::offline) continue;
        if (std::ranges::find(query.presence, user, &Presence::Change::user) == query.presence.end())
            query.presence.push_back({user, *known});
    }
}

/// What is to be read for the poll; nothing where there is certainly no news.
std::optional<SyncQuery> next_query(const SyncCore& core, const Poll& poll, const WatchList::Watch& watch,
                                    const StreamToken& now) {
    SyncQuery query;
    query.user = poll.caller.user;
    query.user_id = poll.caller.user_id;
    query.device = poll.caller.device;
    query.since = poll.since;
    query.now = now;
    query.parted_at = poll.parted_at;
    query.filter = poll.filter;
    query.full_state = poll.full_state;
    query.state_mode = poll.state_mode;
    query.now_ms = core.clock.now_ms();
    query.account_data_position = watch.account_data_position;
    query.wants_whole_counts = has_cut_counts(poll);
    query.presence =
        core.presence.changed_since(poll.since ? (*poll.since)[Stream::presence] : 0, kPresenceLimit);
    const auto typing = typing_rooms(core, poll, watch);
    if (poll.since) add_introductions(query, core, watch);
    if (poll.since) {
        query.rooms = changed_rooms(core, poll, watch, typing);
        const bool has_account_data = watch.account_data_position > (*poll.since)[Stream::account_data];
        if (poll.may_wait() && query.rooms && query.rooms->empty() && query.presence.empty() &&
            !has_account_data && !query.wants_whole_counts)
            return std::nullopt;
    }
    for (const auto room : typing) query.typing.emplace(room, core.typing.in(room));
    core.cache.fill(query);
    return query;
}

/// Tells that a device is there while its request is under way.
class Present {
  public:
    Present(SyncCore& core, const Caller& caller, PresenceState says)
        : core_(core),
          user_(caller.user),
          poll_(core.presence.poll_begins({caller.user, caller.device}, caller.user_id, says)) {}
    ~Present() { core_.presence.poll_ends(user_, poll_); }
    Present(const Present&) = delete;
    Present& operator=(const Present&) = delete;

  private:
    SyncCore& core_;
    identity::UserNumber user_;
    std::uint64_t poll_;
};

runtime::Task<base::Result<SyncAnswer>> read_answer(SyncCore& core, SyncQuery query) {
    auto shared = std::make_shared<const SyncQuery>(std::move(query));
    auto answer = co_await core.desk.answer(shared);
    if (answer) core.cache.keep(*shared, *answer);
    co_return answer;
}

struct Wish {
    Poll poll;
    std::optional<std::string> filter;
    milliseconds timeout{0};
    PresenceState presence = PresenceState::online;
};

base::Result<Wish> read_wish(const net::Request& request) {
    Wish wish;
    wish.poll.caller = caller_of(request);
    if (const auto since = request.query.get("since"); since && !since->empty()) {
        auto token = StreamToken::parse(*since);
        if (!token) return base::fail(std::move(token.error()));
        wish.poll.since = *token;
    }
    if (const auto filter = request.query.get("filter")) wish.filter = std::string(*filter);
    const auto timeout = read_timeout(request.query);
    const auto full_state = read_flag(request.query, "full_state");
    const auto after = read_flag(request.query, "use_state_after");
    const auto after_unstable = read_flag(request.query, "org.matrix.msc4222.use_state_after");
    if (!timeout) return base::fail(timeout.error());
    for (const auto* flag : {&full_state, &after, &after_unstable}) {
        if (!*flag) return base::fail(flag->error());
    }
    wish.timeout = *timeout;
    wish.poll.full_state = *full_state;
    wish.poll.state_mode = {*after, *after_unstable};
    if (const auto says = request.query.get("set_presence")) {
        const auto presence = parse_presence(*says);
        if (!presence) return bad_parameter("set_presence");
        wish.presence = *presence;
    }
    return wish;
}

/// What there is to tell; nothing, and `poll` is further on, where more is to be waited for. A coroutine of
/// its own, so that nothing of the reading waits along with the request.
runtime::Task<std::optional<net::Response>> tell_news(SyncCore& core, Poll& poll,
                                                      const WatchList::Watch& watch) {
    const auto now = tells_up_to(core, poll, watch);
    auto query = next_query(core, poll, watch, now);
    if (!query) {
        poll.since = now;
        co_return std::nullopt;
    }
    auto answer = co_await read_answer(core, std::move(*query));
    if (!answer) co_return matrix_error(answer.error());
    if (!answer->has_news && poll.may_wait()) {
        poll.since = answer->next_batch;
        co_return std::nullopt;
    }
    core.cache.handed(poll.caller.device, answer->next_batch);
    co_return net::json(200, std::move(answer->body));
}

/// Answers when there is news, or the time is over. All that is kept of a parked request is this frame and
/// `wish`.
runtime::Task<net::Response> answer_poll(SyncCore& core, std::unique_ptr<Wish> wish) {
    auto& poll = wish->poll;
    {
        auto filter = co_await find_filter_of(core, poll.caller.user, std::move(wish->filter));
        if (!filter) co_return matrix_error(filter.error());
        poll.filter = std::move(*filter);
        wish->filter.reset();
    }
    poll.deadline = core.clock.steady_now() + wish->timeout;
    // Taken before the rooms are read, so that no change of them is missed meanwhile.
    const auto watch = core.watches.use(poll.caller.user);
    if (!watch->is_loaded) {
        if (auto loaded = co_await load_watch(core, poll.caller.user, watch); !loaded)
            co_return matrix_error(loaded.error());
    }
    core.cache.forget_sent_unless(poll.caller.device, poll.since);
    const Present present(core, poll.caller, wish->presence);
    for (;;) {
        if (auto answer = co_await tell_news(core, poll, *watch)) co_return std::move(*answer);
        // News while it was being read, or more than fitted.
        if (tells_up_to(core, poll, *watch) != poll.since) continue;
        const auto left = poll.deadline - core.clock.steady_now();
        if (left <= milliseconds{0} || core.is_stopping) break;
        if (has_cut_counts(poll)) continue;
        co_await watch->notifier.wait(left);
        const auto state = co_await boost::asio::this_coro::cancellation_state;
        if (state.cancelled() != boost::asio::cancellation_type::none)
            co_return matrix_error({ErrorKind::cancelled, "chat.client_gone", "The client has gone."});
    }
    core.cache.handed(poll.caller.device, *poll.since);
    co_return net::json(200, empty_answer(*poll.since));
}

runtime::Task<net::Response> refuse(base::Error error) {
    co_return matrix_error(error);
}

}  // namespace

/// No coroutine: the request and its buffers are not to wait along.
runtime::Task<net::Response> sync(SyncCore& core, net::Request request) {
    auto wish = read_wish(request);
    if (!wish) return refuse(std::move(wish.error()));
    if (auto& poll = wish->poll; poll.since) {
        poll.parted_at = core.lives.parted_at(*poll.since, core.now());
        if (poll.parted_at) poll.since.reset();
    }
    return answer_poll(core, std::make_unique<Wish>(std::move(*wish)));
}

runtime::Task<net::Response> define_filter(SyncCore& core, net::Request request) {
    const auto owner = owner_of(request);
    if (!owner) co_return matrix_error(owner.error());
    auto body = body_of(request);
    if (!body) co_return matrix_error(body.error());
    if (auto filter = SyncFilter::parse(*body); !filter) co_return matrix_error(filter.error());
    auto number = co_await core.database.write(
        {"user:" + std::to_string(owner->user.value)},
        [user = owner->user, json = base::json::serialize(*body)](
            storage::Transaction& tx) -> base::Result<std::int64_t> { return put_filter(tx, user, json); });
    if (!number) co_return matrix_error(number.error());
    co_return net::json(200, R"({"filter_id":")" + std::to_string(*number) + "\"}");
}

runtime::Task<net::Response> get_filter(SyncCore& core, net::Request request) {
    const auto owner = owner_of(request);
    if (!owner) co_return matrix_error(owner.error());
    const auto& text = request.value("filterId");
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool is_number = error == std::errc{} && end == text.data() + text.size();
    auto json = co_await core.database.read(
        [user = owner->user, number, is_number](storage::Transaction& tx) -> base::Result<std::string> {
            auto found = is_number ? find_filter(tx, user, number) : std::nullopt;
            if (!found) return base::fail(ErrorKind::not_found, "M_NOT_FOUND", "There is no such filter.");
            return std::move(*found);
        });
    if (!json) co_return matrix_error(json.error());
    co_return net::json(200, std::move(*json));
}

}  // namespace chat
