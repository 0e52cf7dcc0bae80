#include "sync_client.h"

namespace chat {
namespace {

TEST_F(SyncAnswers, give_a_newly_joined_room_whole) {
    auto room = server.room(ann);
    for (int i = 0; i < 12; ++i) server.say(room, ann, std::to_string(i));
    Client client(server, bob, R"({"room":{"timeline":{"limit":2},"state":{"lazy_load_members":false}}})");
    client.sync();
    ASSERT_TRUE(server.member(room, bob, bob, "join"));
    const auto answer = client.sync();
    const auto& seen = joined(answer, room);
    EXPECT_TRUE(seen.at("timeline").at("limited").as_bool());
    EXPECT_EQ(state_keys(seen), (std::set<std::string>{"m.room.create|", "m.room.join_rules|",
                                                       "m.room.member|@ann:x", "m.room.power_levels|"}));
    EXPECT_EQ(seen.at("summary").at("m.heroes").at(0), "@ann:x");
}

TEST_F(SyncAnswers, keep_what_was_said_before_a_join_from_those_who_may_not_see_it) {
    auto room = server.room(ann);
    ASSERT_TRUE(room.append_state(ann, "m.room.history_visibility", "", {{"history_visibility", "joined"}}));
    server.say(room, ann, "secret");
    ASSERT_TRUE(server.member(room, bob, bob, "join"));
    server.say(room, ann, "hello");
    Client client(server, bob, R"({"room":{"timeline":{"limit":50}}})");
    EXPECT_EQ(bodies(joined(client.sync(), room)), "hello ");
}

TEST_F(SyncAnswers, tell_invitations_by_stripped_state_but_not_those_of_the_ignored) {
    auto room = server.room(ann);
    Client client(server, bob);
    client.sync();
    ASSERT_TRUE(server.member(room, ann, bob, "invite"));
    const auto answer = client.sync();
    const auto* invited = section(answer, "invite", room);
    ASSERT_NE(invited, nullptr);
    EXPECT_EQ(keys(invited->at("invite_state").at("events")),
              (std::set<std::string>{"m.room.create|", "m.room.join_rules|", "m.room.member|@ann:x",
                                     "m.room.member|@bob:x"}));
    EXPECT_TRUE(client.sync().at("rooms").at("invite").as_object().empty());

    Client second(server, bob);
    put_account_data(server.tx(), bob.user, kNoRoom, "m.ignored_user_list",
                     R"({"ignored_users":{"@ann:x":{}}})");
    EXPECT_EQ(section(second.sync(), "invite", room), nullptr);
    put_account_data(server.tx(), bob.user, kNoRoom, "m.ignored_user_list", R"({"ignored_users":{}})");
    EXPECT_NE(section(second.sync(), "invite", room), nullptr) << "it was kept back until now";
    EXPECT_EQ(section(second.sync(), "invite", room), nullptr);
}

TEST_F(SyncAnswers, tell_that_an_invitation_was_taken_back) {
    auto room = server.room(ann);
    server.say(room, ann, "among us");
    ASSERT_TRUE(server.member(room, ann, bob, "invite"));
    Client client(server, bob);
    client.sync();
    ASSERT_TRUE(server.member(room, ann, bob, "leave"));
    const auto answer = client.sync();
    const auto* left = section(answer, "leave", room);
    ASSERT_NE(left, nullptr);
    ASSERT_EQ(left->at("timeline").at("events").as_array().size(), 1U);
    EXPECT_TRUE(left->at("state").at("events").as_array().empty());
}

TEST_F(SyncAnswers, tell_the_end_of_an_invitation_in_the_state_after_too) {
    auto room = server.room(ann);
    ASSERT_TRUE(room.append_state(ann, "m.room.name", "", {{"name", "among us"}}));
    ASSERT_TRUE(server.member(room, ann, bob, "invite"));
    Client client(server, bob);
    client.state_mode.after = true;
    client.sync();
    ASSERT_TRUE(server.member(room, bob, bob, "leave"));
    const auto answer = client.sync();
    const auto* left = section(answer, "leave", room);
    ASSERT_NE(left, nullptr);
    EXPECT_EQ(left->at("timeline").at("events").as_array().size(), 1U);
    EXPECT_EQ(state_keys(*left, "state_after"), (std::set<std::string>{"m.room.member|@bob:x"}));
}

TEST_F(SyncAnswers, tell_that_one_has_left_once) {
    auto room = server.room(ann, {bob});
    Client client(server, bob);
    client.sync();
    server.say(room, ann, "last words");
    ASSERT_TRUE(server.member(room, bob, bob, "leave"));
    server.say(room, ann, "not for bob");
    const auto answer = client.sync();
    EXPECT_EQ(section(answer, "join", room), nullptr);
    const auto* left = section(answer, "leave", room);
    ASSERT_NE(left, nullptr);
    EXPECT_EQ(bodies(*left), "last words ");
    EXPECT_EQ(section(client.sync(), "leave", room), nullptr);

    Client fresh(server, bob);
    EXPECT_EQ(section(fresh.sync(), "leave", room), nullptr);
    Client with_left(server, bob, R"({"room":{"include_leave":true}})");
    EXPECT_NE(section(with_left.sync(), "leave", room), nullptr);
}

std::string names(const base::json::object& room, std::string_view list) {
    std::string out;
    for (const auto& event : room.at(list).at("events").as_array()) {
        if (const auto name = base::get_string(event.at("content").as_object(), "name"))
            out.append(*name).push_back(' ');
    }
    return out;
}

TEST_F(SyncAnswers, tell_a_former_member_no_state_of_after_they_left) {
    auto room = server.room(ann);
    ASSERT_TRUE(room.append_state(ann, "m.room.name", "", {{"name", "then"}}));
    ASSERT_TRUE(server.member(room, bob, bob, "join"));
    Client before(server, bob);
    before.sync();
    ASSERT_TRUE(server.member(room, bob, bob, "leave"));
    Client after(server, bob);
    after.sync();
    ASSERT_TRUE(room.append_state(ann, "m.room.name", "", {{"name", "now"}}));
    ASSERT_TRUE(server.member(room, ann, bob, "invite"));
    ASSERT_TRUE(server.member(room, bob, bob, "leave"));
    const auto banned = server.member(room, ann, bob, "ban");
    ASSERT_TRUE(banned);
    Client fresh(server, bob, R"({"room":{"include_leave":true}})");
    Client with_state_after(server, bob, R"({"room":{"include_leave":true,"timeline":{"limit":1}}})");
    with_state_after.state_mode.after = true;

    // The end of the stay was told, and what came later is not theirs.
    const auto told_before = after.sync();
    ASSERT_NE(section(told_before, "leave", room), nullptr);
    EXPECT_TRUE(section(told_before, "leave", room)->at("state").at("events").as_array().empty());
    // It was not, or all is asked for anew: the state is that of the end.
    const auto told_since = before.sync();
    ASSERT_NE(section(told_since, "leave", room), nullptr);
    EXPECT_EQ(names(*section(told_since, "leave", room), "state"), "");
    const auto told_fresh = fresh.sync();
    EXPECT_EQ(names(*section(told_fresh, "leave", room), "state"), "");
    EXPECT_EQ(names(*section(told_fresh, "leave", room), "timeline"), "then ");
    const auto told_after = with_state_after.sync();
    EXPECT_EQ(names(*section(told_after, "leave", room), "state_after"), "then ");
    bool is_told_of_the_ban = false;
    for (const auto& event : section(told_after, "leave", room)->at("state_after").at("events").as_array())
        is_told_of_the_ban = is_told_of_the_ban || event.at("event_id").as_string() == banned->id.value;
    EXPECT_TRUE(is_told_of_the_ban);
}

}  // namespace
}  // namespace chat
