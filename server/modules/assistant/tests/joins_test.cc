#include "converse_fixture.h"

#include <functional>
#include <utility>

#include <identity/users.h>

namespace assistant::test {
namespace {

namespace json = base::json;

struct Joins : Converse {
    /// A chat with @assistant as clients make one, and what is written in it before it can have come.
    std::string chat_of_two(const Person& person, const std::vector<std::string>& words) {
        const auto made = world.post(person, "/_matrix/client/v3/createRoom",
                                     {{"preset", "private_chat"},
                                      {"is_direct", true},
                                      {"invite", json::value_from(std::vector{world.assistant_id})}});
        EXPECT_EQ(made.status, 200) << json::serialize(made.body);
        for (const auto& line : words) world.say(person, made.text("room_id"), line);
        return made.text("room_id");
    }
    /// It is not told of anything: what is written now was written before it joined.
    void while_it_is_away(const std::function<void()>& what) {
        world.await(world.assistant->stop());
        what();
        world.restart();
    }
    bool greets(const Person& reader, const std::string& room) {
        return world.until([&] { return !from_assistant(reader, room).empty(); });
    }
    std::string greeting_in(const Person& reader, const std::string& room) {
        return std::string(from_assistant(reader, room).at(0).at("content").at("body").as_string());
    }
    /// As many slow answers as there are workers.
    void keep_busy(int answers) {
        world.fake->script.hangs_before_prepared = true;
        for (int i = 0; i < answers; ++i) {
            const auto name = "busy" + std::to_string(i);
            const auto person = world.person(name, name);
            world.say(person, with_assistant({person}), "a long question");
            ASSERT_TRUE(world.until([&] { return world.fake->hanging == i + 1; }));
        }
        world.fake->script.hangs_before_prepared = false;
    }
    void let_go() {
        world.await(world.fake->stop());
        world.fake->attach();
    }
    static constexpr const char* kUnread = "What was written before I came";
};

TEST_F(Joins, comes_and_greets_while_all_who_answer_wait_for_a_model) {
    keep_busy(4);
    const auto room = chat_of_two(alice, {});
    EXPECT_TRUE(greets(alice, room));
    EXPECT_EQ(world.fake->requests.size(), 4U);
    let_go();
    EXPECT_TRUE(is_done(world.say(alice, room, "你是谁")));
}

TEST_F(Joins, answers_what_whoever_invited_it_wrote_before_it_came) {
    std::string room;
    while_it_is_away([&] { room = chat_of_two(alice, {"你好"}); });
    EXPECT_TRUE(answers(alice, room, "我是程序。"));
    ASSERT_EQ(world.fake->requests.size(), 1U);
    EXPECT_EQ(world.fake->requests[0].messages.back().content, "你好");
    EXPECT_EQ(greeting_in(alice, room).find(kUnread), std::string::npos) << "it has read it";
    world.restart();
    EXPECT_TRUE(is_done(world.say(alice, room, "再见")));
    EXPECT_EQ(world.fake->requests.size(), 2U) << "once";
}

TEST_F(Joins, reads_nothing_of_before_where_the_chat_does_not_show_it) {
    std::string room;
    while_it_is_away([&] {
        room = chat_of_two(alice, {});
        world.set_state(alice, room, "m.room.history_visibility", "", {{"history_visibility", "joined"}});
        world.say(alice, room, "ALICE BEFORE IT CAME");
    });
    EXPECT_TRUE(greets(alice, room));
    EXPECT_TRUE(is_done(world.say(alice, room, "现在呢")));
    ASSERT_EQ(world.fake->requests.size(), 1U);
    EXPECT_EQ(world.fake->requests[0].messages.back().content, "现在呢");
    EXPECT_NE(greeting_in(alice, room).find(kUnread), std::string::npos);
}

TEST_F(Joins, words_of_before_it_was_invited_or_to_others_are_not_for_it) {
    std::string group;
    std::string left;
    while_it_is_away([&] {
        // Said before the invitation, and among others after it.
        group = world.room({alice, bob});
        world.say(alice, group, "@assistant BEFORE THE INVITATION");
        world.invite(alice, group, world.assistant_id);
        world.say(alice, group, "ALICE TO BOB");
        world.say(bob, group, "@assistant BOBS WORDS");
        // To another who was invited too, and went before it came.
        left = world.room({admin});
        world.invite(admin, left, world.assistant_id);
        world.invite(admin, left, bob.user_id);
        world.say(admin, left, "ROOT TO BOB");
        world.join(bob, left);
        world.leave(bob, left);
    });
    EXPECT_TRUE(greets(alice, group));
    EXPECT_TRUE(greets(admin, left));
    EXPECT_TRUE(is_done(world.say(alice, group, "@assistant 一")));
    EXPECT_TRUE(is_done(world.say(admin, left, "二")));
    ASSERT_EQ(world.fake->requests.size(), 2U);
    for (const auto& request : world.fake->requests) {
        for (const auto& message : request.messages) {
            for (const char* words : {"BEFORE", "ALICE", "BOBS", "ROOT"})
                EXPECT_EQ(message.content.find(words), std::string::npos) << message.content;
        }
    }
}

TEST_F(Joins, a_mention_by_whoever_invited_it_to_a_group_is_answered) {
    std::string group;
    std::string question;
    while_it_is_away([&] {
        group = world.room({alice, bob});
        world.invite(alice, group, world.assistant_id);
        question = world.say(alice, group, "@assistant 你来了吗");
    });
    EXPECT_TRUE(is_done(question));
    EXPECT_EQ(world.fake->requests.size(), 1U);
}

TEST_F(Joins, takes_every_invitation_however_many_stood_while_it_was_away) {
    std::vector<std::string> rooms;
    while_it_is_away([&] {
        for (int i = 0; i < 300; ++i) rooms.push_back(chat_of_two(alice, {}));
    });
    for (const auto& room : rooms) EXPECT_TRUE(greets(alice, room));
}

TEST_F(Joins, greets_after_a_restart_where_a_crash_came_before) {
    const auto room = world.room({alice});
    const auto self = world.read([&](storage::Transaction& tx) -> base::Result<identity::UserNumber> {
        return *identity::find_user(tx, world.assistant_id);
    });
    while_it_is_away([&] {
        world.invite(alice, room, world.assistant_id);
        ASSERT_TRUE(world.await(world.chat->join(*self, room)));
    });
    EXPECT_TRUE(greets(alice, room));
    world.restart();
    EXPECT_TRUE(is_done(world.say(alice, room, "你好")));
    EXPECT_EQ(from_assistant(alice, room).size(), 2U) << "once";
}

/// Chat takes nothing that it says in a room, for a reason that passes.
struct Refused : Joins {
    void refuse_in(const std::string& room) {
        const auto made = world.write([&](storage::Transaction& tx) -> base::Result<void> {
            auto number = tx.prepare("SELECT room_number FROM room WHERE room_id = ?1");
            number.bind(room);
            number.step();
            const auto self = identity::find_user(tx, world.assistant_id);
            const auto name = std::to_string(number.integer(0));
            // A fault in the job: a number that is too large, for what it says here alone.
            tx.execute("CREATE TRIGGER refuse_" + name +
                       " BEFORE INSERT ON event BEGIN SELECT abs(-9223372036854775807 - (new.room_number = " +
                       name + " AND new.sender_number = " + std::to_string(self->value) + ")); END");
            names.push_back(name);
            return {};
        });
        ASSERT_TRUE(made);
    }
    void take_again() {
        const auto dropped = world.write([&](storage::Transaction& tx) -> base::Result<void> {
            for (const auto& name : names) tx.execute("DROP TRIGGER refuse_" + name);
            return {};
        });
        ASSERT_TRUE(dropped);
        names.clear();
    }
    json::object receipt(const Person& person) {
        const auto all =
            world.get(person, "/_lingxi/client/v1/assist/receipts").body.at("receipts").as_array();
        return all.empty() ? json::object{} : all.at(0).as_object();
    }
    std::vector<std::string> names;
};

TEST_F(Refused, answers_are_posted_once_chat_takes_them_and_hold_up_no_other_room) {
    std::vector<std::pair<Person, std::string>> chats;
    for (int i = 0; i < 5; ++i) {
        const auto name = "person" + std::to_string(i);
        const auto person = world.person(name, name);
        chats.emplace_back(person, with_assistant({person}));
        refuse_in(chats.back().second);
        world.say(person, chats.back().second, "a question");
        // More of these than there are workers.
        ASSERT_TRUE(world.until([&] {
            const auto kept = receipt(person);
            return !kept.empty() && kept.at("outcome").as_string() == "done";
        }));
    }
    const auto other = with_assistant({alice});
    EXPECT_TRUE(is_done(world.say(alice, other, "你是谁")));
    for (const auto& [person, room] : chats) EXPECT_EQ(from_assistant(person, room).size(), 1U);
    take_again();
    for (const auto& [person, room] : chats) {
        EXPECT_TRUE(answers(person, room, "我是程序。"));
        EXPECT_EQ(from_assistant(person, room).size(), 2U);
        EXPECT_EQ(receipt(person).at("outcome").as_string(), "done");
        EXPECT_EQ(receipt(person).at("output_tokens").as_int64(), 12);
    }
    EXPECT_EQ(world.fake->requests.size(), 6U) << "nothing is asked twice";
}

TEST_F(Refused, people_are_told_why_not_once_chat_takes_it_and_elsewhere_at_once) {
    const auto first = with_assistant({alice});
    const auto second = with_assistant({bob});
    world.put(admin, "/_lingxi/admin/v1/budget", {{"ai_enabled", false}});
    refuse_in(first);
    const auto untold = world.say(alice, first, "问题一");
    ASSERT_TRUE(world.until([&] { return is_noted(untold); }));
    EXPECT_TRUE(is_done(world.say(bob, second, "问题二")));
    EXPECT_EQ(from_assistant(alice, first).size(), 1U);
    take_again();
    EXPECT_TRUE(is_done(untold));
    EXPECT_NE(answer(alice, first).find("关闭"), std::string::npos);
}

TEST_F(Refused, an_invitation_that_chat_cannot_take_yet_is_taken_later_and_others_at_once) {
    std::string first;
    while_it_is_away([&] {
        first = chat_of_two(alice, {});
        refuse_in(first);
    });
    const auto second = chat_of_two(bob, {});
    EXPECT_TRUE(greets(bob, second));
    take_again();
    EXPECT_TRUE(greets(alice, first));
}

TEST_F(Joins, ten_questions_at_once_that_have_no_answer_are_told_in_few_edits) {
    const auto room = with_assistant({alice});
    world.put(admin, "/_lingxi/admin/v1/budget", {{"ai_enabled", false}});
    std::vector<std::string> questions;
    for (int i = 0; i < 10; ++i) questions.push_back(world.say(alice, room, "问题" + std::to_string(i)));
    for (const auto& question : questions) EXPECT_TRUE(is_done(question));
    EXPECT_EQ(from_assistant(alice, room).size(), 2U) << "one line, which counts";
    EXPECT_NE(answer(alice, room).find(" 10 "), std::string::npos) << answer(alice, room);
    std::size_t edits = 0;
    for (const auto& event : world.messages(alice, room))
        edits += event.at("content").as_object().contains("m.new_content") ? 1 : 0;
    EXPECT_LT(edits, 9U) << "what comes within a second is counted in one";
}

}  // namespace
}  // namespace assistant::test
