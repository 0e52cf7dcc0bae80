#include "members/membership_store.h"
#include "sync/endpoints.h"

#include <algorithm>
#include <chrono>

#include <identity/matrix_error.h>
#include <identity/users.h>

namespace chat {
namespace {

using base::ErrorKind;
using identity::matrix_error;
using std::chrono::milliseconds;

constexpr milliseconds kTypingDefault{30'000};
constexpr milliseconds kTypingMost{120'000};
constexpr std::size_t kStatusLimitBytes = 1024;

net::Response bad(std::string_view code, std::string message) {
    return matrix_error({ErrorKind::invalid, std::string(code), std::move(message)});
}

}  // namespace

runtime::Task<net::Response> set_typing(SyncCore& core, net::Request request) {
    const auto owner = owner_of(request);
    if (!owner) co_return matrix_error(owner.error());
    const auto body = body_of(request);
    if (!body) co_return matrix_error(body.error());
    const auto is_typing = base::get_bool(*body, "typing");
    if (!is_typing) co_return bad("M_BAD_JSON", "'typing' has to be true or false.");
    if (base::has_wrong_type(*body, "timeout", base::json::kind::int64))
        co_return bad("M_BAD_JSON", "'timeout' has to be a number of milliseconds.");
    const auto limit =
        std::clamp(milliseconds{base::get_int(*body, "timeout").value_or(kTypingDefault.count())},
                   milliseconds{0}, kTypingMost);
    auto room =
        co_await core.database.read([user = owner->user, room_id = request.value("roomId")](
                                        storage::Transaction& tx) { return joined_room(tx, room_id, user); });
    if (!room) co_return matrix_error(room.error());
    const bool is_news = *is_typing ? core.typing.start(*room, owner->user, owner->user_id, limit)
                                    : core.typing.stop(*room, owner->user);
    if (is_news) core.watches.wake_room(*room);
    co_return net::json(200, "{}");
}

runtime::Task<net::Response> set_presence(SyncCore& core, net::Request request) {
    const auto owner = owner_of(request);
    if (!owner) co_return matrix_error(owner.error());
    const auto body = body_of(request);
    if (!body) co_return matrix_error(body.error());
    const auto word = base::get_string(*body, "presence");
    const auto state = word ? parse_presence(*word) : std::nullopt;
    if (!state) co_return bad("M_BAD_JSON", "'presence' has to be online, unavailable or offline.");
    std::optional<std::string> message;
    if (const auto* value = body->if_contains("status_msg"); value != nullptr && !value->is_null()) {
        if (!value->is_string() || value->get_string().size() > kStatusLimitBytes)
            co_return bad("M_BAD_JSON", "'status_msg' has to be a string of at most 1024 bytes.");
        message = value->get_string();
        auto stored = co_await core.database.write(
            {"user:" + std::to_string(owner->user.value)},
            [user = owner->user, text = *message](storage::Transaction& tx) -> base::Result<void> {
                auto statement = tx.prepare(
                    "INSERT INTO presence_status (user_number, status_message) VALUES (?1, ?2) "
                    "ON CONFLICT (user_number) DO UPDATE SET status_message = ?2");
                statement.bind(user, text);
                statement.run();
                return {};
            });
        if (!stored) co_return matrix_error(stored.error());
    }
    core.presence.set({owner->user, owner->device}, owner->user_id, *state, std::move(message));
    co_return net::json(200, "{}");
}

runtime::Task<net::Response> get_presence(SyncCore& core, net::Request request) {
    const auto caller = caller_of(request);
    auto user =
        co_await core.database.read([me = caller.user, user_id = request.value("userId")](
                                        storage::Transaction& tx) -> base::Result<identity::UserNumber> {
            const auto found = identity::find_user(tx, user_id);
            if (!found) return base::fail(ErrorKind::not_found, "M_NOT_FOUND", "There is no such person.");
            if (*found != me && !share_room(tx, *found, me))
                return base::fail(ErrorKind::forbidden, "M_FORBIDDEN", "You share no room with this person.");
            return *found;
        });
    if (!user) co_return matrix_error(user.error());
    const auto* known = core.presence.find(*user);
    co_return net::json(
        200, Presence::content(known == nullptr ? Presence::Known{} : *known, core.clock.now_ms()));
}

}  // namespace chat
