#include "house.h"

#include <gtest/gtest.h>

namespace chat {
namespace {

std::string rooms_path(const std::string& room, const std::string& rest) {
    return "/_matrix/client/v3/rooms/" + in_path(room) + "/" + rest;
}

struct MembershipApi : testing::Test {
    House house;
    Actor alice = house.person("alice");
    Actor bob = house.person("bob");
    Actor carol = house.person("carol");

    std::string membership(const std::string& room, const Actor& who) {
        const auto content = house.state(alice, room, "m.room.member", who.user_id);
        return content.is_object() ? std::string(content.at("membership").as_string()) : "";
    }
    Reply act(const std::string& what, const std::string& room, const Actor& actor, const Actor& target) {
        return house.post(rooms_path(room, what), actor,
                          {{"user_id", target.user_id}, {"reason", "because"}});
    }
};

TEST_F(MembershipApi, invites_joins_and_leaves) {
    const auto room = house.room(alice);
    EXPECT_EQ(house.post(rooms_path(room, "join"), bob).errcode(), "M_FORBIDDEN");
    EXPECT_EQ(act("invite", room, bob, carol).errcode(), "M_FORBIDDEN");
    EXPECT_EQ(act("invite", room, alice, bob).status, 200);
    EXPECT_EQ(act("invite", room, alice, bob).status, 200);  // again
    EXPECT_EQ(house.state(alice, room, "m.room.member", "@bob:x").at("reason").as_string(), "because");
    EXPECT_EQ(house.post(rooms_path(room, "join"), bob).text("room_id"), room);
    EXPECT_EQ(house.post(rooms_path(room, "join"), bob).text("room_id"), room);  // again
    EXPECT_EQ(act("invite", room, alice, bob).errcode(), "M_FORBIDDEN");
    EXPECT_EQ(house.get("/_matrix/client/v3/joined_rooms", bob).object().at("joined_rooms").at(0).as_string(),
              room);
    EXPECT_EQ(house.post(rooms_path(room, "leave"), bob).status, 200);
    EXPECT_EQ(house.post(rooms_path(room, "leave"), bob).status, 200);  // again
    EXPECT_EQ(house.post(rooms_path(room, "leave"), carol).errcode(), "M_FORBIDDEN");
    EXPECT_EQ(membership(room, bob), "leave");
    EXPECT_EQ(house.post(rooms_path(room, "join"), bob).errcode(), "M_FORBIDDEN");
}

TEST_F(MembershipApi, refuses_people_that_there_are_not) {
    const auto room = house.room(alice);
    EXPECT_EQ(house.post(rooms_path(room, "invite"), alice, {{"user_id", "@nobody:x"}}).errcode(),
              "M_NOT_FOUND");
    EXPECT_EQ(house.post(rooms_path(room, "invite"), alice, {{"user_id", "nobody"}}).errcode(),
              "M_INVALID_PARAM");
    EXPECT_EQ(house.post(rooms_path(room, "invite"), alice).errcode(), "M_MISSING_PARAM");
    EXPECT_EQ(house.post("/_matrix/client/v3/join/" + in_path("!nowhere"), bob).errcode(), "M_NOT_FOUND");
    EXPECT_EQ(house.post("/_matrix/client/v3/join/" + in_path("#nowhere:x"), bob).errcode(), "M_NOT_FOUND");
    EXPECT_EQ(house.post("/_matrix/client/v3/join/nonsense", bob).errcode(), "M_INVALID_PARAM");
}

TEST_F(MembershipApi, kicks_bans_and_lifts_bans) {
    const auto room = house.room(alice, {{"preset", "public_chat"}});
    house.join(bob, room);
    EXPECT_EQ(act("kick", room, bob, alice).errcode(), "M_FORBIDDEN");
    EXPECT_EQ(act("kick", room, alice, carol).errcode(), "M_FORBIDDEN");  // not there
    EXPECT_EQ(act("kick", room, alice, bob).status, 200);
    EXPECT_EQ(membership(room, bob), "leave");
    house.join(bob, room);
    EXPECT_EQ(act("unban", room, alice, bob).errcode(), "M_FORBIDDEN");
    EXPECT_EQ(act("ban", room, alice, bob).status, 200);
    EXPECT_EQ(house.post(rooms_path(room, "join"), bob).errcode(), "M_FORBIDDEN");
    EXPECT_EQ(act("invite", room, alice, bob).errcode(), "M_FORBIDDEN");
    EXPECT_EQ(act("unban", room, alice, bob).status, 200);
    house.join(bob, room);
}

TEST_F(MembershipApi, forgets_what_was_left_only) {
    const auto room = house.room(alice, {{"preset", "public_chat"}});
    house.join(bob, room);
    const auto said = house.say(alice, room, "x");
    EXPECT_EQ(house.post(rooms_path(room, "forget"), bob).errcode(), "M_UNKNOWN");
    EXPECT_EQ(house.post(rooms_path(room, "leave"), bob).status, 200);
    EXPECT_EQ(house.get(rooms_path(room, "event/" + in_path(said)), bob).status, 200);
    EXPECT_EQ(house.post(rooms_path(room, "forget"), bob).status, 200);
    EXPECT_EQ(house.post(rooms_path(room, "forget"), bob).status, 200);
    EXPECT_EQ(house.get(rooms_path(room, "event/" + in_path(said)), bob).status, 404);
    EXPECT_EQ(house.get(rooms_path(room, "messages?dir=b"), bob).errcode(), "M_FORBIDDEN");
    house.join(bob, room);
    EXPECT_EQ(house.get(rooms_path(room, "event/" + in_path(said)), bob).status, 200);
}

TEST_F(MembershipApi, knocks_where_that_is_the_rule) {
    const auto closed = house.room(alice);
    EXPECT_EQ(house.post("/_matrix/client/v3/knock/" + in_path(closed), bob).errcode(), "M_FORBIDDEN");
    const auto room = house.room(
        alice, {{"initial_state",
                 base::json::array{{{"type", "m.room.join_rules"}, {"content", {{"join_rule", "knock"}}}}}}});
    EXPECT_EQ(
        house.post("/_matrix/client/v3/knock/" + in_path(room), bob, {{"reason", "hi"}}).text("room_id"),
        room);
    EXPECT_EQ(membership(room, bob), "knock");
    EXPECT_EQ(act("invite", room, alice, bob).status, 200);
    house.join(bob, room);
}

TEST_F(MembershipApi, joins_a_restricted_room_through_a_room_it_names) {
    const auto space = house.room(alice, {{"preset", "public_chat"}});
    const auto room = house.restricted_room(alice, space);
    EXPECT_EQ(house.post(rooms_path(room, "join"), bob).errcode(), "M_FORBIDDEN");
    house.join(bob, space);
    house.join(bob, room);
    EXPECT_EQ(house.state(alice, room, "m.room.member", "@bob:x")
                  .at("join_authorised_via_users_server")
                  .as_string(),
              "@alice:x");
}

TEST_F(MembershipApi, nobody_vouches_for_themselves_into_a_restricted_room) {
    const auto space = house.room(alice, {{"preset", "public_chat"}});
    const auto room = house.restricted_room(alice, space);
    const base::json::object claim{{"membership", "join"}, {"join_authorised_via_users_server", "@alice:x"}};
    const auto own_member = rooms_path(room, "state/m.room.member/" + in_path("@bob:x"));
    EXPECT_EQ(house.put(own_member, bob, claim).errcode(), "M_FORBIDDEN");
    EXPECT_EQ(membership(room, bob), "");

    house.join(bob, space);
    EXPECT_EQ(house.put(own_member, bob, {{"membership", "join"}}).status, 200);
    EXPECT_EQ(house.state(alice, room, "m.room.member", "@bob:x")
                  .at("join_authorised_via_users_server")
                  .as_string(),
              "@alice:x");
    // A client that changes its name sends the old content back.
    EXPECT_EQ(house.put(own_member, bob, claim).status, 200);
    EXPECT_FALSE(house.state(alice, room, "m.room.member", "@bob:x")
                     .as_object()
                     .contains("join_authorised_via_users_server"));
}

TEST_F(MembershipApi, invites_nobody_who_was_deactivated_by_whatever_way) {
    const auto room = house.room(alice);
    ASSERT_TRUE(house.write([&](storage::Transaction& tx) -> base::Result<bool> {
        auto statement =
            tx.prepare("UPDATE identity_accounts SET deactivated_at_ms = 1 WHERE user_number = ?1");
        statement.bind(bob.user);
        return statement.run() == 1;
    }));
    const base::json::object invitation{{"membership", "invite"}};
    EXPECT_EQ(act("invite", room, alice, bob).errcode(), "M_NOT_FOUND");
    EXPECT_EQ(
        house.put(rooms_path(room, "state/m.room.member/" + in_path("@bob:x")), alice, invitation).errcode(),
        "M_NOT_FOUND");
    EXPECT_EQ(house
                  .post("/_matrix/client/v3/createRoom", alice,
                        {{"initial_state", base::json::array{{{"type", "m.room.member"},
                                                              {"state_key", "@bob:x"},
                                                              {"content", invitation}}}}})
                  .errcode(),
              "M_INVALID_PARAM");
    EXPECT_EQ(membership(room, bob), "");
}

TEST_F(MembershipApi, tells_an_outsider_nothing_of_who_is_in_a_room) {
    const auto room = house.room(alice);
    for (const auto* what : {"kick", "unban"}) {
        const auto of_member = act(what, room, carol, alice);
        const auto of_stranger = act(what, room, carol, bob);
        EXPECT_EQ(of_member.status, 403) << what;
        EXPECT_EQ(of_member.body, of_stranger.body) << what;
    }
}

TEST_F(MembershipApi, carries_out_the_news_of_accounts) {
    const auto room = house.room(alice);
    auto hooks = house.chat().hooks();
    const identity::AccountCreated news{.user = bob.user,
                                        .user_id = identity::UserId("@bob:x"),
                                        .inviter = alice.user,
                                        .room_ids = {room, "!gone"},
                                        .first_steps = {}};
    ASSERT_TRUE(house.await(hooks.account_created(news)));
    EXPECT_EQ(membership(room, bob), "join");
    const auto told = house.news.size();
    ASSERT_TRUE(house.await(hooks.account_created(news)));  // once more
    EXPECT_EQ(house.news.size(), told);

    const identity::AccountCreated first_of_all{
        .user = carol.user,
        .user_id = identity::UserId("@carol:x"),
        .inviter = {},
        .room_ids = {},
        .first_steps = identity::FirstSteps{"客厅", "zh", "Asia/Shanghai"}};
    const auto first = house.await(hooks.account_created(first_of_all));
    ASSERT_TRUE(first && *first);
    EXPECT_EQ(house.state(carol, **first, "m.room.name").at("name").as_string(), "客厅");
    const auto again = house.await(hooks.account_created(first_of_all));  // once more
    ASSERT_TRUE(again && *again);
    EXPECT_EQ(**again, **first);

    const auto sees = house.read([&](storage::Transaction& tx) -> base::Result<std::vector<bool>> {
        const auto finds = hooks.findable_by(tx, alice.user);
        return std::vector{finds(bob.user), finds(carol.user), hooks.may_invite_to(tx, alice.user, room),
                           hooks.may_invite_to(tx, carol.user, room)};
    });
    EXPECT_EQ(*sees, (std::vector{true, false, true, false}));
}

TEST_F(MembershipApi, lets_people_of_rooms_that_are_open_to_all_be_found) {
    const auto hooks = house.chat().hooks();
    const auto dora = house.person("dora");
    const auto finds = [&](const Actor& candidate) {
        return *house.read([&](storage::Transaction& tx) -> base::Result<bool> {
            return hooks.findable_by(tx, dora.user)(candidate.user);
        });
    };
    const auto shared = house.room(alice, {{"invite", {dora.user_id}}});
    EXPECT_FALSE(finds(alice)) << "an invitation is no room that is shared";
    house.join(dora, shared);
    EXPECT_TRUE(finds(alice));

    const auto square = house.room(bob, {{"preset", "public_chat"}});
    EXPECT_TRUE(finds(bob));
    const auto window = house.room(carol);
    EXPECT_FALSE(finds(carol));
    const auto world = base::json::object{{"history_visibility", "world_readable"}};
    ASSERT_EQ(house.put(rooms_path(window, "state/m.room.history_visibility"), carol, world).status, 200);
    EXPECT_TRUE(finds(carol));
    ASSERT_EQ(house.put(rooms_path(square, "state/m.room.join_rules"), bob, {{"join_rule", "invite"}}).status,
              200);
    EXPECT_FALSE(finds(bob));
}

TEST_F(MembershipApi, spreads_a_new_name_into_every_room_once) {
    std::vector<std::string> rooms;
    for (int i = 0; i < 45; ++i) rooms.push_back(house.room(alice));
    const auto hooks = house.chat().hooks();
    const auto renamed = house.write([&](storage::Transaction& tx) -> base::Result<bool> {
        auto statement =
            tx.prepare("UPDATE identity_accounts SET display_name = 'Neu' WHERE user_number = ?1");
        statement.bind(alice.user);
        return statement.run() == 1;
    });
    ASSERT_TRUE(renamed);
    const auto before = house.news.size();
    ASSERT_TRUE(house.await(hooks.profile_changed(alice.user)));
    EXPECT_EQ(house.news.size(), before + 45);
    for (const auto& room : rooms) {
        EXPECT_EQ(house.state(alice, room, "m.room.member", "@alice:x").at("displayname").as_string(), "Neu");
    }
    ASSERT_TRUE(house.await(hooks.profile_changed(alice.user)));
    EXPECT_EQ(house.news.size(), before + 45);
}

TEST_F(MembershipApi, takes_an_account_out_and_erases_its_words) {
    const auto room = house.room(alice, {{"preset", "public_chat"}});
    house.join(bob, room);
    const auto said = house.say(bob, room, "bobs-secret");
    const auto kept = house.say(alice, room, "kept");
    const auto hooks = house.chat().hooks();
    ASSERT_TRUE(house.await(hooks.account_deactivated(bob.user, true)));
    EXPECT_EQ(membership(room, bob), "leave");
    const auto event = house.get(rooms_path(room, "event/" + in_path(said)), alice);
    EXPECT_TRUE(event.object().at("content").as_object().empty());
    EXPECT_TRUE(event.object().at("unsigned").as_object().contains("redacted_because"));
    EXPECT_FALSE(house.get(rooms_path(room, "event/" + in_path(kept)), alice)
                     .object()
                     .at("content")
                     .as_object()
                     .empty());
    const auto found = house.read([](storage::Transaction& tx) -> base::Result<std::int64_t> {
        auto statement = tx.prepare(
            "SELECT count(*) FROM event WHERE json LIKE '%bobs-secret%' OR json LIKE '%Name of bob%'");
        statement.step();
        return statement.integer(0);
    });
    EXPECT_EQ(*found, 0);
    ASSERT_TRUE(house.await(hooks.account_deactivated(bob.user, true)));  // once more
}

}  // namespace
}  // namespace chat
