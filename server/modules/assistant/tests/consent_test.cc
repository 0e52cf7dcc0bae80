#include "assist_fixture.h"

namespace assistant::test {
namespace {

namespace json = base::json;

struct Consent : AssistTest {
    Answer suggest(const std::vector<std::string>& events) {
        return world.post(alice, kSuggestions, ids(events));
    }
    Answer translate(const std::string& event) {
        return world.post(alice, kTranslations,
                          {{"room_id", room}, {"event_id", event}, {"target_language", "zh"}});
    }
    /// The administrator's list changes, so that it is asked for anew.
    void list(std::vector<std::string> servers, std::set<std::string> resting = {}) {
        world.fake->servers = std::move(servers);
        world.fake->resting = std::move(resting);
        world.put(admin, "/_lingxi/admin/v1/models/cloud", {{"name", "x"}});
    }
};

TEST_F(Consent, is_not_in_force_while_the_person_has_ai_off) {
    world.consent(bob, room);
    const auto event = world.say(bob, room, "hello there");
    ASSERT_EQ(suggest({event}).status, 200);
    world.set_account_data(bob, "im.lingxi.settings", {{"ai_enabled", false}});
    EXPECT_EQ(suggest({event}).errcode(), "IM.LINGXI.CONSENT_NEEDED");
    EXPECT_EQ(translate(event).errcode(), "IM.LINGXI.CONSENT_NEEDED");
    EXPECT_EQ(world.fake->requests.size(), 1U);
    EXPECT_TRUE(status().at("consents").as_array().empty());
    world.set_account_data(bob, "im.lingxi.settings", {{"ai_enabled", true}});
    EXPECT_EQ(suggest({event}).status, 200);
    EXPECT_EQ(status().at("consents").as_array().size(), 1U);
}

TEST_F(Consent, ends_with_the_switch_while_a_call_is_prepared) {
    world.consent(bob, room);
    const auto event = world.say(bob, room, "hello there");
    world.while_it_is_prepared(
        [&] { world.set_account_data(bob, "im.lingxi.settings", {{"ai_enabled", false}}); });
    EXPECT_EQ(suggest({event}).errcode(), "IM.LINGXI.CONSENT_NEEDED");
    EXPECT_EQ(world.fake->went, 0);
}

TEST_F(Consent, does_not_come_back_with_who_gave_it) {
    world.consent(bob, room);
    const auto event = world.say(bob, room, "hello there");
    world.set_state(bob, room, "m.room.member", bob.user_id,
                    {{"membership", "join"}, {"displayname", "Captain Wave"}});
    ASSERT_EQ(suggest({event}).status, 200) << "a name is no new membership";
    world.leave(bob, room);
    world.invite(alice, room, bob.user_id);
    world.join(bob, room);
    EXPECT_EQ(suggest({event}).errcode(), "IM.LINGXI.CONSENT_NEEDED");
    EXPECT_EQ(translate(event).errcode(), "IM.LINGXI.CONSENT_NEEDED");
    EXPECT_TRUE(status().at("consents").as_array().empty());
    world.consent(bob, room);
    EXPECT_EQ(suggest({event}).status, 200);
}

TEST_F(Consent, ends_where_who_gave_it_leaves_and_comes_back_while_a_call_is_prepared) {
    world.consent(bob, room);
    const auto event = world.say(bob, room, "hello there");
    world.while_it_is_prepared([&] {
        world.leave(bob, room);
        world.join(bob, room);
    });
    EXPECT_EQ(suggest({event}).errcode(), "IM.LINGXI.CONSENT_NEEDED");
    EXPECT_EQ(world.fake->went, 0);
}

TEST_F(Consent, what_the_assistant_said_to_who_has_ai_off_is_theirs) {
    world.consent(bob, room);
    world.invite(alice, room, world.assistant_id);
    ASSERT_TRUE(world.until([&] { return world.messages(alice, room).size() == 1; })) << "its greeting";
    world.fake->script.deltas = {"You said BOBS WORDS"};
    world.say(bob, room, "@assistant BOBS WORDS");
    std::string answer_id;
    ASSERT_TRUE(world.until([&] {
        for (const auto& message : world.messages(alice, room)) {
            if (message.at("content").as_object().contains("im.lingxi.ai"))
                answer_id = message.at("event_id").as_string();
        }
        return !answer_id.empty();
    }));
    world.set_account_data(bob, "im.lingxi.settings", {{"ai_enabled", false}});
    EXPECT_EQ(suggest({answer_id}).errcode(), "IM.LINGXI.CONSENT_NEEDED");
}

TEST_F(Consent, to_a_server_that_stands_behind_another_is_no_less) {
    list({"first", "cloud"});
    world.consent(bob, room, true, "Provider cloud");
    const auto event = world.say(bob, room, "hello there");
    ASSERT_TRUE(suggest({event}).event("done"));
    EXPECT_EQ(world.fake->requests.back().provider_name, "Provider cloud");
    ASSERT_TRUE(translate(event).event("done"));
    EXPECT_EQ(world.fake->requests.back().provider_name, "Provider cloud");
}

TEST_F(Consent, to_a_server_that_rests_is_not_asked_for_anew) {
    list({"cloud", "other"}, {"cloud"});
    world.consent(bob, room, true, "Provider cloud");
    const auto event = world.say(bob, room, "hello there");
    EXPECT_EQ(suggest({event}).errcode(), "IM.LINGXI.MODEL_UNAVAILABLE");
    EXPECT_EQ(translate(event).errcode(), "IM.LINGXI.MODEL_UNAVAILABLE");
    ASSERT_EQ(world.fake->requests.size(), 1U) << "the other one runs, and nobody agreed to it";
    EXPECT_TRUE(world.fake->requests.back().known_only) << "nothing may leave";
    EXPECT_EQ(world.fake->requests.back().provider_name, "Provider cloud");
    EXPECT_EQ(world.fake->went, 0);
    list({"cloud", "other"});
    EXPECT_TRUE(suggest({event}).event("done"));
}

TEST_F(Consent, to_a_server_that_rests_still_gives_what_it_answered_a_while_ago) {
    list({"cloud", "other"}, {"cloud"});
    world.consent(bob, room, true, "Provider cloud");
    world.fake->script.known = true;
    world.fake->script.deltas = {"你好"};
    const auto event = world.say(bob, room, "hello there");
    ASSERT_TRUE(translate(event).event("done"));
    EXPECT_TRUE(world.fake->requests.back().known_only);
    EXPECT_EQ(used(), 0);
    EXPECT_EQ(world.get(alice, kReceipts).body.at("receipts").at(0).at("outcome").as_string(), "cached");
    world.consent(bob, room, false);
    EXPECT_FALSE(translate(event).event("done")) << "asked for as before any other answer";
    list({"cloud"}, {"cloud"});
    const json::object draft{{"room_id", room}, {"text", "Hello"}, {"target_language", "zh"}};
    EXPECT_TRUE(world.post(alice, kTranslations, draft).event("done")) << "of one's own words too";
    world.fake->script.known = false;
    EXPECT_EQ(world.post(alice, kTranslations, draft).errcode(), "IM.LINGXI.MODEL_UNAVAILABLE");
}

TEST_F(Consent, is_asked_for_where_no_server_has_it) {
    list({"first", "cloud"}, {"cloud"});
    world.consent(bob, room, true, "Provider that is gone");
    const auto event = world.say(bob, room, "hello there");
    const auto refused = suggest({event});
    EXPECT_EQ(refused.errcode(), "IM.LINGXI.CONSENT_NEEDED");
    EXPECT_EQ(refused.body.at("users").as_array().size(), 1U);
    EXPECT_EQ(status().at("model").at("provider").as_string(), "Provider first");
    list({"first"}, {"first"});
    EXPECT_EQ(suggest({event}).errcode(), "IM.LINGXI.MODEL_UNAVAILABLE")
        << "there is nothing to agree to now";
}

TEST_F(Consent, of_all_goes_before_the_order_of_servers_and_of_some_before_that_of_none) {
    const auto carol = world.person("carol", "Carol");
    world.join(carol, room);
    list({"nobodys", "bobs", "both"});
    const auto from_bob = world.say(bob, room, "tea at five?");
    const auto from_carol = world.say(carol, room, "coffee at six?");
    world.consent(bob, room, true, "Provider bobs");
    world.consent(carol, room, true, "Provider both");
    const auto some = suggest({from_bob, from_carol});
    ASSERT_TRUE(some.event("done")) << json::serialize(some.body);
    EXPECT_EQ(world.fake->requests.back().provider_name, "Provider bobs");
    EXPECT_EQ(prompt().find("coffee at six?"), std::string::npos);
    ASSERT_EQ(some.event("prepared")->at("dropped").as_array().size(), 1U);
    EXPECT_EQ(some.event("prepared")->at("dropped").at(0).at("event_id").as_string(), from_carol);

    world.consent(bob, room, true, "Provider both");
    ASSERT_TRUE(suggest({from_bob, from_carol}).event("done"));
    EXPECT_EQ(world.fake->requests.back().provider_name, "Provider both");
    EXPECT_NE(prompt().find("coffee at six?"), std::string::npos);

    list({"nobodys", "bobs", "both"}, {"both"});
    EXPECT_EQ(suggest({from_bob, from_carol}).errcode(), "IM.LINGXI.MODEL_UNAVAILABLE");
}

TEST_F(Consent, that_is_needed_is_for_the_destination_that_the_call_looked_for) {
    list({"first", "cloud"}, {"first"});
    const auto event = world.say(bob, room, "hello there");
    for (const auto& refused : {suggest({event}), translate(event)}) {
        EXPECT_EQ(refused.errcode(), "IM.LINGXI.CONSENT_NEEDED");
        EXPECT_EQ(refused.body.at("destination"),
                  json::parse(R"({"kind":"provider","name":"Provider cloud"})"));
        EXPECT_EQ(refused.text("model"), "model-cloud");
    }
    world.fake->on_this_machine = true;
    list({"first"});
    const auto refused = translate(event);
    EXPECT_EQ(refused.body.at("destination"), json::parse(R"({"kind":"this_machine"})"));
    auto agreed = json::object{{"agreed", true}, {"purposes", {{"translate", true}}}};
    agreed["destination"] = refused.body.at("destination");
    world.set_state(bob, room, "im.lingxi.consent", bob.user_id, agreed);
    EXPECT_TRUE(translate(event).event("done")) << "what was agreed to is what the next call looks for";
}

TEST_F(Consent, that_ends_while_a_call_is_prepared_is_needed_for_where_it_was_to_go) {
    world.consent(bob, room);
    const auto event = world.say(bob, room, "hello there");
    world.while_it_is_prepared([&] { world.consent(bob, room, false); });
    EXPECT_EQ(suggest({event}).body.at("destination"),
              json::parse(R"({"kind":"provider","name":"Provider cloud"})"));
}

TEST_F(Consent, of_most_goes_before_that_of_fewer_and_the_status_names_the_server_that_the_call_takes) {
    const auto carol = world.person("carol", "Carol");
    const auto dave = world.person("dave", "Dave");
    world.join(carol, room);
    world.join(dave, room);
    list({"nobodys", "one", "two"});
    const auto provider = [&] { return status().at("model").at("provider").as_string(); };
    EXPECT_EQ(provider(), "Provider nobodys");
    world.consent(alice, room, true, "Provider one");
    EXPECT_EQ(provider(), "Provider nobodys") << "of others' words: one's own need no consent of one's own";
    world.consent(bob, room, true, "Provider one");
    world.consent(carol, room, true, "Provider two");
    EXPECT_EQ(provider(), "Provider one");
    world.consent(dave, room, true, "Provider two");
    EXPECT_EQ(provider(), "Provider two");
    const auto answer = suggest({world.say(bob, room, "tea?"), world.say(carol, room, "coffee at six?"),
                                 world.say(dave, room, "and cake")});
    ASSERT_TRUE(answer.event("done")) << json::serialize(answer.body);
    EXPECT_EQ(answer.event("prepared")->at("provider").as_string(), "Provider two");

    list({"nobodys", "one", "two"}, {"two"});
    world.consent(bob, room, false);
    EXPECT_EQ(provider(), "Provider two");
    EXPECT_FALSE(status().at("model").at("available").as_bool()) << "it rests; nobody is asked for another";
}

TEST_F(Consent, of_ones_own_is_shown_while_one_has_ai_off_and_not_after_coming_back) {
    world.consent(bob, room);
    world.set_account_data(bob, "im.lingxi.settings", {{"ai_enabled", false}});
    const auto of_bob = [&] {
        const auto target = "/_lingxi/client/v1/assist/status?room_id=" + base::percent_encode(room);
        return world.get(bob, target).body.at("consents").as_array();
    };
    ASSERT_EQ(of_bob().size(), 1U);
    EXPECT_TRUE(status().at("consents").as_array().empty());
    world.leave(bob, room);
    world.invite(alice, room, bob.user_id);
    world.join(bob, room);
    EXPECT_TRUE(of_bob().empty());
}

TEST_F(Consent, is_not_needed_for_ones_own_words_which_go_to_the_first_that_runs) {
    list({"first", "cloud"}, {"first"});
    const auto own = world.say(alice, room, "my words");
    ASSERT_TRUE(translate(own).event("done"));
    EXPECT_EQ(world.fake->requests.back().provider_name, "");
    list({"first"}, {"first"});
    EXPECT_EQ(translate(own).errcode(), "IM.LINGXI.MODEL_UNAVAILABLE");
}

TEST_F(Consent, names_that_the_asker_gave_people_are_hidden_like_their_own) {
    world.set_account_data(alice, "im.lingxi.remarks", {{bob.user_id, "Uncle Bobby"}});
    world.fake->script.deltas = {"告诉人物A"};
    const auto answer =
        world.post(alice, kTranslations,
                   {{"room_id", room}, {"text", "Tell uncle bobby hello"}, {"target_language", "zh"}});
    ASSERT_TRUE(answer.event("done")) << json::serialize(answer.body);
    EXPECT_EQ(prompt().find("bobby"), std::string::npos);
    world.consent(bob, room);
    world.fake->script = {};
    ASSERT_TRUE(suggest({world.say(bob, room, "Yours, Uncle Bobby")}).event("done"));
    EXPECT_EQ(prompt().find("Bobby"), std::string::npos);
}

}  // namespace
}  // namespace assistant::test
