#include "sync_client.h"

namespace chat {
namespace {

TEST_F(SyncAnswers, begin_with_the_latest_events_and_the_state_before_them) {
    auto room = server.room(ann);
    for (int i = 0; i < 12; ++i) server.say(room, ann, std::to_string(i));
    Client client(server, ann, R"({"room":{"timeline":{"limit":3}}})");
    const auto answer = client.sync();
    const auto& seen = joined(answer, room);
    EXPECT_EQ(bodies(seen), "9 10 11 ");
    EXPECT_TRUE(seen.at("timeline").at("limited").as_bool());
    EXPECT_EQ(state_keys(seen), (std::set<std::string>{"m.room.create|", "m.room.join_rules|",
                                                       "m.room.member|@ann:x", "m.room.power_levels|"}));
    EXPECT_EQ(seen.at("summary").at("m.joined_member_count"), 1);
    EXPECT_EQ(answer.at("account_data").at("events").at(0).at("type"), "m.push_rules");
}

TEST_F(SyncAnswers, of_a_short_room_hold_its_state_in_the_timeline_alone) {
    auto room = server.room(ann);
    Client client(server, ann, R"({"room":{"timeline":{"limit":50}}})");
    const auto answer = client.sync();
    const auto& seen = joined(answer, room);
    EXPECT_FALSE(seen.at("timeline").at("limited").as_bool());
    EXPECT_EQ(seen.at("timeline").at("events").as_array().size(), 4U);
    EXPECT_TRUE(state_keys(seen).empty());
}

TEST_F(SyncAnswers, later_tell_only_what_is_new) {
    auto room = server.room(ann);
    auto other = server.room(ann);
    Client client(server, ann);
    client.sync();
    server.say(room, ann, "new");
    const auto answer = client.sync();
    EXPECT_EQ(bodies(joined(answer, room)), "new ");
    EXPECT_TRUE(state_keys(joined(answer, room)).empty());
    EXPECT_EQ(section(answer, "join", other), nullptr);
    EXPECT_TRUE(client.has_news);

    EXPECT_TRUE(client.sync().at("rooms").at("join").as_object().empty());
    EXPECT_FALSE(client.has_news);
}

TEST_F(SyncAnswers, tell_across_a_gap_which_state_changed_in_it) {
    auto room = server.room(ann);
    Client client(server, ann, R"({"room":{"timeline":{"limit":2}}})");
    client.sync();
    ASSERT_TRUE(room.append_state(ann, "m.room.name", "", {{"name", "first"}}));
    ASSERT_TRUE(room.append_state(ann, "m.room.name", "", {{"name", "second"}}));
    server.say(room, ann, "a");
    ASSERT_TRUE(room.append_state(ann, "m.room.name", "", {{"name", "third"}}));
    server.say(room, ann, "b");
    const auto answer = client.sync();
    const auto& seen = joined(answer, room);
    EXPECT_TRUE(seen.at("timeline").at("limited").as_bool());
    ASSERT_EQ(state_keys(seen), (std::set<std::string>{"m.room.name|"}));
    EXPECT_EQ(seen.at("state").at("events").at(0).at("content").at("name"), "second");
}

TEST_F(SyncAnswers, tell_the_state_after_the_timeline_where_that_is_asked_for) {
    auto room = server.room(ann);
    Client client(server, ann, R"({"room":{"timeline":{"limit":2}}})");
    client.state_mode = {.after = true, .after_unstable = true};
    client.sync();
    server.say(room, ann, "a");
    ASSERT_TRUE(room.append_state(ann, "m.room.name", "", {{"name", "third"}}));
    const auto answer = client.sync();
    const auto& seen = joined(answer, room);
    EXPECT_FALSE(seen.contains("state"));
    EXPECT_EQ(state_keys(seen, "state_after"), (std::set<std::string>{"m.room.name|"}));
    EXPECT_EQ(seen.at("org.matrix.msc4222.state_after"), seen.at("state_after"));
}

TEST_F(SyncAnswers, tell_state_that_the_timeline_filter_leaves_out) {
    auto room = server.room(ann);
    Client client(server, ann, R"({"room":{"timeline":{"types":["m.room.message"]}}})");
    client.sync();
    ASSERT_TRUE(room.append_state(ann, "m.room.name", "", {{"name", "n"}}));
    server.say(room, ann, "a");
    const auto answer = client.sync();
    EXPECT_EQ(bodies(joined(answer, room)), "a ");
    EXPECT_EQ(state_keys(joined(answer, room)), (std::set<std::string>{"m.room.name|"}));
}

TEST_F(SyncAnswers, leave_out_messages_of_the_ignored_but_not_their_state) {
    auto room = server.room(ann, {bob});
    put_account_data(server.tx(), bob.user, kNoRoom, "m.ignored_user_list",
                     R"({"ignored_users":{"@ann:x":{}}})");
    Client client(server, bob);
    client.sync();
    server.say(room, ann, "spam");
    ASSERT_TRUE(room.append_state(ann, "m.room.name", "", {{"name", "n"}}));
    const auto answer = client.sync();
    EXPECT_EQ(bodies(joined(answer, room)), "");
    EXPECT_EQ(joined(answer, room).at("timeline").at("events").as_array().size(), 1U);
    EXPECT_EQ(count(joined(answer, room)), 0);
}

TEST_F(SyncAnswers, load_members_lazily) {
    auto room = server.room(ann);
    for (const auto name : {"c", "d", "e", "f", "g", "h", "i"}) {
        const auto person = server.person(name);
        ASSERT_TRUE(server.member(room, person, person, "join"));
    }
    ASSERT_TRUE(server.member(room, bob, bob, "join"));
    ASSERT_TRUE(room.append_state(ann, "m.room.name", "", {{"name", "n"}}));
    server.say(room, ann, "1");
    const auto members = [](const base::json::object& seen) {
        std::string out;
        for (const auto& key : state_keys(seen))
            if (key.starts_with("m.room.member|")) out += key.substr(14) + " ";
        return out;
    };
    Client client(server, bob, R"({"room":{"timeline":{"limit":1},"state":{"lazy_load_members":true}}})");
    EXPECT_EQ(members(joined(client.sync(), room)), "@ann:x @bob:x ");

    server.say(room, ann, "2");
    EXPECT_EQ(members(joined(client.sync(), room)), "") << "the client has got it";

    Client redundant(server, bob, R"({"room":{"timeline":{"limit":1},
        "state":{"lazy_load_members":true,"include_redundant_members":true}}})");
    redundant.sync();
    server.say(room, ann, "3");
    EXPECT_EQ(members(joined(redundant.sync(), room)), "@ann:x ");
}

