#include "assist_fixture.h"

namespace assistant::test {
namespace {

namespace json = base::json;

/// A call ends, and for the moment that cannot be written.
struct SettledLater : AssistTest {
    Answer translate() {
        return world.post(alice, kTranslations,
                          {{"room_id", room}, {"text", "Hello"}, {"target_language", "zh"}});
    }
    std::string outcome() {
        return std::string(world.get(alice, kReceipts).body.at("receipts").at(0).at("outcome").as_string());
    }
    void translate_unsettled() {
        world.refuse("BEFORE UPDATE ON model_call WHEN new.ended_at_ms IS NOT NULL");
        world.fake->script.deltas = {"译"};
        EXPECT_TRUE(translate().event("done")) << "whoever asked has the answer all the same";
        EXPECT_EQ(outcome(), "unknown");
        EXPECT_GT(used(), 52) << "the hold stands";
    }
};

TEST_F(SettledLater, it_is_settled_at_what_was_used_once_that_can_be_written) {
    translate_unsettled();
    world.take_again();
    EXPECT_TRUE(world.until([&] { return outcome() == "done"; }));
    EXPECT_EQ(used(), 52);
}

TEST_F(SettledLater, a_stop_tries_once_more) {
    translate_unsettled();
    world.take_again();
    world.restart();
    EXPECT_EQ(outcome(), "done");
    EXPECT_EQ(used(), 52);
}

TEST_F(SettledLater, what_never_went_is_given_back) {
    world.refuse("BEFORE DELETE ON model_call");
    world.fake->script.before_prepared =
        base::Error{base::ErrorKind::unavailable, "model.none_available", "None.", {}};
    EXPECT_EQ(translate().status, 503);
    EXPECT_GT(used(), 0);
    world.take_again();
    EXPECT_TRUE(world.until([&] { return used() == 0; }));
}

}  // namespace
}  // namespace assistant::test
