#include "budget.h"
#include "converse_fixture.h"

#include <boost/asio/post.hpp>

#include <base/encoding.h>
#include <identity/users.h>

namespace assistant::test {
namespace {

namespace json = base::json;

TEST_F(Converse, joins_where_it_is_invited_says_who_it_is_and_answers_in_a_chat_of_two) {
    const auto room = with_assistant({alice});
    const auto question = world.say(alice, room, "你是谁");
    EXPECT_TRUE(answers(alice, room, "我是程序。"));
    EXPECT_TRUE(is_done(question));
    const auto said = from_assistant(alice, room);
    ASSERT_EQ(said.size(), 2U);
    const auto& content = said[1].at("content").as_object();
    EXPECT_EQ(content.at("msgtype").as_string(), "m.notice");
    EXPECT_EQ(content.at("im.lingxi.ai").at("kind").as_string(), "generated");
    EXPECT_EQ(content.at("im.lingxi.ai").at("call_id").as_string(), call_id_for(question).value);
    EXPECT_TRUE(world.assistant->verify_content("m.room.message", content));
    const auto receipts =
        world.get(alice, "/_lingxi/client/v1/assist/receipts").body.at("receipts").as_array();
    ASSERT_EQ(receipts.size(), 1U);
    EXPECT_EQ(receipts[0].at("purpose").as_string(), "converse");
}

TEST_F(Converse, answers_in_a_group_only_who_speaks_to_it_and_hands_over_nobody_elses_words) {
    const auto room = with_assistant({alice, bob});
    world.say(bob, room, "BOBS SECRET");
    const auto question =
        world.send(alice, room,
                   {{"msgtype", "m.text"},
                    {"body", "> <@bob:here.example> BOBS SECRET\n\n@assistant 王小波是谁"},
                    {"m.mentions", {{"user_ids", json::value_from(std::vector{world.assistant_id})}}}});
    EXPECT_TRUE(is_done(question));
    ASSERT_EQ(world.fake->requests.size(), 1U);
    const auto& sent = world.fake->requests[0].messages.back().content;
    EXPECT_EQ(sent, "人物A是谁");
    const auto said = from_assistant(alice, room);
    ASSERT_EQ(said.size(), 2U);
    EXPECT_EQ(said[1].at("content").at("m.relates_to").at("m.in_reply_to").at("event_id").as_string(),
              question);
}

TEST_F(Converse, words_from_before_the_two_were_alone_are_not_for_it) {
    const auto carol = world.person("carol", "Carol");
    const auto room = world.room({alice, bob});
    world.say(alice, room, "ALICE BEFORE IT CAME");
    world.say(alice, room, "@assistant ALICE BEFORE IT CAME");
    world.invite(alice, room, world.assistant_id);
    ASSERT_TRUE(world.until([&] { return from_assistant(alice, room).size() == 1; }));
    world.say(bob, room, "BOB AMONG THREE");
    world.say(alice, room, "ALICE AMONG THREE");
    world.leave(bob, room);
    world.restart();  // it looks for what it missed
    EXPECT_TRUE(is_done(world.say(alice, room, "现在只有我们")));
    ASSERT_EQ(world.fake->requests.size(), 1U);
    EXPECT_EQ(world.fake->requests[0].messages.back().content, "现在只有我们");

    world.invite(alice, room, carol.user_id);
    world.say(alice, room, "to carol, who is to come");
    EXPECT_TRUE(is_done(world.say(alice, room, "@assistant 你呢")));
    EXPECT_EQ(world.fake->requests.size(), 2U);
}

TEST_F(Converse, people_who_talk_among_themselves_take_no_questions_place) {
    const auto room = with_assistant({alice, bob});
    const auto other = with_assistant({admin});
    world.fake->script.hangs_before_prepared = true;
    world.say(alice, room, "@assistant 第一个");
    EXPECT_TRUE(world.until([&] { return world.fake->hanging == 1; }));
    for (int i = 0; i < 300; ++i) world.say(alice, room, "between alice and bob " + std::to_string(i));
    const auto second = world.say(alice, room, "@assistant 第二个");
    world.fake->script.hangs_before_prepared = false;
    EXPECT_TRUE(is_done(world.say(admin, other, "elsewhere")))
        << "another room's question is answered meanwhile";
    world.await(world.fake->stop());
    world.fake->attach();
    EXPECT_TRUE(is_done(second));
    EXPECT_EQ(world.fake->requests.back().messages.back().content, "第二个");
    EXPECT_EQ(world.fake->requests.size(), 3U);
}

TEST_F(Converse, a_missed_question_is_found_among_what_others_said) {
    const auto room = with_assistant({alice, bob});
    world.fake->script.hangs_before_prepared = true;
    const auto question = world.say(alice, room, "@assistant 问题");
    for (int i = 0; i < 12; ++i) world.say(alice, room, "between alice and bob " + std::to_string(i));
    const auto last = world.say(alice, room, "@assistant 还有一个");
    EXPECT_TRUE(world.until([&] { return world.fake->hanging == 1; }));
    world.fake->script.hangs_before_prepared = false;
    world.restart();
    EXPECT_TRUE(is_done(question));
    EXPECT_TRUE(is_done(last));
}

TEST_F(Converse, a_question_is_found_after_a_restart_behind_whatever_was_said_since) {
    const auto room = with_assistant({alice, bob});
    world.fake->script.hangs_before_prepared = true;
    world.say(alice, room, "@assistant 第一个");
    ASSERT_TRUE(world.until([&] { return world.fake->hanging == 1; }));
    const auto waiting = world.say(bob, room, "@assistant 第二个");
    const auto self = world.read([&](storage::Transaction& tx) -> base::Result<identity::UserNumber> {
        return *identity::find_user(tx, world.assistant_id);
    });
    const auto its_own = std::string(from_assistant(alice, room).back().at("event_id").as_string());
    for (int i = 0; i < 60; ++i) {
        world.say(alice, room, "between alice and bob " + std::to_string(i));
        const json::object words{{"msgtype", "m.notice"}, {"body", "an edit " + std::to_string(i)}};
        json::object edit = words;
        edit["m.new_content"] = words;
        edit["m.relates_to"] = json::object{{"rel_type", "m.replace"}, {"event_id", its_own}};
        ASSERT_TRUE(world.await(world.chat->send(
            {.sender = *self, .room_id = room, .type = "m.room.message", .content = std::move(edit)})));
    }
    world.fake->script.hangs_before_prepared = false;
    world.restart();
    EXPECT_TRUE(is_done(waiting));
    EXPECT_EQ(world.fake->requests.back().messages.back().content, "第二个");
}

TEST_F(Converse, a_question_of_long_ago_is_not_answered_out_of_nowhere) {
    const auto room = with_assistant({alice, bob});
    world.fake->script.hangs_before_prepared = true;
    const auto first = world.say(alice, room, "@assistant 第一个");
    ASSERT_TRUE(world.until([&] { return world.fake->hanging == 1; }));
    const auto waiting = world.say(bob, room, "@assistant 第二个");
    world.clock.advance(std::chrono::hours(2));
    world.fake->script.hangs_before_prepared = false;
    world.restart();
    EXPECT_TRUE(is_done(first));
    EXPECT_TRUE(is_done(world.say(alice, room, "@assistant 第三个"))) << "the room is looked at by then";
    EXPECT_FALSE(is_noted(waiting));
}

TEST_F(Converse, a_forwarded_message_is_no_question_of_ones_own) {
    const auto room = with_assistant({alice});
    const auto question = world.send(
        alice, room, {{"msgtype", "m.text"}, {"body", "BOBS WORDS"}, {"im.lingxi.forwarded", true}});
    EXPECT_TRUE(is_done(question));
    EXPECT_NE(answer(alice, room).find("forwarded"), std::string::npos);
    EXPECT_TRUE(is_done(world.say(alice, room, "a question")));
    ASSERT_EQ(world.fake->requests.size(), 1U);
    for (const auto& message : world.fake->requests[0].messages)
        EXPECT_EQ(message.content.find("BOBS"), std::string::npos);
}

TEST_F(Converse, who_asked_and_left_is_not_answered) {
    const auto room = with_assistant({alice, bob});
    world.fake->script.hangs_before_prepared = true;
    world.say(alice, room, "@assistant first");
    EXPECT_TRUE(world.until([&] { return world.fake->hanging == 1; }));
    world.say(bob, room, "@assistant BOBS WORDS");  // waits for its turn
    world.leave(bob, room);
    world.fake->script.hangs_before_prepared = false;
    world.await(world.fake->stop());
    world.fake->attach();
    EXPECT_TRUE(is_done(world.say(alice, room, "@assistant second")));
    for (const auto& request : world.fake->requests)
        EXPECT_EQ(request.messages.back().content.find("BOBS WORDS"), std::string::npos);
    EXPECT_EQ(world.fake->requests.size(), 2U);
}

TEST_F(Converse, a_question_that_is_changed_before_it_goes_is_asked_as_it_is_now) {
    const auto room = with_assistant({alice});
    std::string question;
    world.while_it_is_prepared([&] { world.edit(alice, room, question, "改过的问题"); },
                               [&] { return !question.empty(); });
    question = world.say(alice, room, "第一个问题");
    EXPECT_TRUE(answers(alice, room, "我是程序。"));
    ASSERT_EQ(world.fake->requests.size(), 2U);
    EXPECT_EQ(world.fake->requests[1].messages.back().content, "改过的问题");
    EXPECT_EQ(world.fake->went, 1);
}

TEST_F(Converse, put_out_of_the_room_before_the_call_goes_it_asks_nothing) {
    const auto room = with_assistant({alice});
    std::string question;
    world.while_it_is_prepared(
        [&] {
            world.post(alice, "/_matrix/client/v3/rooms/" + base::percent_encode(room) + "/kick",
                       {{"user_id", world.assistant_id}});
        },
        [&] { return !question.empty(); });
    question = world.say(alice, room, "问题");
    EXPECT_TRUE(is_done(question));
    EXPECT_EQ(world.fake->went, 0);
}

TEST_F(Converse, a_question_that_is_taken_back_before_it_goes_is_not_asked) {
    const auto room = with_assistant({alice});
    std::string question;
    world.while_it_is_prepared([&] { world.redact(alice, room, question); },
                               [&] { return !question.empty(); });
    question = world.say(alice, room, "第一个问题");
    EXPECT_TRUE(is_done(question));
    EXPECT_EQ(world.fake->went, 0);
    EXPECT_EQ(from_assistant(alice, room).size(), 1U) << "nothing but its greeting";
}

TEST_F(Converse, a_mention_may_stand_anywhere_but_in_an_address_or_a_quote) {
    const auto room = with_assistant({alice, bob});
    world.say(alice, room, "write to me@assistant.example");
    world.say(alice, room, "> @assistant what\nthat was bob");
    world.say(alice, room, "@assistants are many");
    const auto question = world.say(alice, room, "what do you think, @assistant?");
    EXPECT_TRUE(is_done(question));
    EXPECT_TRUE(is_done(world.say(bob, room, "听说@灵犀很聪明")));
    EXPECT_EQ(world.fake->requests.size(), 2U);
}

TEST_F(Converse, is_seen_to_be_writing_while_it_answers) {
    const auto room = with_assistant({alice});
    const auto typists = [&] {
        std::vector<std::string> found;
        const auto sync = world.get(alice, "/_matrix/client/v3/sync?timeout=0");
        const auto& rooms = sync.body.at("rooms").at("join").as_object();
        for (const auto& event : rooms.at(room).at("ephemeral").at("events").as_array()) {
            if (event.at("type").as_string() != "m.typing") continue;
            for (const auto& user : event.at("content").at("user_ids").as_array())
                found.emplace_back(user.as_string());
        }
        return found;
    };
    EXPECT_TRUE(typists().empty());
    world.fake->script.hangs_before_prepared = true;
    world.say(alice, room, "问题");
    EXPECT_TRUE(world.until([&] { return world.fake->hanging == 1; }));
    EXPECT_EQ(typists(), std::vector<std::string>{world.assistant_id});
    world.await(world.fake->stop());
    world.fake->attach();
    EXPECT_TRUE(world.until([&] { return typists().empty(); }));
}

TEST_F(Converse, remembers_what_the_same_person_said_to_it_before) {
    const auto room = with_assistant({alice});
    EXPECT_TRUE(is_done(world.say(alice, room, "第一个问题")));
    EXPECT_TRUE(is_done(world.say(alice, room, "第二个问题")));
    ASSERT_EQ(world.fake->requests.size(), 2U);
    const auto& messages = world.fake->requests[1].messages;
    ASSERT_EQ(messages.size(), 4U);
    EXPECT_EQ(messages[1].content, "第一个问题");
    EXPECT_EQ(messages[2].content, "我是程序。");
    EXPECT_EQ(messages[3].content, "第二个问题");
}

TEST_F(Converse, says_from_the_first_how_much_of_what_was_said_before_goes_to_a_model) {
    const auto room = with_assistant({alice});
    ASSERT_TRUE(world.until([&] { return !from_assistant(alice, room).empty(); }));
    for (int i = 0; i < 8; ++i) ASSERT_TRUE(is_done(world.say(alice, room, "question " + std::to_string(i))));
    // The rules, what was said before, the question.
    const auto before = (world.fake->requests.back().messages.size() - 2) / 2;
    EXPECT_GT(before, 0U);
    const std::string greeting(from_assistant(alice, room)[0].at("content").at("body").as_string());
    EXPECT_NE(greeting.find("最多 " + std::to_string(before) + " 轮"), std::string::npos) << greeting;
    EXPECT_NE(greeting.find("up to " + std::to_string(before) + " of each"), std::string::npos) << greeting;
}

TEST_F(Converse, answers_neither_bots_nor_edits_nor_itself) {
    const auto room = with_assistant({alice});
    world.send(alice, room, {{"msgtype", "m.notice"}, {"body", "@assistant beep"}});
    const auto question = world.say(alice, room, "真的问题");
    world.send(alice, room,
               {{"msgtype", "m.text"},
                {"body", "* 改过的问题"},
                {"m.new_content", {{"msgtype", "m.text"}, {"body", "改过的问题"}}},
                {"m.relates_to", {{"rel_type", "m.replace"}, {"event_id", question}}}});
    EXPECT_TRUE(is_done(question));
    EXPECT_TRUE(is_done(world.say(alice, room, "再见")));
    EXPECT_EQ(world.fake->went, 2) << "the edit is no question; one that comes in time changes the first";
}

TEST_F(Converse, says_plainly_why_it_cannot_answer) {
    const auto room = with_assistant({alice});
    world.put(admin, "/_lingxi/admin/v1/budget", {{"person_tokens_per_day", 1}});
    EXPECT_TRUE(is_done(world.say(alice, room, "问题一")));
    EXPECT_NE(answer(alice, room).find("用完"), std::string::npos);
    world.put(admin, "/_lingxi/admin/v1/budget", {{"person_tokens_per_day", 100000}});

    world.fake->script.before_prepared =
        base::Error{base::ErrorKind::unavailable, "model.none_configured", "None.", {}};
    EXPECT_TRUE(is_done(world.say(alice, room, "And a question?")));
    EXPECT_NE(answer(alice, room).find("No model"), std::string::npos);

    world.set_state(alice, room, "im.lingxi.ai_policy", "", {{"ai", "forbidden"}});
    EXPECT_TRUE(is_done(world.say(alice, room, "问题三")));
    EXPECT_NE(answer(alice, room).find("不允许"), std::string::npos);
    EXPECT_FALSE(from_assistant(alice, room).back().at("content").as_object().contains("im.lingxi.ai"))
        << "its own words are no model's";
}

TEST_F(Converse, everybody_who_asks_is_told_why_not_and_who_asks_again_in_the_same_line) {
    const auto room = with_assistant({alice, bob});
    world.put(admin, "/_lingxi/admin/v1/budget", {{"person_tokens_per_day", 1}});
    EXPECT_TRUE(is_done(world.say(alice, room, "@assistant 问题一")));
    EXPECT_TRUE(is_done(world.say(bob, room, "@assistant 问题二")));
    EXPECT_EQ(from_assistant(alice, room).size(), 3U) << "what alice was told says nothing to bob";
    EXPECT_TRUE(is_done(world.say(alice, room, "@assistant 问题三")));
    EXPECT_TRUE(is_done(world.say(alice, room, "@assistant 问题四")));
    EXPECT_EQ(from_assistant(alice, room).size(), 3U);
    EXPECT_NE(answer(alice, room).find("用完"), std::string::npos);
    EXPECT_NE(answer(alice, room).find(" 3 "), std::string::npos) << answer(alice, room);
    world.put(admin, "/_lingxi/admin/v1/budget", {{"person_tokens_per_day", 100000}});
    world.set_state(alice, room, "im.lingxi.ai_policy", "", {{"ai", "forbidden"}});
    EXPECT_TRUE(is_done(world.say(alice, room, "@assistant 问题五")));
    EXPECT_EQ(from_assistant(alice, room).size(), 4U) << "another reason";
}

TEST_F(Converse, who_has_too_many_questions_waiting_is_told_which_are_not_taken_on) {
    const auto room = with_assistant({alice});
    world.fake->script.hangs_before_prepared = true;
    world.say(alice, room, "第一个");
    ASSERT_TRUE(world.until([&] { return world.fake->hanging == 1; }));
    std::vector<std::string> waiting;
    for (int i = 0; i < 8; ++i) waiting.push_back(world.say(alice, room, "问题" + std::to_string(i)));
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(is_done(world.say(alice, room, "太多" + std::to_string(i))));
    EXPECT_EQ(from_assistant(alice, room).size(), 2U) << "one line, which counts";
    EXPECT_NE(answer(alice, room).find(" 3 "), std::string::npos) << answer(alice, room);
    world.fake->script.hangs_before_prepared = false;
    world.restart();
    for (const auto& question : waiting) EXPECT_TRUE(is_done(question));
    for (const auto& request : world.fake->requests)
        EXPECT_FALSE(request.messages.back().content.starts_with("太多"));
}

TEST_F(Converse, in_an_encrypted_room_says_once_that_it_cannot_read) {
    const auto room = with_assistant({alice});
    world.set_state(alice, room, "m.room.encryption", "", {{"algorithm", "m.megolm.v1.aes-sha2"}});
    EXPECT_TRUE(world.until([&] { return from_assistant(alice, room).size() == 2; }));
    world.send(alice, room, {{"algorithm", "m.megolm.v1.aes-sha2"}, {"ciphertext", "x"}}, "m.room.encrypted");
    world.say(alice, room, "in the clear");
    world.restart();
    world.send(alice, room, {{"algorithm", "m.megolm.v1.aes-sha2"}, {"ciphertext", "y"}}, "m.room.encrypted");
    const auto other = with_assistant({bob});
    EXPECT_TRUE(is_done(world.say(bob, other, "hello")));
    EXPECT_EQ(from_assistant(alice, room).size(), 2U);
    EXPECT_EQ(world.fake->requests.size(), 1U);
}

TEST_F(Converse, a_restart_after_the_call_went_answers_once_and_does_not_ask_again) {
    const auto room = with_assistant({alice});
    world.fake->script.hangs_after_deltas = true;
    const auto question = world.say(alice, room, "很长的问题");
    EXPECT_TRUE(world.until([&] { return world.fake->went == 1; }));
    world.restart();
    EXPECT_TRUE(is_done(question));
    EXPECT_EQ(world.fake->requests.size(), 1U) << "one event, one call";
    EXPECT_NE(answer(alice, room).find("重启"), std::string::npos);
    world.restart();
    world.fake->script.hangs_after_deltas = false;
    EXPECT_TRUE(is_done(world.say(bob, with_assistant({bob}), "hello")));
    EXPECT_EQ(from_assistant(alice, room).size(), 2U);
}

TEST_F(Converse, a_question_that_was_written_while_it_was_away_is_answered_after_the_start) {
    const auto room = with_assistant({alice});
    world.fake->script.hangs_before_prepared = true;
    const auto question = world.say(alice, room, "问题");
    EXPECT_TRUE(world.until([&] { return world.fake->requests.size() == 1; }));
    world.fake->script.hangs_before_prepared = false;
    world.restart();
    EXPECT_TRUE(answers(alice, room, "我是程序。")) << "nothing had left: the call is made after all";
    EXPECT_TRUE(is_done(question));
}

TEST_F(Converse, an_answer_is_read_where_a_refusal_was_sent_before_a_crash) {
    const auto room = with_assistant({alice});
    world.fake->script.hangs_before_prepared = true;
    const auto question = world.say(alice, room, "问题");
    ASSERT_TRUE(world.until([&] { return world.fake->requests.size() == 1; }));
    const auto assistant =
        world.read([&](storage::Transaction& tx) -> base::Result<std::optional<identity::UserNumber>> {
            return identity::find_user(tx, world.assistant_id);
        });
    world.await(world.chat->send({.sender = **assistant,
                                  .room_id = room,
                                  .type = "m.room.message",
                                  .content = {{"msgtype", "m.notice"}, {"body", "Not now."}},
                                  .txn_id = "answer-" + world.fake->requests[0].call_id.value}));
    world.fake->script.hangs_before_prepared = false;
    world.restart();
    EXPECT_TRUE(is_done(question));
    EXPECT_EQ(answer(alice, room), "我是程序。");
}

TEST_F(Converse, an_answer_that_breaks_off_says_so) {
    const auto room = with_assistant({alice});
    world.fake->script.after_deltas =
        base::Error{base::ErrorKind::unavailable, "model.bad_answer", "Bad.", {}};
    EXPECT_TRUE(is_done(world.say(alice, room, "问题")));
    EXPECT_NE(answer(alice, room).find("中断"), std::string::npos);
}

TEST_F(Converse, an_answer_that_the_model_server_took_back_is_gone_wherever_it_stood) {
    const auto room = with_assistant({alice});
    world.fake->script.retracted = true;
    world.fake->script.finish_reason = "sensitive";
    world.fake->script.deltas = {"WITHDRAWN ", "WORDS"};
    for (const bool is_shown_before : {false, true}) {
        const auto before = from_assistant(alice, room).size();
        if (is_shown_before) {
            world.fake->before_end = [&]() -> runtime::Task<void> {
                for (bool is_shown = false; !is_shown;) {
                    boost::asio::post(world.runtime.io(), [&] {
                        is_shown = answer(alice, room).find("WITHDRAWN") != std::string::npos;
                    });
                    co_await runtime::sleep_for(std::chrono::milliseconds(50));
                }
            };
        }
        EXPECT_TRUE(is_done(world.say(alice, room, "问题")));
        world.fake->before_end = {};
        for (const auto& event : world.messages(alice, room))
            EXPECT_EQ(json::serialize(event).find("WITHDRAWN"), std::string::npos);
        const auto said = from_assistant(alice, room);
        EXPECT_EQ(said.size(), before + (is_shown_before ? 2 : 1))
            << "what was shown, emptied, and our words";
        EXPECT_NE(answer(alice, room).find("撤回"), std::string::npos);
        EXPECT_FALSE(said.back().at("content").as_object().contains("im.lingxi.ai"));
    }
    world.fake->script = {};
    EXPECT_TRUE(is_done(world.say(alice, room, "另一个问题")));
    for (const auto& message : world.fake->requests.back().messages)
        EXPECT_EQ(message.content.find("WITHDRAWN"), std::string::npos);
}

TEST_F(Converse, a_crash_after_an_answer_was_redacted_still_says_why) {
    const auto room = with_assistant({alice});
    world.fake->script.deltas = {"WITHDRAWN"};
    world.fake->script.hangs_after_deltas = true;
    const auto question = world.say(alice, room, "问题");
    EXPECT_TRUE(answers(alice, room, "WITHDRAWN"));
    const auto shown = from_assistant(alice, room).back();
    const auto taken_back = world.write([&](storage::Transaction& tx) -> base::Result<void> {
        set_answer(tx, question, AnswerState::begun, "");
        return {};
    });
    ASSERT_TRUE(taken_back);
    world.redact(alice, room, std::string(shown.at("event_id").as_string()));
    world.restart();
    EXPECT_TRUE(is_done(question));
    EXPECT_NE(answer(alice, room).find("重启"), std::string::npos);
}

TEST_F(Converse, of_an_account_that_ended_meanwhile_nothing_is_said) {
    const auto room = with_assistant({alice, bob});
    world.while_it_is_prepared([&] {
        const auto ended = world.write([&](storage::Transaction& tx) -> base::Result<void> {
            tx.prepare("UPDATE identity_accounts SET deactivated_at_ms = 1 WHERE user_number = ?1")
                .bind(bob.user)
                .run();
            return {};
        });
        EXPECT_TRUE(ended);
    });
    EXPECT_TRUE(is_done(world.say(bob, room, "@assistant BOBS WORDS")));
    EXPECT_EQ(world.fake->went, 0);
    EXPECT_EQ(from_assistant(alice, room).size(), 1U) << "nothing but its greeting";
}

TEST_F(Converse, an_answer_that_reached_its_limit_says_so) {
    const auto room = with_assistant({alice});
    world.fake->script.finish_reason = "length";
    EXPECT_TRUE(is_done(world.say(alice, room, "很长的问题")));
    EXPECT_EQ(answer(alice, room).find("我是程序。"), 0U);
    EXPECT_NE(answer(alice, room).find("太长"), std::string::npos);
    world.fake->script.deltas = {};
    EXPECT_TRUE(is_done(world.say(alice, room, "And one that it thinks about?")));
    EXPECT_NE(answer(alice, room).find("before it had said anything"), std::string::npos);
}

TEST_F(Converse, a_crash_before_the_note_of_the_first_words_leaves_no_half_answer_as_if_whole) {
    const auto room = with_assistant({alice});
    world.fake->script.deltas = {"半个回答"};
    world.fake->script.hangs_after_deltas = true;
    const auto question = world.say(alice, room, "问题");
    EXPECT_TRUE(answers(alice, room, "半个回答"));
    const auto forgotten = world.write([&](storage::Transaction& tx) -> base::Result<void> {
        set_answer(tx, question, AnswerState::begun, "");
        return {};
    });
    ASSERT_TRUE(forgotten);
    world.restart();
    EXPECT_TRUE(is_done(question));
    EXPECT_NE(answer(alice, room).find("重启"), std::string::npos);
    EXPECT_EQ(from_assistant(alice, room).size(), 2U);
    const auto noted = world.read([&](storage::Transaction& tx) -> base::Result<std::string> {
        return find_answer(tx, question)->answer_event_id;
    });
    EXPECT_FALSE(noted->empty());
}

TEST_F(Converse, a_long_answer_comes_in_edits_of_one_message) {
    const auto room = with_assistant({alice});
    world.fake->script.deltas = {"第一段"};
    world.fake->script.hangs_after_deltas = true;
    world.say(alice, room, "讲个故事");
    // It shows what has come while the rest is still being written.
    EXPECT_TRUE(answers(alice, room, "第一段"));
    world.await(world.fake->stop());
    world.fake->attach();
    EXPECT_TRUE(world.until([&] { return answer(alice, room).find("中断") != std::string::npos; }));
    EXPECT_EQ(from_assistant(alice, room).size(), 2U);
}

}  // namespace
}  // namespace assistant::test
