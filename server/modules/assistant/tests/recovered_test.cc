#include "assist_fixture.h"

namespace assistant::test {
namespace {

namespace json = base::json;

/// A start that finds calls open which it cannot settle: the disk is full, say.
struct RecoveredLater : AssistTest {
    json::object draft() const { return {{"room_id", room}, {"text", "Hello"}, {"target_language", "zh"}}; }
    json::object newest_receipt() {
        return world.get(alice, kReceipts).body.at("receipts").at(0).as_object();
    }
    std::string open_call() {
        world.fake->script.hangs_after_go = true;
        open.push_back(world.raw(alice, net::Method::post, kTranslations, draft()));
        EXPECT_EQ(open.back().status, 200) << open.back().body;
        world.fake->script.hangs_after_go = false;
        return std::string(newest_receipt().at("call_id").as_string());
    }
    bool has_ended(const std::string& call_id) {
        const auto receipt = world.get(alice, std::string(kReceipts) + "/" + call_id).body;
        return !receipt.at("output_tokens").is_null();
    }

    std::vector<net::Response> open;
};

TEST_F(RecoveredLater, people_are_served_and_what_was_open_is_settled_once_that_can_be) {
    const auto before = open_call();
    world.refuse("BEFORE UPDATE ON model_call WHEN new.call_id = '" + before + "'");
    open.clear();
    world.restart();
    world.fake->script.deltas = {"你好"};
    const auto answer = world.post(alice, kTranslations, draft());
    ASSERT_TRUE(answer.event("done")) << json::serialize(answer.body);
    json::object content{
        {"msgtype", "m.text"}, {"body", "你好"}, {"im.lingxi.ai", answer.event("done")->at("label")}};
    EXPECT_EQ(world.try_send(alice, room, std::move(content)).status, 200) << "labels are known";
    const auto since = open_call();
    EXPECT_FALSE(has_ended(before));

    const auto asked_in = world.room({alice});
    world.invite(alice, asked_in, world.assistant_id);
    world.take_again();
    EXPECT_TRUE(world.until([&] { return has_ended(before); }));
    EXPECT_FALSE(has_ended(since)) << "a call of after the start";
    EXPECT_TRUE(world.until([&] { return !world.messages(alice, asked_in).empty(); })) << "it listens again";
    open.clear();
    EXPECT_TRUE(world.until([&] { return has_ended(since); }));
}

}  // namespace
}  // namespace assistant::test
