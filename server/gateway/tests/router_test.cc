#include "router.h"

#include "answer_cache.h"

#include <filesystem>
#include <optional>
#include <string>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <gtest/gtest.h>

namespace gateway {
namespace {

using namespace std::chrono_literals;
using egress::Lane;

egress::Provider provider(std::string id, int places = 1) {
    return {.id = std::move(id), .base_url = "http://127.0.0.1:9/v1", .model = "m", .max_concurrent = places};
}

class RouterTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = std::filesystem::temp_directory_path() / "lingxi-router-XXXXXX";
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        directory_ = name;
        store_.emplace(*ProviderStore::open(directory_ / "gateway.toml", false));
        router_.emplace(runtime_, clock_, *store_);
    }
    void TearDown() override {
        for (const auto& entry : entries_) entry->given_up = true;
        router_->wake("p");
        turn();
        entries_.clear();
        std::filesystem::remove_all(directory_);
    }

    /// What came of waiting for a place; nothing while it waits.
    struct Entry {
        std::optional<base::Result<Router::Place>> result;
        bool given_up = false;
        bool entered() const { return result && result->has_value(); }
        std::string code() const { return result && !*result ? result->error().code : ""; }
    };
    std::shared_ptr<Entry> enter(Lane lane = Lane::interactive, int places = 1) {
        auto entry = entries_.emplace_back(std::make_shared<Entry>());
        boost::asio::co_spawn(runtime_.io(), wait(entry, lane, places), boost::asio::detached);
        turn();
        return entry;
    }
    runtime::Task<void> wait(std::shared_ptr<Entry> entry, Lane lane, int places) {
        auto result = co_await router_->enter({provider("p", places), {}}, lane, clock_.steady_now() + 1h,
                                              [entry] { return entry->given_up; });
        entry->result.emplace(std::move(result));
    }
    void leave(const std::shared_ptr<Entry>& entry) {
        entry->result.reset();
        turn();
    }
    void turn() {
        runtime_.io().restart();
        while (runtime_.io().poll() > 0) {
        }
    }
    void fail(int times) {
        for (int i = 0; i < times; ++i) router_->failed("p");
    }

    std::filesystem::path directory_;
    runtime::Runtime runtime_;
    std::vector<std::shared_ptr<Entry>> entries_;
    base::ManualClock clock_;
    std::optional<ProviderStore> store_;
    std::optional<Router> router_;
};

TEST_F(RouterTest, only_the_server_that_was_agreed_to_fits) {
    ASSERT_TRUE(store_->put(provider("here"), {}));
    auto cloud = provider("cloud");
    cloud.base_url = "https://cloud.example/v1";
    cloud.name = "Cloud";
    ASSERT_TRUE(store_->put(cloud, {}));
    const auto fitting = [&](bool this_machine_only, std::string name) {
        egress::ModelRequest request{.call_id = egress::CallId("c")};
        request.this_machine_only = this_machine_only;
        request.provider_name = std::move(name);
        const auto found = router_->fitting(request);
        std::string ids = found ? "" : found.error().code;
        if (found) {
            for (const auto& one : *found) ids += one.shown.id + " ";
        }
        return ids;
    };
    EXPECT_EQ(fitting(false, ""), "here cloud ");
    EXPECT_EQ(fitting(true, ""), "here ");
    EXPECT_EQ(fitting(false, "Cloud"), "cloud ");
    EXPECT_EQ(fitting(true, "here"), "here ");
    EXPECT_EQ(fitting(true, "Cloud"), "model.none_available");
}

