#include "assist_fixture.h"
#include "excerpt.h"

namespace assistant::test {
namespace {

namespace json = base::json;

constexpr const char* kChips = "/_lingxi/client/v1/assist/chips";

using Assist = AssistTest;

TEST_F(Assist, status_tells_model_budget_policy_consents_and_the_assistant) {
    world.consent(bob, room);
    const auto body = status();
    EXPECT_TRUE(body.at("ai_enabled").as_bool());
    EXPECT_EQ(body.at("model").at("provider").as_string(), "Provider cloud");
    EXPECT_EQ(body.at("policy").as_string(), "allowed");
    EXPECT_EQ(body.at("assistant_user_id").as_string(), "@assistant:here.example");
    ASSERT_EQ(body.at("consents").as_array().size(), 1U);
    EXPECT_EQ(body.at("consents").at(0).at("user_id").as_string(), bob.user_id);
    EXPECT_EQ(body.at("consents").at(0).at("destination").at("name").as_string(), "Provider cloud");
    EXPECT_GT(body.at("budget").at("cap_tokens").as_int64(), 0);
}

TEST_F(Assist, status_of_anothers_room_is_refused_and_without_a_model_says_so) {
    world.fake->has_model = false;
    const auto stranger = world.person("eve", "Eve");
    const auto mine = world.post(alice, "/_matrix/client/v3/createRoom", {{"preset", "private_chat"}});
    const auto target =
        "/_lingxi/client/v1/assist/status?room_id=" + base::percent_encode(mine.text("room_id"));
    EXPECT_EQ(world.get(stranger, target).errcode(), "M_FORBIDDEN");
    EXPECT_TRUE(world.get(alice, target).body.at("model").is_null());
}

TEST_F(Assist, chips_answer_the_message_of_another_and_call_no_model) {
    const auto event = world.say(bob, room, "晚上一起吃饭吧");
    const auto answer = world.post(alice, kChips, {{"room_id", room}, {"event_id", event}});
    ASSERT_EQ(answer.status, 200) << json::serialize(answer.body);
    EXPECT_EQ(answer.text("method"), "offline");
    ASSERT_EQ(answer.body.at("suggestions").as_array().size(), 3U);
    EXPECT_FALSE(answer.body.at("suggestions").at(0).at("text").as_string().empty());
    EXPECT_TRUE(world.fake->requests.empty());
    const auto own = world.post(bob, kChips, {{"room_id", room}, {"event_id", event}});
    EXPECT_TRUE(own.body.at("suggestions").as_array().empty());
}

TEST_F(Assist, chips_are_in_the_language_that_the_person_writes_here) {
    const auto offered_to = [&](const Person& person, const std::string& event) {
        const auto answer = world.post(person, kChips, {{"room_id", room}, {"event_id", event}});
        std::string all;
        for (const auto& chip : answer.body.at("suggestions").as_array()) all += chip.at("text").as_string();
        EXPECT_FALSE(all.empty());
        return all;
    };
    // Nothing of hers yet: the message tells it, then what her account is set to.
    const auto first = world.say(bob, room, "晚上一起吃饭吧");
    EXPECT_TRUE(is_mostly_chinese(offered_to(alice, first)));
    world.set_account_data(alice, "im.lingxi.settings", {{"language", "en-GB"}});
    EXPECT_FALSE(is_mostly_chinese(offered_to(alice, first)));
    // What she writes here weighs more; what she passes on, or takes back, is not hers.
    const auto said = world.say(alice, room, "好呀，去哪儿吃？");
    world.send(alice, room,
               {{"msgtype", "m.text"},
                {"body", "The restaurant is closed on Mondays and on Tuesdays"},
                {"im.lingxi.forwarded", json::object{}}});
    const auto second = world.say(bob, room, "能来接我一下吗");
    EXPECT_TRUE(is_mostly_chinese(offered_to(alice, second)));
    world.redact(alice, room, said);
    EXPECT_FALSE(is_mostly_chinese(offered_to(alice, second)));
    // Each of the two is offered their own.
    world.say(alice, room, "Sure, where shall I pick you up?");
    const auto third = world.say(bob, room, "明天几点见？");
    EXPECT_FALSE(is_mostly_chinese(offered_to(alice, third)));
    const auto fourth = world.say(alice, room, "what time shall we meet tomorrow?");
    EXPECT_TRUE(is_mostly_chinese(offered_to(bob, fourth)));
}

TEST_F(Assist, a_model_is_told_to_write_as_the_person_writes) {
    world.consent(bob, room);
    const auto asked = world.say(bob, room, "周末去爬山吗");
    world.post(alice, kSuggestions, ids({asked}));
    EXPECT_TRUE(prompt().contains("in the language of the conversation"));
    const auto own = world.say(alice, room, "Which mountain?");
    auto wish = ids({asked, own});
    wish["language"] = "zh";  // what the client is set to
    world.post(alice, kSuggestions, std::move(wish));
    EXPECT_TRUE(prompt().contains("in the language in which \"me\" writes"));
    EXPECT_FALSE(prompt().contains("Chinese"));
}

TEST_F(Assist, suggestions_stream_what_was_used_and_three_labelled_texts) {
    world.consent(bob, room);
    const auto event = world.say(bob, room, "周末去爬山吗");
    const auto answer = world.post(alice, kSuggestions, ids({event}));
    ASSERT_EQ(answer.status, 200) << json::serialize(answer.body);
    const auto* prepared = answer.event("prepared");
    ASSERT_NE(prepared, nullptr);
    EXPECT_EQ(prepared->at("used").at(0).as_string(), event);
    EXPECT_EQ(prepared->at("provider").as_string(), "Provider cloud");
    const auto suggestions = answer.all("suggestion");
    ASSERT_EQ(suggestions.size(), 3U);
    EXPECT_EQ(suggestions[0].at("text").as_string(), "好的");
    const auto* done = answer.event("done");
    ASSERT_NE(done, nullptr);
    EXPECT_EQ(done->at("usage").at("input_tokens").as_int64(), 40);
    EXPECT_EQ(done->at("cost").at("micros").as_int64(), 40 + 24);
    EXPECT_EQ(used(), 52);
    // Sent as it is, the label holds; changed, it is forged.
    json::object content{
        {"msgtype", "m.text"}, {"body", "好的"}, {"im.lingxi.ai", suggestions[0].at("label")}};
    EXPECT_EQ(world.try_send(alice, room, content).status, 200);
    content["body"] = "好的！";
    const auto forged = world.try_send(alice, room, content);
    EXPECT_EQ(forged.status, 400);
    EXPECT_EQ(forged.errcode(), "IM.LINGXI.FORGED_LABEL");
    content["im.lingxi.ai"].as_object()["kind"] = "assisted";
    EXPECT_EQ(world.try_send(alice, room, content).status, 200);
}

TEST_F(Assist, who_has_left_hands_over_nothing_more_and_learns_no_names) {
    const auto carol = world.person("carol", "Carol");
    world.join(carol, room);
    world.consent(bob, room);
    const auto event = world.say(bob, room, "hello there");
    world.leave(carol, room);
    EXPECT_EQ(world.post(carol, kSuggestions, ids({event})).errcode(), "M_FORBIDDEN");
    EXPECT_EQ(world
                  .post(carol, kTranslations,
                        {{"room_id", room}, {"text", "Person A, Person B"}, {"target_language", "zh"}})
                  .errcode(),
              "M_FORBIDDEN");
    EXPECT_EQ(world.post(carol, kChips, {{"room_id", room}, {"event_id", event}}).errcode(), "M_FORBIDDEN");
    const auto target = "/_lingxi/client/v1/assist/status?room_id=" + base::percent_encode(room);
    EXPECT_EQ(world.get(carol, target).errcode(), "M_FORBIDDEN");
    EXPECT_TRUE(world.fake->requests.empty());
}

TEST_F(Assist, who_leaves_while_the_call_is_prepared_hands_over_nothing) {
    world.consent(bob, room);
    const auto event = world.say(bob, room, "hello there");
    world.while_it_is_prepared([&] { world.leave(alice, room); });
    EXPECT_EQ(world.post(alice, kSuggestions, ids({event})).errcode(), "M_FORBIDDEN");
    EXPECT_EQ(world.fake->went, 0);
}

TEST_F(Assist, words_that_are_taken_back_or_changed_while_the_call_is_prepared_do_not_leave) {
    world.consent(bob, room);
    const auto first = world.say(bob, room, "first words");
    const auto event = world.say(bob, room, "my pin is 1234");
    world.while_it_is_prepared([&] { world.redact(bob, room, event); });
    const auto answer = world.post(alice, kSuggestions, ids({first, event}));
    EXPECT_EQ(answer.errcode(), "IM.LINGXI.WORDS_CHANGED");
    world.while_it_is_prepared([&] { world.edit(bob, room, first, "other words"); });
    const json::object one{{"room_id", room}, {"event_id", first}, {"target_language", "zh"}};
    EXPECT_EQ(world.post(alice, kTranslations, one).errcode(), "IM.LINGXI.WORDS_CHANGED");
    EXPECT_EQ(world.fake->went, 0);
    EXPECT_EQ(used(), 0);
    EXPECT_TRUE(world.post(alice, kTranslations, one).event("done"));
    EXPECT_NE(prompt().find("other words"), std::string::npos);
}

TEST_F(Assist, an_edit_is_read_through_its_message_so_that_older_words_do_not_leave) {
    world.consent(bob, room);
    const auto event = world.say(bob, room, "first");
    world.edit(bob, room, event, "my pin is 1234");
    std::string old_edit;
    for (const auto& message : world.messages(alice, room)) {
        if (message.at("content").as_object().contains("m.new_content"))
            old_edit = message.at("event_id").as_string();
    }
    ASSERT_FALSE(old_edit.empty());
    world.edit(bob, room, event, "never mind");
    const auto answer = world.post(alice, kSuggestions, ids({event, old_edit}));
    ASSERT_TRUE(answer.event("prepared"));
    EXPECT_EQ(answer.event("prepared")->at("dropped").at(0).at("reason").as_string(), "not_text");
    EXPECT_EQ(prompt().find("1234"), std::string::npos);
    EXPECT_NE(prompt().find("never mind"), std::string::npos);
}

TEST_F(Assist, the_words_of_who_has_not_agreed_never_leave) {
    const auto carol = world.person("carol", "Carol");
    world.join(carol, room);
    const auto secret = world.say(carol, room, "CAROLS SECRET");
    const auto open = world.say(bob, room, "see you at eight?");
    EXPECT_EQ(world.post(alice, kSuggestions, ids({secret, open})).errcode(), "IM.LINGXI.CONSENT_NEEDED");
    EXPECT_TRUE(world.fake->requests.empty());

    world.consent(bob, room);
    // Quoting somebody in a reply does not hand their words over either.
    const auto reply = world.send(bob, room,
                                  {{"msgtype", "m.text"},
                                   {"body", "> <@carol:here.example> CAROLS SECRET\n\nreally?"},
                                   {"m.relates_to", {{"m.in_reply_to", {{"event_id", secret}}}}}});
    const auto answer = world.post(alice, kSuggestions, ids({secret, open, reply}));
    ASSERT_EQ(answer.status, 200) << json::serialize(answer.body);
    const auto& dropped = answer.event("prepared")->at("dropped").as_array();
    ASSERT_EQ(dropped.size(), 1U);
    EXPECT_EQ(dropped[0].at("event_id").as_string(), secret);
    EXPECT_EQ(dropped[0].at("reason").as_string(), "no_consent");
    EXPECT_EQ(prompt().find("CAROLS SECRET"), std::string::npos);
    EXPECT_NE(prompt().find("really?"), std::string::npos);
}

TEST_F(Assist, consent_needed_names_the_people) {
    const auto event = world.say(bob, room, "hello");
    const auto answer = world.post(alice, kSuggestions, ids({event}));
    EXPECT_EQ(answer.status, 403);
    EXPECT_EQ(answer.body.at("users").as_array().at(0).as_string(), bob.user_id);
}

TEST_F(Assist, consent_to_one_destination_is_none_to_another_and_is_taken_back_at_once) {
    const auto event = world.say(bob, room, "hello there");
    world.consent(bob, room, true, "Provider other");
    EXPECT_EQ(world.post(alice, kSuggestions, ids({event})).errcode(), "IM.LINGXI.CONSENT_NEEDED");
    world.consent(bob, room);
    EXPECT_EQ(world.post(alice, kSuggestions, ids({event})).status, 200);
    world.consent(bob, room, false);
    EXPECT_EQ(world.post(alice, kSuggestions, ids({event})).errcode(), "IM.LINGXI.CONSENT_NEEDED");
}

TEST_F(Assist, consent_that_is_taken_back_before_the_call_goes_stops_it_and_frees_the_hold) {
    const auto event = world.say(bob, room, "hello there");
    world.consent(bob, room);
    // Asked for the list of model servers first, then changes its mind for the call itself: another
    // destination.
    world.fake->script.provider_ids = {"cloud"};
    ASSERT_TRUE(world.post(alice, kSuggestions, ids({event})).event("done"));
    const auto before = used();
    world.fake->script.provider_ids = {"elsewhere"};
    const auto answer = world.post(alice, kSuggestions, ids({event}));
    EXPECT_EQ(answer.errcode(), "IM.LINGXI.CONSENT_NEEDED");
    EXPECT_EQ(world.fake->went, 1);
    EXPECT_EQ(used(), before);
}

TEST_F(Assist, what_the_caller_may_not_see_or_was_redacted_is_dropped_and_edits_are_taken) {
    world.consent(bob, room);
    const auto gone = world.say(bob, room, "REDACTED WORDS");
    world.redact(bob, room, gone);
    const auto event = world.say(bob, room, "OLD WORDS");
    world.send(bob, room,
               {{"msgtype", "m.text"},
                {"body", "* new words"},
                {"m.new_content", {{"msgtype", "m.text"}, {"body", "new words"}}},
                {"m.relates_to", {{"rel_type", "m.replace"}, {"event_id", event}}}});
    const auto other = world.post(bob, "/_matrix/client/v3/createRoom", {{"preset", "private_chat"}});
    const auto hidden = world.say(bob, other.text("room_id"), "HIDDEN WORDS");
    const auto answer = world.post(alice, kSuggestions, ids({gone, event, hidden, "$nonsense"}));
    ASSERT_EQ(answer.status, 200) << json::serialize(answer.body);
    const auto sent = prompt();
    EXPECT_NE(sent.find("new words"), std::string::npos);
    for (const char* words : {"REDACTED WORDS", "OLD WORDS", "HIDDEN WORDS"})
        EXPECT_EQ(sent.find(words), std::string::npos) << words;
    EXPECT_EQ(answer.event("prepared")->at("dropped").as_array().size(), 3U);
}

TEST_F(Assist, names_of_others_become_stand_ins_and_come_back) {
    world.consent(bob, room);
    const auto event = world.say(bob, room, "我是王小波，你来吗");
    world.fake->script.deltas = {R"({"suggestions": ["人物A你好", "好", "几点"]})"};
    const auto answer = world.post(alice, kSuggestions, ids({event}));
    EXPECT_EQ(prompt().find("王小波"), std::string::npos);
    EXPECT_EQ(prompt().find("bob"), std::string::npos);
    ASSERT_EQ(answer.all("suggestion").size(), 3U);
    EXPECT_EQ(answer.all("suggestion")[0].at("text").as_string(), "王小波你好");
}

TEST_F(Assist, the_room_the_account_and_the_server_can_forbid) {
    world.consent(bob, room);
    const auto event = world.say(bob, room, "hello");
    world.set_state(alice, room, "im.lingxi.ai_policy", "", {{"ai", "forbidden"}});
    EXPECT_EQ(world.post(alice, kSuggestions, ids({event})).errcode(), "IM.LINGXI.AI_FORBIDDEN_IN_ROOM");
    EXPECT_EQ(status().at("policy").as_string(), "forbidden");
    world.set_state(alice, room, "im.lingxi.ai_policy", "", {{"ai", "allowed"}});
    world.set_account_data(alice, "im.lingxi.settings", {{"ai_enabled", false}, {"language", "zh"}});
    EXPECT_EQ(world.post(alice, kSuggestions, ids({event})).errcode(), "IM.LINGXI.AI_OFF");
    EXPECT_FALSE(status().at("ai_enabled").as_bool());
    world.set_account_data(alice, "im.lingxi.settings", {{"ai_enabled", true}});
    EXPECT_EQ(world.put(admin, "/_lingxi/admin/v1/budget", {{"ai_enabled", false}}).status, 200);
    EXPECT_EQ(world.post(alice, kSuggestions, ids({event})).errcode(), "IM.LINGXI.AI_OFF");
    EXPECT_TRUE(world.fake->requests.empty());
}

TEST_F(Assist, without_a_model_translation_says_so) {
    world.fake->has_model = false;
    const auto event = world.say(bob, room, "hello");
    const auto answer =
        world.post(alice, kTranslations, {{"room_id", room}, {"event_id", event}, {"target_language", "zh"}});
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.errcode(), "IM.LINGXI.MODEL_UNAVAILABLE");
}

TEST_F(Assist, translations_stream_inert_text_and_a_label_over_all_of_it) {
    world.fake->script.deltas = {"\n 你好，", "\xE2\x80\xAE世界", " \n"};
    const auto answer = world.post(alice, kTranslations,
                                   {{"room_id", room}, {"text", "Hello world"}, {"target_language", "zh"}});
    ASSERT_EQ(answer.status, 200) << json::serialize(answer.body);
    std::string text;
    for (const auto& delta : answer.all("delta")) text += std::string_view(delta.at("text").as_string());
    EXPECT_EQ(text, "你好，世界");
    ASSERT_TRUE(answer.event("done"));
    const json::object content{
        {"msgtype", "m.text"}, {"body", text}, {"im.lingxi.ai", answer.event("done")->at("label")}};
    EXPECT_EQ(world.try_send(alice, room, content).status, 200);
}

TEST_F(Assist, garbage_instead_of_suggestions_is_an_error_in_words) {
    world.consent(bob, room);
    const auto event = world.say(bob, room, "hello");
    world.fake->script.deltas = {R"({"suggestions": [)"};
    const auto answer = world.post(alice, kSuggestions, ids({event}));
    ASSERT_TRUE(answer.event("error"));
    EXPECT_TRUE(answer.all("suggestion").empty());
}

TEST_F(Assist, a_person_has_three_streams_at_once) {
    world.fake->script.hangs_after_deltas = true;
    std::vector<net::Response> open;
    const json::object draft{{"room_id", room}, {"text", "Hello"}, {"target_language", "zh"}};
    for (int i = 0; i < 3; ++i) {
        open.push_back(world.raw(alice, net::Method::post, kTranslations, draft));
        ASSERT_EQ(open.back().status, 200);
    }
    EXPECT_EQ(world.raw(alice, net::Method::post, kTranslations, draft).status, 429);
    auto other = world.raw(bob, net::Method::post, kTranslations, draft);
    EXPECT_EQ(other.status, 200);
    open.clear();
    EXPECT_EQ(world.raw(alice, net::Method::post, kTranslations, draft).status, 200);
}

TEST_F(Assist, quotes_and_answers_of_the_assistant_do_not_carry_the_words_of_others) {
    const auto carol = world.person("carol", "Carol");
    world.join(carol, room);
    world.consent(bob, room);
    const auto quoting = world.say(bob, room, "> CAROLS SECRET\nindeed >_<");
    world.invite(alice, room, world.assistant_id);
    ASSERT_TRUE(world.until([&] { return world.messages(alice, room).size() == 2; })) << "its greeting";
    world.fake->script.deltas = {"You said CAROLS SECRET"};
    world.say(carol, room, "@assistant my words are CAROLS SECRET");
    std::string answer_id;
    ASSERT_TRUE(world.until([&] {
        for (const auto& message : world.messages(alice, room)) {
            if (message.at("content").as_object().contains("im.lingxi.ai"))
                answer_id = message.at("event_id").as_string();
        }
        return !answer_id.empty();
    }));
    world.fake->script = {};
    const auto answer = world.post(alice, kSuggestions, ids({quoting, answer_id}));
    ASSERT_EQ(answer.status, 200) << json::serialize(answer.body);
    EXPECT_EQ(prompt().find("CAROLS SECRET"), std::string::npos);
    EXPECT_NE(prompt().find("indeed >_<"), std::string::npos);
    EXPECT_EQ(answer.event("prepared")->at("dropped").at(0).at("event_id").as_string(), answer_id);
    EXPECT_EQ(answer.event("prepared")->at("dropped").at(0).at("reason").as_string(), "no_consent");

    world.consent(carol, room);
    const auto allowed = world.post(alice, kSuggestions, ids({quoting, answer_id}));
    EXPECT_TRUE(allowed.event("prepared")->at("dropped").as_array().empty());
    EXPECT_NE(prompt().find("CAROLS SECRET"), std::string::npos);
}

TEST_F(Assist, consent_ends_with_the_membership_of_who_gave_it) {
    world.consent(bob, room);
    const auto event = world.say(bob, room, "hello there");
    EXPECT_EQ(world.post(alice, kSuggestions, ids({event})).status, 200);
    const auto left =
        world.post(bob, "/_matrix/client/v3/rooms/" + base::percent_encode(room) + "/leave", {});
    ASSERT_EQ(left.status, 200);
    EXPECT_EQ(world.post(alice, kSuggestions, ids({event})).errcode(), "IM.LINGXI.CONSENT_NEEDED");
    EXPECT_TRUE(status().at("consents").as_array().empty());
}

TEST_F(Assist, consent_that_can_no_longer_be_taken_back_is_none) {
    world.consent(bob, room);
    const auto event = world.say(bob, room, "hello there");
    EXPECT_EQ(world.post(alice, kSuggestions, ids({event})).status, 200);
    world.set_state(alice, room, "m.room.power_levels", "", {{"events", {{"im.lingxi.consent", 100}}}});
    EXPECT_EQ(world.post(alice, kSuggestions, ids({event})).errcode(), "IM.LINGXI.CONSENT_NEEDED");
    EXPECT_TRUE(status().at("consents").as_array().empty());
    world.set_state(alice, room, "m.room.power_levels", "", {{"events", {{"im.lingxi.consent", 0}}}});
    EXPECT_EQ(world.post(alice, kSuggestions, ids({event})).status, 200);
}

TEST_F(Assist, names_in_a_draft_and_names_of_this_room_alone_are_hidden_too) {
    world.set_state(bob, room, "m.room.member", bob.user_id,
                    {{"membership", "join"}, {"displayname", "Captain Wave"}});
    world.fake->script.deltas = {"告诉人物A"};
    const auto answer = world.post(
        alice, kTranslations,
        {{"room_id", room}, {"text", "Tell 王小波, or captain wave, hello"}, {"target_language", "zh"}});
    ASSERT_TRUE(answer.event("done")) << json::serialize(answer.body);
    EXPECT_EQ(prompt().find("王小波"), std::string::npos);
    EXPECT_EQ(prompt().find("captain"), std::string::npos);
    std::string text;
    for (const auto& delta : answer.all("delta")) text += std::string_view(delta.at("text").as_string());
    EXPECT_EQ(text, "告诉王小波");
}

TEST_F(Assist, a_draft_that_names_no_room_goes_nowhere) {
    const json::object draft{{"text", "Tell 王小波 hello"}, {"target_language", "zh"}};
    const auto refused = world.post(alice, kTranslations, draft);
    EXPECT_EQ(refused.status, 400);
    EXPECT_EQ(refused.errcode(), "M_MISSING_PARAM");
    json::object nowhere = draft;
    nowhere["room_id"] = "";
    EXPECT_EQ(world.post(alice, kTranslations, nowhere).status, 400);
    json::object here = draft;
    here["room_id"] = room;
    world.set_state(alice, room, "im.lingxi.ai_policy", "", {{"ai", "forbidden"}});
    EXPECT_EQ(world.post(alice, kTranslations, here).errcode(), "IM.LINGXI.AI_FORBIDDEN_IN_ROOM");
    EXPECT_TRUE(world.fake->requests.empty());
    EXPECT_TRUE(world.get(alice, kReceipts).body.at("receipts").as_array().empty());
    world.set_state(alice, room, "im.lingxi.ai_policy", "", {{"ai", "allowed"}});
    ASSERT_TRUE(world.post(alice, kTranslations, here).event("done"));
    const auto receipts = world.get(alice, kReceipts).body;
    EXPECT_EQ(receipts.at("receipts").at(0).at("room_id").as_string(), room);
}

TEST_F(Assist, handles_and_people_who_left_are_hidden_too) {
    const auto carol = world.person("carol77", "Carol Danvers");
    const auto dave = world.person("dave88", "Dave");
    world.join(carol, room);
    world.set_state(carol, room, "m.room.member", carol.user_id,
                    {{"membership", "join"}, {"displayname", "Captain Wave"}});
    world.leave(carol, room);
    world.consent(bob, room);
    const auto event =
        world.say(bob, room, "carol77, Danvers or captain wave: ask @dave88:here.example. Yours, Bob");
    ASSERT_TRUE(world.post(alice, kSuggestions, ids({event})).event("done"));
    for (const char* name : {"carol", "Danvers", "captain", "dave", "Bob"})
        EXPECT_EQ(prompt().find(name), std::string::npos) << name << " in " << prompt();
}

TEST_F(Assist, a_stand_in_that_somebody_wrote_is_no_name) {
    world.fake->script.deltas = {"人物A 告诉 人物B"};
    const auto answer =
        world.post(alice, kTranslations,
                   {{"room_id", room}, {"text", "Person A tells 王小波"}, {"target_language", "zh"}});
    ASSERT_TRUE(answer.event("done")) << json::serialize(answer.body);
    std::string text;
    for (const auto& delta : answer.all("delta")) text += std::string_view(delta.at("text").as_string());
    EXPECT_EQ(text, "人物A 告诉 王小波");
}

TEST_F(Assist, what_was_forwarded_is_nobodys_to_hand_over) {
    world.consent(bob, room);
    const json::object forwarded{
        {"msgtype", "m.text"}, {"body", "CAROLS WORDS"}, {"im.lingxi.forwarded", true}};
    const auto by_bob = world.send(bob, room, forwarded);
    const auto own = world.send(alice, room, forwarded);
    world.edit(alice, room, own, "CAROLS WORDS, changed");
    const auto event = world.say(bob, room, "what do you say?");
    const auto answer = world.post(alice, kSuggestions, ids({by_bob, own, event}));
    ASSERT_TRUE(answer.event("prepared"));
    EXPECT_EQ(answer.event("prepared")->at("dropped").as_array().size(), 2U);
    EXPECT_EQ(prompt().find("CAROLS"), std::string::npos);
    EXPECT_EQ(world.post(alice, kSuggestions, ids({by_bob})).errcode(), "IM.LINGXI.NOBODY_TO_ASK");
    EXPECT_EQ(
        world.post(alice, kTranslations, {{"room_id", room}, {"event_id", own}, {"target_language", "zh"}})
            .errcode(),
        "IM.LINGXI.NOBODY_TO_ASK");
    EXPECT_EQ(world.fake->requests.size(), 1U);
}

TEST_F(Assist, quotes_in_a_draft_do_not_leave) {
    const auto answer =
        world.post(alice, kTranslations,
                   {{"room_id", room}, {"text", "> BOBS WORDS\n>$5000\nmine"}, {"target_language", "zh"}});
    ASSERT_TRUE(answer.event("done")) << json::serialize(answer.body);
    EXPECT_EQ(prompt().find("BOBS"), std::string::npos);
    EXPECT_EQ(prompt().find("5000"), std::string::npos);
    EXPECT_NE(prompt().find("mine"), std::string::npos);
    EXPECT_EQ(world
                  .post(alice, kTranslations,
                        {{"room_id", room}, {"text", "> BOBS WORDS"}, {"target_language", "zh"}})
                  .status,
              400);
}

TEST_F(Assist, what_is_known_is_known_to_a_room_or_to_who_wrote_a_draft) {
    world.fake->script.deltas = {"译文"};
    const json::object draft{{"room_id", room}, {"text", "Hello"}, {"target_language", "zh"}};
    const auto event = world.say(alice, room, "Hello");
    const json::object message{{"room_id", room}, {"event_id", event}, {"target_language", "zh"}};
    world.post(alice, kTranslations, draft);
    world.post(bob, kTranslations, draft);
    world.post(alice, kTranslations, message);
    world.consent(alice, room);
    world.post(bob, kTranslations, message);
    ASSERT_EQ(world.fake->requests.size(), 4U);
    const auto scope = [&](std::size_t i) { return world.fake->requests[i].reuse_scope; };
    EXPECT_NE(scope(0), scope(1));
    EXPECT_NE(scope(0), scope(2));
    EXPECT_EQ(scope(2), scope(3));
    EXPECT_FALSE(scope(0).empty());
    EXPECT_EQ(scope(2).find(room), std::string::npos);
}

TEST_F(Assist, the_offline_method_is_built_once_somebody_is_there_who_will_ask) {
    const auto is_ready = [&] {
        return world.runtime.metrics().text().find("assistant_chips_ready 1") != std::string::npos;
    };
    EXPECT_FALSE(is_ready());
    status();
    EXPECT_TRUE(world.until(is_ready));
}

TEST_F(Assist, bad_wishes_are_refused) {
    const auto event = world.say(bob, room, "hello");
    EXPECT_EQ(world.post(alice, kSuggestions, ids({})).status, 400);
    EXPECT_EQ(world.post(alice, kSuggestions, ids(std::vector<std::string>(51, event))).status, 400);
    EXPECT_EQ(world.post(alice, kSuggestions, {{"room_id", room}, {"event_ids", {1, 2}}}).status, 400);
    EXPECT_EQ(
        world.post(alice, kTranslations, {{"room_id", room}, {"text", "x"}, {"target_language", "zh\n"}})
            .status,
        400);
    EXPECT_EQ(world.post(alice, kTranslations, {{"room_id", room}, {"target_language", "zh"}}).status, 400);
    EXPECT_EQ(world
                  .post(alice, kTranslations,
                        {{"room_id", room}, {"text", std::string(9000, 'x')}, {"target_language", "zh"}})
                  .status,
              413);
    EXPECT_EQ(world.post(alice, kChips, {{"room_id", room}, {"event_id", "$none"}}).status, 404);
    EXPECT_EQ(world.get(alice, std::string(kReceipts) + "?from=x").status, 400);
}

TEST_F(Assist, the_label_key_is_public_and_survives_a_restart) {
    const auto before = world.get(alice, "/_lingxi/client/v1/assist/label-key").text("public_key");
    EXPECT_EQ(before.size(), 43U);
    world.restart();
    EXPECT_EQ(world.get(alice, "/_lingxi/client/v1/assist/label-key").text("public_key"), before);
}

}  // namespace
}  // namespace assistant::test
