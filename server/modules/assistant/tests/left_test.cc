#include "assist_fixture.h"

namespace assistant::test {
namespace {

namespace json = base::json;
using egress::Left;

/// Whether what a receipt names has left, and what that costs.
struct WhatLeft : AssistTest {
    json::object draft() const { return {{"room_id", room}, {"text", "Hello"}, {"target_language", "zh"}}; }
    json::object receipt(std::size_t number = 0) {
        return world.get(alice, kReceipts).body.at("receipts").at(number).as_object();
    }
    std::string left(std::size_t number = 0) { return std::string(receipt(number).at("left").as_string()); }
    static base::Error failure(std::string code, egress::Fate fate) {
        return egress::with_fate({base::ErrorKind::unavailable, std::move(code), "", {}}, fate);
    }
    /// A call that its reader gives up after it was told to go, and before anything came.
    void give_up_one() {
        const int before = world.fake->hanging;
        auto open = world.raw(alice, net::Method::post, kTranslations, draft());
        ASSERT_EQ(open.status, 200) << open.body;
        ASSERT_TRUE(world.until([&] { return world.fake->hanging > before; }));
        open = {};
        ASSERT_TRUE(world.until([&] { return receipt().at("outcome").as_string() == "cancelled"; }));
    }
};

TEST_F(WhatLeft, is_what_the_gateway_says_where_a_call_failed) {
    for (const auto& [said, word] :
         {std::pair{Left::no, "no"}, {Left::yes, "yes"}, {Left::unknown, "unknown"}}) {
        world.fake->script.after_go = failure("model.unreachable", {.left = said, .nothing_owed = true});
        EXPECT_FALSE(world.post(alice, kTranslations, draft()).event("done"));
        EXPECT_EQ(receipt().at("outcome").as_string(), "failed");
        EXPECT_EQ(left(), word);
        EXPECT_GT(receipt().at("outbound_bytes").as_int64(), 0) << "what was to be given is still named";
    }
    const auto exported = world.get(alice, std::string(kReceipts) + "/export");
    EXPECT_NE(exported.written.find(R"("left":"no")"), std::string::npos);
    world.fake->script.after_go =
        base::Error{base::ErrorKind::unavailable, "model.unreachable", "Words.", {}};
    world.post(alice, kTranslations, draft());
    EXPECT_EQ(left(), "unknown") << "a gateway that does not say";
}

TEST_F(WhatLeft, is_told_by_what_came_back) {
    world.fake->script.deltas = {"你", "好"};
    ASSERT_TRUE(world.post(alice, kTranslations, draft()).event("done"));
    EXPECT_EQ(left(), "yes");
    world.fake->script.after_deltas = failure("model.bad_answer", {.left = Left::no, .nothing_owed = true});
    const auto before = used();
    ASSERT_TRUE(world.post(alice, kTranslations, draft()).event("error"));
    EXPECT_EQ(left(), "yes") << "whatever is said: an answer had begun";
    EXPECT_GT(used() - before, 256);
    world.fake->script = {};
    world.fake->script.known = true;
    world.fake->script.deltas = {"你好"};
    ASSERT_TRUE(world.post(alice, kTranslations, draft()).event("done"));
    EXPECT_EQ(left(), "no") << "it was known";
    world.fake->script.after_deltas = failure("model.bad_answer", {});
    ASSERT_TRUE(world.post(alice, kTranslations, draft()).event("error"));
    EXPECT_EQ(left(), "no");
}

TEST_F(WhatLeft, is_not_known_of_a_receipt_of_before_nor_while_a_call_runs) {
    world.fake->script.hangs_after_go = true;
    auto open = world.raw(alice, net::Method::post, kTranslations, draft());
    ASSERT_EQ(open.status, 200) << open.body;
    EXPECT_EQ(left(), "unknown");
    open = {};
    ASSERT_TRUE(world.until([&] { return receipt().at("outcome").as_string() == "cancelled"; }));
    world.fake->script = {};
    world.fake->script.deltas = {"译"};
    ASSERT_TRUE(world.post(alice, kTranslations, draft()).event("done"));
    ASSERT_TRUE(world.write([](storage::Transaction& tx) -> base::Result<void> {
        tx.prepare("UPDATE model_call SET has_left = NULL").run();
        return {};
    }));
    EXPECT_EQ(left(), "unknown");
}

TEST_F(WhatLeft, of_a_call_that_was_given_up_is_heard_from_the_gateway) {
    world.fake->script.hangs_after_go = true;
    world.fake->script.last_words = {.left = Left::no, .nothing_owed = true};
    give_up_one();
    EXPECT_EQ(left(), "no");
    EXPECT_EQ(receipt().at("cost_micros").as_int64(), 0);
    EXPECT_EQ(used(), 0) << "nothing is paid for what did not leave";
    world.fake->script.last_words = {.left = Left::yes, .nothing_owed = false};
    give_up_one();
    EXPECT_EQ(left(), "yes");
    const auto whole = used();
    EXPECT_GT(whole, 256) << "it may have been worked on";
    world.fake->script.last_words = {.left = Left::yes, .nothing_owed = true};
    give_up_one();
    EXPECT_EQ(used(), whole) << "the server had refused it";
    world.fake->script.last_words.reset();
    give_up_one();
    EXPECT_EQ(left(), "unknown");
    EXPECT_GT(used(), whole);
}

TEST_F(WhatLeft, is_told_of_the_server_that_failed_before_another_is_asked) {
    world.fake->script.provider_ids = {"cloud", "second"};
    world.fake->script.deltas = {"译"};
    for (const auto& [said, word] : {std::pair{Left::no, "no"}, {Left::yes, "yes"}}) {
        world.fake->script.left_before = said;
        ASSERT_TRUE(world.post(alice, kTranslations, draft()).event("done"));
        EXPECT_EQ(left(0), "yes");
        EXPECT_EQ(left(1), word);
    }
}

TEST_F(WhatLeft, is_not_known_after_a_crash) {
    world.fake->script.hangs_after_go = true;
    auto open = world.raw(alice, net::Method::post, kTranslations, draft());
    ASSERT_EQ(open.status, 200) << open.body;
    world.await(world.fake->stop());
    ASSERT_TRUE(world.until([&] { return receipt().at("outcome").as_string() == "failed"; }));
    EXPECT_EQ(left(), "unknown") << "the gateway went with it";
}

}  // namespace
}  // namespace assistant::test
