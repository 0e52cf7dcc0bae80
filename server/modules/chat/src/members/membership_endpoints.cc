#include "endpoints.h"
#include "members/members.h"

#include <base/json.h>
#include <identity/body.h>
#include <identity/matrix_error.h>
#include <identity/users.h>

namespace chat {
namespace {

constexpr std::size_t kReasonLimitBytes = 4096;

std::unexpected<base::Error> refuse(std::string message) {
    return base::fail(base::ErrorKind::forbidden, "M_FORBIDDEN", std::move(message));
}

/// {"user_id", "reason"} of invite, kick, ban and unban.
struct TargetBody {
    std::string user_id;
    std::optional<std::string> reason;
};

base::Result<std::optional<std::string>> read_reason(identity::Body& body) {
    auto reason = body.optional_string("reason");
    if (body.failed()) return base::fail(body.error());
    if (reason && reason->size() > kReasonLimitBytes) {
        return base::fail(base::ErrorKind::invalid, "M_INVALID_PARAM", "The reason is too long.");
    }
    return reason;
}

base::Result<TargetBody> read_target(const net::Request& request) {
    identity::Body body(request);
    TargetBody target{.user_id = body.string("user_id"), .reason = {}};
    auto reason = read_reason(body);
    if (!reason) return base::fail(std::move(reason.error()));
    if (!identity::is_user_id(target.user_id)) {
        return base::fail(base::ErrorKind::invalid, "M_INVALID_PARAM", "'user_id' is no user id.");
    }
    target.reason = std::move(*reason);
    return target;
}

Membership membership_of(RoomWriter& writer, const std::string& user_id) {
    const auto user = identity::find_user(writer.transaction(), user_id);
    const auto found =
        user ? find_membership(writer.transaction(), writer.room().number, *user) : std::nullopt;
    return found ? found->membership : Membership::none;
}

using Precondition = base::Result<void> (*)(Membership target_is);

/// Changes somebody else's membership, where what they are now allows to speak of it so.
Answer change_other(Core& core, net::Request request, Membership to, Precondition precondition) {
    auto target = read_target(request);
    if (!target) co_return identity::matrix_error(target.error());
    MemberChange change{.actor = actor_of(request),
                        .target_id = std::move(target->user_id),
                        .to = to,
                        .reason = std::move(target->reason)};
    co_return empty_answer(co_await core.write_in_room(
        request.value("roomId"),
        [change = std::move(change), precondition](RoomWriter& writer) -> base::Result<void> {
            // Before anything that tells an outsider who is in there.
            if (membership_of(writer, change.actor.user_id) != Membership::join)
                return base::fail(Core::not_in_room());
            if (auto met = precondition(membership_of(writer, change.target_id)); !met) return met;
            const auto changed = change_membership(writer, change);
            if (!changed) return base::fail(changed.error());
            return {};
        }));
}

/// The room that "!id" or "#alias:server" means. Errors: M_NOT_FOUND, M_INVALID_PARAM.
runtime::Task<base::Result<std::string>> resolve_room(Core& core, std::string id_or_alias) {
    if (id_or_alias.starts_with('!')) co_return id_or_alias;
    if (!id_or_alias.starts_with('#')) {
        co_return base::fail(base::ErrorKind::invalid, "M_INVALID_PARAM", "This is no room id and no alias.");
    }
    co_return co_await core.database.read(
        [alias = std::move(id_or_alias)](storage::Transaction& tx) -> base::Result<std::string> {
            const auto found = find_alias(tx, alias);
            const auto room = found ? find_room(tx, found->room) : std::nullopt;
            if (!room)
                return base::fail(base::ErrorKind::not_found, "M_NOT_FOUND", "There is no such alias.");
            return room->id.value;
        });
}

net::Response room_id_answer(const base::Result<void>& result, const std::string& room_id) {
    if (!result) return identity::matrix_error(result.error());
    return net::json(200, base::json::value{{"room_id", room_id}});
}

Answer join(Core& core, Actor actor, std::string room_id, std::optional<std::string> reason) {
    const auto joined = co_await core.write_in_room(
        room_id,
        [actor = std::move(actor), reason = std::move(reason)](RoomWriter& writer) {
            return join_room(writer, actor, reason);
        },
        Core::no_such_room());
    co_return room_id_answer(joined, room_id);
}

}  // namespace

Answer get_joined_rooms(Core& core, net::Request request) {
    auto read = [user = actor_of(request).user](storage::Transaction& tx) -> base::Result<std::string> {
        base::json::array ids;
        for (const auto number : rooms_of(tx, user, Membership::join)) {
            if (const auto room = find_room(tx, number)) ids.emplace_back(room->id.value);
        }
        return base::json::serialize(base::json::object{{"joined_rooms", std::move(ids)}});
    };
    co_return answer(co_await core.database.read(std::move(read)));
}

Answer invite_user(Core& core, net::Request request) {
    if (const identity::Body body(request); !body.has("user_id") && body.has("address")) {
        co_return identity::matrix_error({base::ErrorKind::forbidden, "M_THREEPID_DENIED",
                                          "This server keeps no e-mail addresses or telephone numbers."});
    }
    co_return co_await change_other(core, std::move(request), Membership::invite,
                                    [](Membership) -> base::Result<void> { return {}; });
}

Answer kick(Core& core, net::Request request) {
    co_return co_await change_other(
        core, std::move(request), Membership::leave, [](Membership target_is) -> base::Result<void> {
            if (target_is == Membership::join || target_is == Membership::invite ||
                target_is == Membership::knock) {
                return {};
            }
            return refuse("This person is not in the room.");
        });
}

Answer ban(Core& core, net::Request request) {
    co_return co_await change_other(core, std::move(request), Membership::ban,
                                    [](Membership) -> base::Result<void> { return {}; });
}

Answer unban(Core& core, net::Request request) {
    co_return co_await change_other(core, std::move(request), Membership::leave,
                                    [](Membership target_is) -> base::Result<void> {
                                        if (target_is == Membership::ban) return {};
                                        return refuse("This person is not banned.");
                                    });
}

Answer join_room_by_id(Core& core, net::Request request) {
    identity::Body body(request);
    auto reason = read_reason(body);
    if (!reason) co_return identity::matrix_error(reason.error());
    co_return co_await join(core, actor_of(request), request.value("roomId"), std::move(*reason));
}

Answer join_room_endpoint(Core& core, net::Request request) {
    identity::Body body(request);
    auto reason = read_reason(body);
    if (!reason) co_return identity::matrix_error(reason.error());
    auto room_id = co_await resolve_room(core, request.value("roomIdOrAlias"));
    if (!room_id) co_return identity::matrix_error(room_id.error());
    co_return co_await join(core, actor_of(request), std::move(*room_id), std::move(*reason));
}

Answer knock_room(Core& core, net::Request request) {
    identity::Body body(request);
    auto reason = read_reason(body);
    if (!reason) co_return identity::matrix_error(reason.error());
    auto room_id = co_await resolve_room(core, request.value("roomIdOrAlias"));
    if (!room_id) co_return identity::matrix_error(room_id.error());
    const auto actor = actor_of(request);
    MemberChange change{
        .actor = actor, .target_id = actor.user_id, .to = Membership::knock, .reason = std::move(*reason)};
    const auto knocked = co_await core.write_in_room(
        *room_id,
        [change = std::move(change)](RoomWriter& writer) -> base::Result<void> {
            const auto changed = change_membership(writer, change);
            if (!changed) return base::fail(changed.error());
            return {};
        },
        Core::no_such_room());
    co_return room_id_answer(knocked, *room_id);
}

Answer leave_room_endpoint(Core& core, net::Request request) {
    identity::Body body(request);
    auto reason = read_reason(body);
    if (!reason) co_return identity::matrix_error(reason.error());
    co_return empty_answer(co_await core.write_in_room(
        request.value("roomId"), [actor = actor_of(request), reason = std::move(*reason)](
                                     RoomWriter& writer) { return leave_room(writer, actor, reason); }));
}

Answer forget_room(Core& core, net::Request request) {
    co_return empty_answer(co_await core.write_in_room(
        request.value("roomId"), [actor = actor_of(request)](RoomWriter& writer) -> base::Result<void> {
            const auto membership = find_membership(writer.transaction(), writer.room().number, actor.user);
            if (!membership) return base::fail(Core::not_in_room());
            if (membership->membership != Membership::leave && membership->membership != Membership::ban) {
                return base::fail(base::ErrorKind::invalid, "M_UNKNOWN",
                                  "Leave the room before you forget it.");
            }
            set_forgotten(writer.transaction(), writer.room().number, actor.user);
            return {};
        }));
}

}  // namespace chat
