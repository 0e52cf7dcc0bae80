#include "assist_fixture.h"

#include <future>

#include <runtime/task_group.h>

namespace assistant::test {
namespace {

namespace json = base::json;

/// The writer of the database does nothing else until this is let go.
class HeldWriter {
  public:
    explicit HeldWriter(World& world) : tasks_(world.runtime, "held") {
        tasks_.spawn(hold(world, free_.get_future().share()));
    }
    HeldWriter(const HeldWriter&) = delete;
    HeldWriter& operator=(const HeldWriter&) = delete;
    ~HeldWriter() { let_go(); }
    void let_go() {
        if (!std::exchange(is_free_, true)) free_.set_value();
    }

  private:
    static runtime::Task<void> hold(World& world, std::shared_future<void> free) {
        const auto held =
            co_await world.database->write({"held"}, [free](storage::Transaction&) -> base::Result<void> {
                free.wait();
                return {};
            });
        EXPECT_TRUE(held);
    }

    std::promise<void> free_;
    bool is_free_ = false;
    runtime::TaskGroup tasks_;
};

/// Who asks goes away before the words do (Connection cancels the handler).
struct Gone : AssistTest {
    void ask() {
        const auto read_answer = [](runtime::Task<net::Response> answer) -> runtime::Task<void> {
            std::ignore = co_await std::move(answer);
        };
        asking.spawn(
            read_answer(world.handler(alice, net::Method::post, kTranslations,
                                      {{"room_id", room}, {"text", "Hello"}, {"target_language", "zh"}})));
    }
    void go_away() {
        asking.cancel();
        ASSERT_TRUE(world.until([&] { return asking.size() == 0; }));
    }
    /// From here on.
    void watch_the_clock() {
        world.clock.read = [this] { has_looked = true; };
    }
    bool somebody_looks_at_the_clock() {
        const bool looked = world.until([&] { return has_looked; });
        world.clock.read = nullptr;
        return looked;
    }
    json::array receipts() { return world.get(alice, kReceipts).body.at("receipts").as_array(); }

    bool has_looked = false;
    runtime::TaskGroup asking{world.runtime, "asking"};
};

TEST_F(Gone, while_model_servers_are_asked_for_nothing_is_begun) {
    bool is_listing = false;
    bool may_go_on = false;
    world.fake->listed = [&]() -> runtime::Task<void> {
        is_listing = true;
        while (!may_go_on) co_await runtime::sleep_for(std::chrono::milliseconds(5));
    };
    ask();
    ASSERT_TRUE(world.until([&] { return is_listing; }));
    go_away();
    may_go_on = true;
    EXPECT_EQ(used(), 0);
    EXPECT_TRUE(world.fake->requests.empty());
}

TEST_F(Gone, while_its_tokens_are_reserved_the_gateway_hears_nothing_and_they_are_given_back) {
    status();  // who asks next finds the model servers known
    HeldWriter writer(world);
    watch_the_clock();
    ask();
    ASSERT_TRUE(somebody_looks_at_the_clock()) << "who reserves notes when";
    go_away();
    writer.let_go();
    EXPECT_TRUE(world.until([&] { return rows_of(alice) == 1; })) << "what was spent that day, and no call";
    EXPECT_EQ(used(), 0);
    EXPECT_TRUE(world.fake->requests.empty());
}

TEST_F(Gone, while_the_call_waits_for_its_turn_no_word_leaves_and_nothing_is_owed) {
    world.fake->script.hangs_before_prepared = true;
    ask();
    ASSERT_TRUE(world.until([&] { return world.fake->hanging == 1; }));
    EXPECT_GT(used(), 0);
    go_away();
    EXPECT_TRUE(world.until([&] { return world.fake->cancelled == 1 && used() == 0; }));
    EXPECT_TRUE(receipts().empty());
    EXPECT_EQ(world.fake->went, 0);
}

TEST_F(Gone, while_the_receipt_is_written_it_says_that_nothing_left) {
    std::optional<HeldWriter> writer;
    world.fake->preparing = [&]() -> runtime::Task<void> {
        writer.emplace(world);
        watch_the_clock();
        co_return;
    };
    ask();
    ASSERT_TRUE(somebody_looks_at_the_clock()) << "the receipt says when";
    go_away();
    writer->let_go();
    ASSERT_TRUE(world.until(
        [&] { return !receipts().empty() && receipts()[0].at("outcome").as_string() == "cancelled"; }));
    EXPECT_EQ(receipts()[0].at("left").as_string(), "no");
    EXPECT_EQ(receipts()[0].at("input_tokens").as_int64(), 0);
    EXPECT_EQ(used(), 0);
    EXPECT_EQ(world.fake->went, 0);
}

}  // namespace
}  // namespace assistant::test