TEST_F(RouterTest, a_provider_stands_until_it_is_removed_switched_off_or_changed) {
    ASSERT_TRUE(store_->put(provider("p"), "key"));
    const StoredProvider offered = *store_->find("p");
    const auto change = [&](auto&& what) {
        auto changed = offered.shown;
        what(changed);
        ASSERT_TRUE(store_->put(changed, "key"));
    };
    EXPECT_TRUE(router_->still_stands(offered, false));
    change([](egress::Provider& p) { p.max_concurrent = 9; });
    EXPECT_TRUE(router_->still_stands(offered, false)) << "words go where they would have gone";
    change([](egress::Provider& p) { p.enabled = false; });
    EXPECT_FALSE(router_->still_stands(offered, false));
    EXPECT_TRUE(router_->still_stands(offered, true)) << "a trial is of what is off, too";
    change([](egress::Provider& p) { p.base_url = "http://127.0.0.1:10/v1"; });
    EXPECT_FALSE(router_->still_stands(offered, true));
    change([](egress::Provider& p) { p.name = "Another"; });
    EXPECT_FALSE(router_->still_stands(offered, false));
    ASSERT_TRUE(store_->put(offered.shown, "another key"));
    EXPECT_FALSE(router_->still_stands(offered, false));
    ASSERT_TRUE(store_->put(offered.shown, "key"));
    EXPECT_TRUE(router_->still_stands(offered, false));
    ASSERT_TRUE(store_->remove("p"));
    EXPECT_FALSE(router_->still_stands(offered, true));
}

TEST_F(RouterTest, a_server_that_refuses_whatever_it_is_asked_rests) {
    for (int i = 0; i < 4; ++i) router_->refused("p");
    EXPECT_FALSE(router_->circuit_open("p")) << "it may be what one person asks for";
    router_->succeeded("p");
    for (int i = 0; i < 4; ++i) router_->refused("p");
    EXPECT_FALSE(router_->circuit_open("p")) << "something was answered between";
    router_->refused("p");
    EXPECT_TRUE(router_->circuit_open("p"));
    clock_.advance(5s);
    EXPECT_FALSE(router_->circuit_open("p"));
    router_->refused("p");
    clock_.advance(5s);
    EXPECT_TRUE(router_->circuit_open("p")) << "the pause doubles, as after other failures";
    clock_.advance(5s);
    EXPECT_FALSE(router_->circuit_open("p"));
}

TEST_F(RouterTest, providers_fit_in_their_order_of_preference) {
    EXPECT_EQ(router_->fitting({}).error().code, "model.none_configured");
    ASSERT_TRUE(store_->put(provider("far"), std::nullopt));
    auto elsewhere = provider("near");
    ASSERT_TRUE(store_->put(elsewhere, std::nullopt));
    elsewhere.id = "off";
    elsewhere.enabled = false;
    ASSERT_TRUE(store_->put(elsewhere, std::nullopt));
    ASSERT_TRUE(store_->reorder({"near", "far"}));
    const auto fitting = router_->fitting({});
    ASSERT_EQ(fitting->size(), 2U);
    EXPECT_EQ(fitting->front().shown.id, "near");
    EXPECT_EQ(router_->fitting({.provider_id = "far"})->size(), 1U);
    EXPECT_EQ(router_->fitting({.provider_id = "off"}).error().code, "model.none_available");
}

TEST_F(RouterTest, a_circuit_opens_after_three_failures_and_lets_one_call_look_again) {
    fail(2);
    EXPECT_FALSE(router_->circuit_open("p"));
    fail(1);
    EXPECT_TRUE(router_->circuit_open("p"));
    EXPECT_EQ(enter()->code(), "model.none_available");
    clock_.advance(5s);
    EXPECT_FALSE(router_->circuit_open("p"));
    const auto probe = enter(Lane::interactive, 5);
    EXPECT_TRUE(probe->entered());
    EXPECT_EQ(enter(Lane::interactive, 5)->code(), "model.none_available") << "one looks, the others wait";
    fail(1);
    leave(probe);
    clock_.advance(9s);
    EXPECT_TRUE(router_->circuit_open("p")) << "twice the pause";
    clock_.advance(1s);
    const auto again = enter();
    EXPECT_TRUE(again->entered());
    router_->succeeded("p");
    leave(again);
    EXPECT_TRUE(enter()->entered());
}

TEST_F(RouterTest, a_probe_that_was_given_up_lets_another_look) {
    fail(3);
    clock_.advance(5s);
    const auto probe = enter();
    leave(probe);
    EXPECT_TRUE(enter()->entered());
}

TEST_F(RouterTest, failures_of_what_was_under_way_do_not_lengthen_the_pause) {
    fail(10);
    clock_.advance(5s);
    EXPECT_FALSE(router_->circuit_open("p"));
}

TEST_F(RouterTest, a_server_that_asks_for_a_pause_gets_it) {
    router_->rest("p", 30s);
    clock_.advance(29s);
    EXPECT_TRUE(router_->circuit_open("p"));
    clock_.advance(1s);
    EXPECT_FALSE(router_->circuit_open("p"));
}