TEST_F(SyncAnswers, name_the_heroes_of_a_room_whose_name_was_redacted) {
    for (const std::string_view type : {"m.room.name", "m.room.canonical_alias"}) {
        for (const std::string_view filter :
             {R"({"room":{"state":{"lazy_load_members":true}}})",
              R"({"room":{"state":{"lazy_load_members":true},"timeline":{"limit":1}}})",
              R"({"room":{"state":{"lazy_load_members":true},"timeline":{"types":["m.room.message"]}}})"}) {
            auto room = server.room(ann);
            ASSERT_TRUE(server.member(room, bob, bob, "join"));
            const auto named =
                room.append_state(ann, type, "", {{"name", "n"}, {"alias", "#a:x"}}).value().id.value;
            Client client(server, bob, filter);
            EXPECT_FALSE(joined(client.sync(), room).at("summary").as_object().contains("m.heroes"));
            const auto word = server.say(room, ann, "a word");
            ASSERT_TRUE(server.say(room, ann, {{"redacts", word.id.value}}, "m.room.redaction"));
            server.say(room, ann, "more");
            EXPECT_FALSE(joined(client.sync(), room).contains("summary")) << "another's redaction";
            ASSERT_TRUE(server.say(room, ann, {{"redacts", named}}, "m.room.redaction"));
            server.say(room, ann, "more");
            const auto answer = client.sync();
            const auto* summary = base::get_object(joined(answer, room), "summary");
            ASSERT_NE(summary, nullptr) << type << filter;
            EXPECT_EQ(summary->at("m.heroes").as_array(), (base::json::array{"@ann:x"}));
            server.say(room, ann, "even more");
            server.say(room, ann, "even more");
            EXPECT_FALSE(joined(client.sync(), room).contains("summary")) << "it was told";
        }
    }
}

TEST_F(SyncAnswers, tell_nothing_beyond_the_position_that_they_answer_for) {
    auto room = server.room(ann);
    Client client(server, ann);
    client.sync();
    auto early = client.query();
    server.say(room, ann, "later");
    ASSERT_TRUE(room.append_state(ann, "m.room.name", "", {{"name", "later"}}));
    EXPECT_TRUE(client.sync(early).at("rooms").at("join").as_object().empty());
    EXPECT_EQ(joined(client.sync(), room).at("timeline").at("events").as_array().size(), 2U);

    Client fresh(server, ann, R"({"room":{"timeline":{"limit":1}}})");
    auto before = fresh.query();
    before.now[Stream::events] -= 1;
    EXPECT_FALSE(state_keys(joined(fresh.sync(before), room)).contains("m.room.name|"));
}

TEST_F(SyncAnswers, give_only_the_fields_that_are_asked_for) {
    auto room = server.room(ann);
    Client client(server, ann, R"({"event_fields":["content.body","type"]})");
    client.sync();
    server.say(room, ann, "a");
    const auto answer = client.sync();
    const auto& event = joined(answer, room).at("timeline").at("events").at(0).as_object();
    EXPECT_EQ(event, base::json::parse(R"({"type":"m.room.message","content":{"body":"a"}})").as_object());
}

TEST_F(SyncAnswers, repeat_all_state_when_asked_to) {
    auto room = server.room(ann);
    Client client(server, ann);
    client.sync();
    client.full_state = true;
    const auto answer = client.sync();
    EXPECT_EQ(state_keys(joined(answer, room)).size(), 4U);
    EXPECT_TRUE(joined(answer, room).at("timeline").at("events").as_array().empty());
}

TEST(SyncAnswer, says_the_same_from_a_snapshot_that_others_read_too) {
    TestServer server;
    const auto ann = server.person("ann");
    const auto bob = server.person("bob");
    const auto eve = server.person("eve");
    auto room = server.room(ann, {bob});
    Client one(server, ann);
    Client other(server, bob);
    one.sync();
    other.sync();
    server.say(room, bob, "hello");
    ASSERT_TRUE(server.member(room, eve, eve, "join"));
    ASSERT_TRUE(room.append_state(ann, "m.room.history_visibility", "", {{"history_visibility", "joined"}}));
    RoomReads shared(server.tx(), true);
    for (auto* client : {&one, &other}) {
        const auto query = client->query();
        RoomReads own(server.tx());
        EXPECT_EQ(make_answer(shared, query).body, make_answer(own, query).body);
    }
}

}  // namespace
}  // namespace chat
