#include "members/account_news.h"

#include "members/members.h"
#include "rooms/room_plan.h"
#include "timeline/erasure.h"

#include <algorithm>

#include <base/log.h>
#include <identity/users.h>

namespace chat {
namespace {

/// So that people's messages pass between two jobs of somebody with a thousand rooms.
constexpr std::size_t kRoomsAJob = 20;

std::shared_ptr<const RoomRules> rules_of(storage::Transaction& tx, RoomNumber number) {
    const auto room = find_room(tx, number);
    return room ? load_rules(tx, *room) : nullptr;
}

/// The inviter's word carries the person in, where it still counts; a public room needs none.
base::Result<void> let_in(RoomWriter& writer, const Actor& actor,
                          std::optional<identity::UserNumber> inviter) {
    auto& tx = writer.transaction();
    const auto is = find_membership(tx, writer.room().number, actor.user);
    if (is && is->membership != Membership::invite) return {};  // joined, or has decided otherwise since
    if (!is && inviter) {
        const auto host = actor_of(tx, *inviter);
        if (may_invite(tx, writer.rules(), host)) {
            const auto invited = change_membership(
                writer, {.actor = host, .target_id = actor.user_id, .to = Membership::invite});
            if (!invited) return base::fail(invited.error());
        }
    }
    return join_room(writer, actor, std::nullopt);
}

/// The room that the person made first, if there is one.
base::Result<std::optional<std::string>> find_own_room(storage::Transaction& tx, identity::UserNumber user) {
    for (const auto number : rooms_of(tx, user, Membership::join)) {
        const auto room = find_room(tx, number);
        if (room && room->creator == user) return std::optional(room->id.value);
    }
    return std::optional<std::string>{};
}

/// Takes the person out of a few rooms; the last room number that was looked at, or none at the end.
base::Result<RoomNumber> leave_some(Core& core, storage::Transaction& tx, identity::UserNumber user,
                                    RoomNumber after, std::int64_t now_ms) {
    const auto actor = actor_of(tx, user);
    std::size_t left = 0;
    for (const auto& membership : memberships_of(tx, user)) {
        if (membership.room <= after || membership.membership == Membership::leave ||
            membership.membership == Membership::ban) {
            continue;
        }
        if (left++ == kRoomsAJob) return after;
        after = membership.room;
        RoomWriter writer(tx, rules_of(tx, membership.room), now_ms);
        if (auto done = leave_room(writer, actor, std::nullopt); !done) {
            base::log_warning("chat.leaving_failed", {{"room", after.value}, {"code", done.error().code}});
        }
        core.publish_after_commit(writer);
    }
    return RoomNumber{};
}

base::Result<RoomNumber> spread_some(Core& core, storage::Transaction& tx, identity::UserNumber user,
                                     RoomNumber after, std::int64_t now_ms) {
    const auto actor = actor_of(tx, user);
    const auto rooms = rooms_of(tx, user, Membership::join, after, kRoomsAJob);
    for (const auto number : rooms) {
        RoomWriter writer(tx, rules_of(tx, number), now_ms);
        auto content = refreshed_member(writer, actor);
        if (!content) continue;
        const auto written = writer.append_state(actor, "m.room.member", actor.user_id, std::move(*content));
        if (!written) {
            base::log_warning("chat.profile_not_written",
                              {{"room", number.value}, {"code", written.error().code}});
            continue;
        }
        core.publish_after_commit(writer);
    }
    return rooms.size() < kRoomsAJob ? RoomNumber{} : rooms.back();
}

}  // namespace

runtime::Task<base::Result<std::optional<std::string>>> welcome_account(Core& core,
                                                                        identity::AccountCreated account) {
    const Actor actor{
        .user = account.user, .user_id = account.user_id.value, .device = {}, .is_admin = false};
    for (const auto& room_id : account.room_ids) {
        const auto let =
            co_await core.write_in_room(room_id, [actor, inviter = account.inviter](RoomWriter& writer) {
                return let_in(writer, actor, inviter);
            });
        // A room that has closed since is no reason to keep the account out of the others.
        if (!let && let.error().kind != base::ErrorKind::forbidden &&
            let.error().kind != base::ErrorKind::not_found) {
            co_return base::fail(let.error());
        }
    }
    if (!account.first_steps || account.first_steps->room_name.empty())
        co_return std::optional<std::string>{};
    const auto own = co_await core.database.read(
        [user = account.user](storage::Transaction& tx) { return find_own_room(tx, user); });
    if (!own) co_return base::fail(own.error());
    if (*own) co_return *own;
    RoomPlan plan;
    plan.name = account.first_steps->room_name;
    auto made = co_await create_room(core, actor, std::move(plan));
    if (!made) co_return base::fail(std::move(made.error()));
    co_return std::optional(std::move(made->value));
}

runtime::Task<base::Result<void>> spread_profile(Core& core, identity::UserNumber user) {
    RoomNumber after;
    do {
        const auto next = co_await core.database.write(
            {"account:" + std::to_string(user.value)},
            [&core, user, after, now_ms = core.clock.now_ms()](storage::Transaction& tx) {
                return spread_some(core, tx, user, after, now_ms);
            });
        if (!next) co_return base::fail(next.error());
        after = *next;
    } while (after);
    co_return base::Result<void>{};
}

runtime::Task<base::Result<void>> remove_account(Core& core, identity::UserNumber user, bool erase) {
    RoomNumber after;
    do {
        const auto next = co_await core.database.write(
            {"account:" + std::to_string(user.value)},
            [&core, user, after, now_ms = core.clock.now_ms()](storage::Transaction& tx) {
                return leave_some(core, tx, user, after, now_ms);
            });
        if (!next) co_return base::fail(next.error());
        after = *next;
    } while (after);
    if (erase) co_return co_await erase_messages(core, user);
    co_return base::Result<void>{};
}

}  // namespace chat
