#include "assist_fixture.h"

namespace assistant::test {
namespace {

namespace json = base::json;

struct Stopping : AssistTest {
    json::object draft() const { return {{"room_id", room}, {"text", "Hello"}, {"target_language", "zh"}}; }
};

TEST_F(Stopping, ends_an_answer_that_is_being_read_in_words_and_begins_no_other) {
    world.fake->script.deltas = {"你"};
    world.fake->script.hangs_after_deltas = true;
    auto open = world.raw(alice, net::Method::post, kTranslations, draft());
    ASSERT_EQ(open.status, 200) << open.body;
    ASSERT_TRUE(world.until([&] { return world.fake->hanging == 1; }));
    world.assistant->release();
    const auto events = world.read_events(std::move(open));
    ASSERT_FALSE(events.empty());
    EXPECT_EQ(events.back().name, "error");
    EXPECT_EQ(events.back().data.at("errcode").as_string(), "IM.LINGXI.MODEL_UNAVAILABLE");
    EXPECT_EQ(world.post(alice, kTranslations, draft()).errcode(), "IM.LINGXI.MODEL_UNAVAILABLE");
    EXPECT_EQ(world.fake->requests.size(), 1U);
}

}  // namespace
}  // namespace assistant::test
