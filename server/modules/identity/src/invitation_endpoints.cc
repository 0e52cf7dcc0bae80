#include "account_store.h"
#include "endpoints.h"
#include "invitation_store.h"

#include <algorithm>

#include <identity/body.h>
#include <identity/matrix_error.h>

namespace identity {
namespace {

using base::ErrorKind;

constexpr std::size_t kTokenCharacters = 24;
constexpr std::size_t kRoomsLimit = 20;
constexpr std::int64_t kUsesLimit = 10'000;
constexpr std::int64_t kExpiryLimitSeconds = std::int64_t{10} * 366 * 24 * 60 * 60;
constexpr std::int64_t kInvitationsLimit = 200;  // of one inviter
constexpr std::size_t kListLimit = 1000;

struct Shown {
    Invitation invitation;
    UserId inviter;
};

base::json::object invitation_json(const Core& core, const Shown& shown) {
    const auto& invitation = shown.invitation;
    base::json::array rooms;
    for (const auto& id : invitation.room_ids) rooms.emplace_back(id);
    base::json::object body{
        {"token", invitation.token},    {"url", core.options.public_url + "/invite#" + invitation.token},
        {"uses_left", nullptr},         {"expires_at_ms", nullptr},
        {"room_ids", std::move(rooms)}, {"inviter", shown.inviter.value}};
    if (invitation.uses_left) body["uses_left"] = *invitation.uses_left;
    if (invitation.expires_at_ms) body["expires_at_ms"] = *invitation.expires_at_ms;
    return body;
}

/// What the inviter wishes. Errors: M_BAD_JSON, M_INVALID_PARAM (invalid).
base::Result<Invitation> read_invitation_wish(Body& body, std::int64_t now_ms) {
    Invitation invitation{.uses_left = body.optional_int("uses"), .created_at_ms = now_ms};
    const auto expires_in_seconds = body.optional_int("expires_in_seconds");
    const auto* rooms = body.optional_array("room_ids");
    if (body.failed()) return base::fail(body.error());
    if (invitation.uses_left && (*invitation.uses_left < 1 || *invitation.uses_left > kUsesLimit)) {
        return base::fail(ErrorKind::invalid, "M_INVALID_PARAM", "'uses' is between 1 and 10000, or null.");
    }
    if (expires_in_seconds) {
        if (*expires_in_seconds < 1 || *expires_in_seconds > kExpiryLimitSeconds) {
            return base::fail(ErrorKind::invalid, "M_INVALID_PARAM", "'expires_in_seconds' is out of range.");
        }
        invitation.expires_at_ms = now_ms + *expires_in_seconds * 1000;
    }
    if (rooms == nullptr) return invitation;
    if (rooms->size() > kRoomsLimit) {
        return base::fail(ErrorKind::invalid, "M_INVALID_PARAM",
                          "An invitation leads into at most 20 rooms.");
    }
    for (const auto& id : *rooms) {
        if (!id.is_string() || !id.get_string().starts_with('!')) {
            return base::fail(ErrorKind::invalid, "M_BAD_JSON", "'room_ids' holds room ids.");
        }
        std::string room(id.get_string());
        if (std::ranges::find(invitation.room_ids, room) == invitation.room_ids.end()) {
            invitation.room_ids.push_back(std::move(room));
        }
    }
    return invitation;
}

}  // namespace

runtime::Task<net::Response> create_invitation(Core& core, net::Request request) {
    if (core.options.registration == Registration::closed) {
        co_return matrix_error(
            {ErrorKind::forbidden, "M_FORBIDDEN", "This server does not take registrations."});
    }
    const auto now_ms = core.clock.now_ms();
    Body body(request);
    auto wish = read_invitation_wish(body, now_ms);
    if (!wish) co_return matrix_error(wish.error());
    wish->token = core.random.alphanumeric(kTokenCharacters);
    wish->inviter = user_of(request);
    const auto made = co_await core.database.write(
        order_of(wish->inviter),
        [invitation = std::move(*wish), now_ms,
         may_invite_to = core.hooks.may_invite_to](storage::Transaction& tx) -> base::Result<Shown> {
            purge_invitations(tx, now_ms);
            if (count_invitations(tx, invitation.inviter) >= kInvitationsLimit) {
                return base::fail(ErrorKind::exhausted, "M_RESOURCE_LIMIT_EXCEEDED",
                                  "You have 200 invitations open; end some of them first.");
            }
            for (const auto& room : invitation.room_ids) {
                if (!may_invite_to || !may_invite_to(tx, invitation.inviter, room)) {
                    return base::fail(ErrorKind::forbidden, "M_FORBIDDEN",
                                      "You may not invite into this room.");
                }
            }
            insert_invitation(tx, invitation);
            return Shown{invitation, user_id_of(tx, invitation.inviter)};
        });
    if (!made) co_return matrix_error(made.error());
    co_return net::json(200, invitation_json(core, *made));
}

runtime::Task<net::Response> list_own_invitations(Core& core, net::Request request) {
    std::optional<UserNumber> whose = user_of(request);
    const auto all = request.query.get("all").value_or("false");
    if (all != "true" && all != "false") {
        co_return matrix_error({ErrorKind::invalid, "M_INVALID_PARAM", "'all' is true or false."});
    }
    if (all == "true") {
        if (!request.principal->is_admin) {
            co_return matrix_error(
                {ErrorKind::forbidden, "M_FORBIDDEN", "Only administrators see everyone's."});
        }
        whose.reset();
    }
    const auto found =
        co_await core.database.read([whose](storage::Transaction& tx) -> base::Result<std::vector<Shown>> {
            std::vector<Shown> shown;
            for (auto& invitation : list_invitations(tx, whose, kListLimit)) {
                auto inviter = user_id_of(tx, invitation.inviter);
                shown.push_back({std::move(invitation), std::move(inviter)});
            }
            return shown;
        });
    if (!found) co_return matrix_error(found.error());
    base::json::array rows;
    for (const auto& shown : *found) rows.push_back(invitation_json(core, shown));
    co_return net::json(200, base::json::object{{"invitations", std::move(rows)}});
}

runtime::Task<net::Response> end_invitation(Core& core, net::Request request) {
    std::optional<UserNumber> whose = user_of(request);
    if (request.principal->is_admin) whose.reset();
    const auto done = co_await core.database.write(
        order_of(user_of(request)),
        [whose, token = request.value("token")](storage::Transaction& tx) -> base::Result<void> {
            if (delete_invitation(tx, token, whose)) return {};
            return base::fail(ErrorKind::not_found, "M_NOT_FOUND", "You have no such invitation.");
        });
    if (!done) co_return matrix_error(done.error());
    co_return net::json(200, "{}");
}

runtime::Task<net::Response> preview_invitation(Core& core, net::Request request) {
    Body body(request);
    auto token = body.string("token");
    if (body.failed()) co_return matrix_error(body.error());
    const auto answer = co_await core.database.read(
        [token = std::move(token), server = core.name, now_ms = core.clock.now_ms(),
         closed = core.options.registration == Registration::closed,
         room_names = core.hooks.room_names](storage::Transaction& tx) -> base::Result<std::string> {
            base::json::object preview{{"valid", false},
                                       {"server_name", server},
                                       {"inviter", nullptr},
                                       {"rooms", base::json::array{}},
                                       {"expires_at_ms", nullptr}};
            const auto invitation = find_invitation(tx, token, now_ms);
            if (!invitation || closed) return base::json::serialize(preview);
            preview["valid"] = true;
            const auto profile = member_profile_of(tx, invitation->inviter);
            base::json::object inviter{{"user_id", user_id_of(tx, invitation->inviter).value},
                                       {"display_name", nullptr},
                                       {"avatar_url", nullptr}};
            if (profile.display_name) inviter["display_name"] = *profile.display_name;
            if (profile.avatar_url) inviter["avatar_url"] = *profile.avatar_url;
            preview["inviter"] = std::move(inviter);
            if (room_names) {
                base::json::array rooms;
                for (const auto& room : room_names(tx, invitation->room_ids)) {
                    rooms.push_back(base::json::object{{"room_id", room.room_id}, {"name", room.name}});
                }
                preview["rooms"] = std::move(rooms);
            }
            if (invitation->expires_at_ms) preview["expires_at_ms"] = *invitation->expires_at_ms;
            return base::json::serialize(preview);
        });
    if (!answer) co_return matrix_error(answer.error());
    co_return net::json(200, *answer);
}

}  // namespace identity
