#include "converse_fixture.h"

#include <atomic>
#include <span>
#include <string_view>

#include <base/log.h>
#include <identity/users.h>

namespace assistant::test {
namespace {

std::atomic<int> unread = 0;
void count_unread(base::LogLevel, std::string_view event, std::span<const base::LogField>) {
    if (event == "assistant.cannot_read") ++unread;
}

/// What the database or chat does not do for a moment loses no question and no answer.
struct Again : Converse {
    Again() { base::set_log_sink(count_unread); }
    ~Again() override { base::set_log_sink(nullptr); }
    Again(const Again&) = delete;
    Again& operator=(const Again&) = delete;

    void execute(const std::string& sql) {
        const auto done = world.write([&](storage::Transaction& tx) -> base::Result<void> {
            tx.execute(sql);
            return {};
        });
        ASSERT_TRUE(done);
    }
    /// `event`: "BEFORE … ON assistant_answer"; a fault in the job.
    void refuse(const std::string& event, const std::string& when) {
        execute("CREATE TRIGGER refuse " + event + " WHEN " + when +
                " BEGIN SELECT abs(-9223372036854775807 - new.state / new.state); END");
    }
    void take_again() { execute("DROP TRIGGER refuse"); }
    /// What was taken on cannot be read, nor anything noted.
    void hide_answers() { execute("ALTER TABLE assistant_answer RENAME TO hidden_answer"); }
    void show_answers() { execute("ALTER TABLE hidden_answer RENAME TO assistant_answer"); }
    /// No question can be read: all else can.
    void hide_settings() { execute("ALTER TABLE assistant_settings RENAME TO hidden_settings"); }
    void show_settings() { execute("ALTER TABLE hidden_settings RENAME TO assistant_settings"); }
    bool one_fails_more_than(std::uint64_t before) {
        return world.until([&] { return failed() > before; });
    }
    /// Jobs that write.
    std::uint64_t failed() const { return world.database->statistics().failed_jobs; }
    /// Jobs that read, of the assistant.
    bool one_is_unread_more_than(int before) {
        return world.until([&] { return unread > before; });
    }
    identity::UserNumber self() {
        return *world.read([&](storage::Transaction& tx) -> base::Result<identity::UserNumber> {
            return *identity::find_user(tx, world.assistant_id);
        });
    }
    void note_as_begun(const std::string& question, const std::string& answer_event_id) {
        const auto noted = world.write([&](storage::Transaction& tx) -> base::Result<void> {
            set_answer(tx, question, AnswerState::begun, answer_event_id);
            return {};
        });
        ASSERT_TRUE(noted);
    }
    /// The id of a question whose call had not gone when the assistant stopped; the next one goes.
    std::string taken_on_at_a_stop(const std::string& room) {
        world.fake->script.hangs_before_prepared = true;
        auto question = world.say(alice, room, "问题");
        EXPECT_TRUE(world.until([&] { return world.fake->hanging == 1; }));
        world.fake->script.hangs_before_prepared = false;
        world.await(world.assistant->stop());
        return question;
    }
    /// In the room since before a crash, and nothing was said there yet.
    void comes_and_says_nothing(const std::string& room) {
        world.invite(alice, room, world.assistant_id);
        ASSERT_TRUE(world.await(world.chat->join(self(), room)));
    }
    bool greets(const std::string& room) {
        return world.until([&] { return !from_assistant(alice, room).empty(); });
    }
    static constexpr const char* kUnread = "What was written before I came";
};

TEST_F(Again, a_question_that_cannot_be_noted_as_taken_on_is_answered_once_it_can) {
    const auto room = with_assistant({alice});
    refuse("BEFORE INSERT ON assistant_answer", "true");
    const auto before = failed();
    const auto question = world.say(alice, room, "问题");
    ASSERT_TRUE(one_fails_more_than(before));
    take_again();
    EXPECT_TRUE(is_done(question));
    EXPECT_EQ(answer(alice, room), "我是程序。");
    EXPECT_EQ(world.fake->requests.size(), 1U);
}

TEST_F(Again, a_question_that_cannot_be_read_is_answered_once_it_can) {
    const auto room = with_assistant({alice});
    hide_settings();
    const int before = unread;
    const auto question = world.say(alice, room, "问题");
    ASSERT_TRUE(one_is_unread_more_than(before));
    show_settings();
    EXPECT_TRUE(is_done(question));
    EXPECT_EQ(answer(alice, room), "我是程序。");
}

TEST_F(Again, what_an_earlier_start_took_on_and_this_one_cannot_read_is_not_taken_for_withdrawn) {
    const auto room = with_assistant({alice});
    const auto question = taken_on_at_a_stop(room);
    hide_settings();
    const int before = unread;
    world.restart();
    ASSERT_TRUE(one_is_unread_more_than(before));
    show_settings();
    EXPECT_TRUE(is_done(question));
    EXPECT_EQ(answer(alice, room), "我是程序。");
}

TEST_F(Again, a_start_that_cannot_read_what_was_left_open_takes_it_up_once_it_can) {
    const auto room = with_assistant({alice});
    const auto taken_on = taken_on_at_a_stop(room);
    const auto missed = world.say(alice, room, "还有");
    hide_answers();
    const int before = unread;
    world.restart();
    ASSERT_TRUE(one_is_unread_more_than(before));
    show_answers();
    EXPECT_TRUE(is_done(taken_on));
    EXPECT_TRUE(is_done(missed));
}

TEST_F(Again, whoever_is_to_be_told_that_too_many_wait_is_told_once_the_question_can_be_read) {
    const auto room = with_assistant({alice});
    world.fake->script.hangs_before_prepared = true;
    world.say(alice, room, "第一个");
    ASSERT_TRUE(world.until([&] { return world.fake->hanging == 1; }));
    for (int i = 0; i < 8; ++i) world.say(alice, room, "问题" + std::to_string(i));
    hide_settings();
    const int before = unread;
    const auto declined = world.say(alice, room, "太多");
    ASSERT_TRUE(one_is_unread_more_than(before));
    show_settings();
    EXPECT_TRUE(is_done(declined));
    EXPECT_EQ(from_assistant(alice, room).size(), 2U) << "its greeting, and why not";
}

TEST_F(Again, the_end_of_an_answer_is_noted_once_it_can_be) {
    const auto room = with_assistant({alice});
    refuse("BEFORE UPDATE ON assistant_answer", "new.state = 2");
    const auto before = failed();
    const auto question = world.say(alice, room, "问题");
    EXPECT_TRUE(answers(alice, room, "我是程序。"));
    ASSERT_TRUE(one_fails_more_than(before));
    take_again();
    EXPECT_TRUE(is_done(question));
}

TEST_F(Again, a_whole_answer_stands_also_where_a_crash_came_before_the_note_of_its_end) {
    const auto room = with_assistant({alice});
    const auto question = world.say(alice, room, "问题");
    ASSERT_TRUE(is_done(question));
    const auto said = std::string(from_assistant(alice, room).back().at("event_id").as_string());
    for (const auto& noted : {said, std::string()}) {
        note_as_begun(question, noted);
        world.restart();
        EXPECT_TRUE(is_done(question));
        EXPECT_EQ(answer(alice, room), "我是程序。");
        EXPECT_EQ(from_assistant(alice, room).size(), 2U);
    }
    EXPECT_EQ(world.fake->requests.size(), 1U);
}

TEST_F(Again, a_half_answer_whose_rest_was_never_sent_is_not_taken_for_whole) {
    const auto room = with_assistant({alice});
    world.fake->script.deltas = {"第一段"};
    world.fake->script.finish_reason = "length";
    std::atomic<bool> may_end = false;
    world.fake->before_end = [&]() -> runtime::Task<void> {
        while (!may_end) co_await runtime::sleep_for(std::chrono::milliseconds(5));
    };
    const auto question = world.say(alice, room, "讲个故事");
    EXPECT_TRUE(answers(alice, room, "第一段"));
    // From now on chat takes nothing of it.
    execute(
        "CREATE TRIGGER refuse BEFORE INSERT ON event BEGIN SELECT abs(-9223372036854775807 - "
        "(new.sender_number = " +
        std::to_string(self().value) + ")); END");
    const auto before = failed();
    may_end = true;
    ASSERT_TRUE(one_fails_more_than(before));
    world.await(world.assistant->stop());
    take_again();
    world.restart();
    EXPECT_TRUE(is_done(question));
    EXPECT_NE(answer(alice, room).find("重启"), std::string::npos) << answer(alice, room);
}

TEST_F(Again, a_greeting_that_a_crash_kept_back_is_said_in_the_newest_room_however_many_there_are) {
    const auto one = world.room({bob});
    const auto assistant = std::to_string(self().value);
    execute(
        "WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 3100) "
        "INSERT INTO membership (room_number, user_number, membership, position, since_position, "
        "sender_number) SELECT i, " +
        assistant + ", 1, 1, 1, " + assistant + " FROM n");
    execute(
        "INSERT INTO room (room_number, room_id, version, creator_number, created_at_ms) SELECT 5000, "
        "'!far:here.example', version, creator_number, created_at_ms FROM room WHERE room_id = '" +
        one + "'");
    const auto room = world.room({alice});
    world.await(world.assistant->stop());
    comes_and_says_nothing(room);
    world.restart();
    EXPECT_TRUE(greets(room));
}

TEST_F(Again, what_was_asked_after_it_came_is_nothing_that_it_read_of_before) {
    const auto room = world.room({alice});
    world.await(world.assistant->stop());
    comes_and_says_nothing(room);
    const auto question = world.say(alice, room, "@assistant 你好");
    world.restart();
    EXPECT_TRUE(is_done(question));
    EXPECT_TRUE(world.until([&] { return from_assistant(alice, room).size() == 2; }));
    bool is_said = false;
    for (const auto& event : from_assistant(alice, room))
        is_said = is_said || event.at("content").at("body").as_string().find(kUnread) != std::string::npos;
    EXPECT_TRUE(is_said);
}

}  // namespace
}  // namespace assistant::test
