#include "assist_fixture.h"

#include <boost/asio/post.hpp>

namespace assistant::test {
namespace {

namespace json = base::json;

/// Somebody's account ends, and is forgotten, while a call in their name is under way.
struct Deactivated : AssistTest {
    const json::object draft{{"text", "Hello"}, {"target_language", "zh"}, {"room_id", room}};

    void deactivate_and_erase(const Person& person) {
        const auto ended = world.write([&](storage::Transaction& tx) -> base::Result<void> {
            tx.prepare("UPDATE identity_accounts SET deactivated_at_ms = 1 WHERE user_number = ?1")
                .bind(person.user)
                .run();
            return {};
        });
        EXPECT_TRUE(ended);
        EXPECT_TRUE(world.await(world.assistant->erase_user(person.user)));
    }
    /// Runs in a turn of its own, since it turns the loop itself.
    runtime::Task<void> in_a_turn(std::function<void()> what) {
        bool is_done = false;
        boost::asio::post(world.runtime.io(), [&] {
            what();
            is_done = true;
        });
        while (!is_done) co_await runtime::sleep_for(std::chrono::milliseconds(5));
    }
};

TEST_F(Deactivated, no_second_server_gets_their_words_and_no_row_is_left) {
    world.fake->script.provider_ids = {"cloud", "second"};
    world.fake->between = [&] { return in_a_turn([&] { deactivate_and_erase(bob); }); };
    const auto answer = world.post(bob, kTranslations, draft);
    EXPECT_FALSE(answer.event("done"));
    EXPECT_TRUE(world.until([&] { return world.fake->cancelled == 1; }));
    EXPECT_EQ(world.fake->went, 1);
    EXPECT_EQ(rows_of(bob), 0);
}

TEST_F(Deactivated, a_wish_from_before_reserves_nothing_and_lets_nothing_go) {
    world.while_it_is_prepared([&] { deactivate_and_erase(bob); });
    EXPECT_EQ(world.post(bob, kTranslations, draft).errcode(), "M_USER_DEACTIVATED");
    EXPECT_EQ(world.post(bob, kTranslations, draft).errcode(), "M_USER_DEACTIVATED");
    EXPECT_EQ(world.fake->requests.size(), 1U);
    EXPECT_EQ(world.fake->went, 0);
    EXPECT_EQ(rows_of(bob), 0);
}

}  // namespace
}  // namespace assistant::test