TEST_F(RouterTest, earlier_lanes_go_first_and_each_in_its_order) {
    const auto running = enter();
    ASSERT_TRUE(running->entered());
    const auto background = enter(Lane::background);
    const auto first = enter(Lane::interactive);
    const auto second = enter(Lane::interactive);
    leave(running);
    EXPECT_TRUE(first->entered());
    EXPECT_FALSE(second->result || background->result);
    leave(first);
    EXPECT_TRUE(second->entered());
    EXPECT_FALSE(background->result);
    leave(second);
    EXPECT_TRUE(background->entered());
}

TEST_F(RouterTest, a_lane_is_bounded) {
    const auto running = enter();
    std::vector<std::shared_ptr<Entry>> waiting;
    waiting.reserve(32);
    for (int i = 0; i < 32; ++i) waiting.push_back(enter());
    EXPECT_EQ(enter()->code(), "model.busy");
    for (const auto& entry : waiting) {
        EXPECT_FALSE(entry->result);
        entry->given_up = true;
    }
    router_->wake("p");
    turn();
    for (const auto& entry : waiting) EXPECT_EQ(entry->code(), "wire.cancelled");
}

TEST_F(RouterTest, whoever_would_wait_too_long_is_told_at_once_and_who_has_is_told_then) {
    const auto running = enter();
    const auto waiting = enter();
    clock_.advance(6s);
    EXPECT_EQ(enter()->code(), "model.busy") << "the first has waited for six seconds";
    EXPECT_FALSE(enter(Lane::user_async)->result) << "another lane has its own patience";
    clock_.advance(5s);
    router_->wake("p");
    turn();
    EXPECT_EQ(waiting->code(), "model.busy");
}

TEST(AnswerCache, holds_an_answer_for_a_while_and_forgets_a_changed_provider) {
    base::ManualClock clock;
    runtime::Runtime runtime;
    AnswerCache cache(runtime, clock);
    cache.put("p", "r", "aa", {"text", "stop"});
    ASSERT_TRUE(cache.find("p", "r", "aa"));
    EXPECT_EQ(cache.find("p", "r", "aa")->text, "text");
    EXPECT_FALSE(cache.find("q", "r", "aa"));
    EXPECT_FALSE(cache.find("p", "other room", "aa")) << "what is known in one room is not told in another";
    cache.put("q", "r", "aa", {"other", "stop"});
    cache.forget("p");
    EXPECT_FALSE(cache.find("p", "r", "aa"));
    clock.advance(10min);
    EXPECT_FALSE(cache.find("q", "r", "aa"));
}

TEST(AnswerCache, holds_no_words_for_longer_though_nobody_asks_any_more) {
    const base::SystemClock clock;
    runtime::Runtime runtime;
    AnswerCache cache(runtime, clock, 20ms);
    cache.put("p", "r", "aa", {"text", "stop"});
    cache.put("p", "r", "bb", {"text", "stop"});
    EXPECT_EQ(cache.size(), 2U);
    while (cache.size() > 0) ASSERT_GT(runtime.io().run_one(), 0U) << "nothing is planned";
    cache.put("p", "r", "cc", {"text", "stop"});
    runtime.io().restart();
    while (cache.size() > 0) ASSERT_GT(runtime.io().run_one(), 0U) << "nor for what comes later";
}

TEST(AnswerCache, is_bounded_in_number_and_bytes) {
    base::ManualClock clock;
    runtime::Runtime runtime;
    AnswerCache cache(runtime, clock);
    for (int i = 0; i < 2000; ++i) cache.put("p", "r", std::to_string(i), {"x", "stop"});
    EXPECT_FALSE(cache.find("p", "r", "900"));
    EXPECT_TRUE(cache.find("p", "r", "1999"));
    for (int i = 0; i < 12; ++i)
        cache.put("p", "r", "big" + std::to_string(i), {std::string(512 * 1024, 'x'), "stop"});
    EXPECT_FALSE(cache.find("p", "r", "1999"));
    EXPECT_FALSE(cache.find("p", "r", "big0"));
    EXPECT_TRUE(cache.find("p", "r", "big11"));
}

}  // namespace
}  // namespace gateway
