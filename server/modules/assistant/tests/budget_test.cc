#include "budget.h"

#include <gtest/gtest.h>

#include <assistant/assistant.h>
#include <identity/identity.h>
#include <storage/test_database.h>

namespace assistant {
namespace {

constexpr std::int64_t kNowMs = 1'700'000'000'000;
constexpr std::int64_t kDayMs = 86'400'000;
const identity::UserNumber kAlice{1};
const identity::UserNumber kBob{2};

struct Budget : testing::Test {
    Budget() {
        auto settings = budget_settings(tx);
        settings.person_tokens_per_day = 1000;
        settings.server_tokens_per_day = 1500;
        put_budget_settings(tx, settings);
    }

    Answered<void> hold(std::string_view id, identity::UserNumber user, std::int64_t tokens,
                        std::int64_t now_ms = kNowMs) {
        return reserve(tx,
                       {.call_id = egress::CallId(id),
                        .user = user,
                        .room_id = "!r",
                        .prompt_bytes = tokens - 100,
                        .output_limit_tokens = 100},
                       now_ms);
    }
    Answered<void> go(std::string_view id, std::int64_t outbound_bytes) {
        return tell_to_go(tx, egress::CallId(id),
                          {.outbound_sha256 = "00",
                           .outbound_bytes = outbound_bytes,
                           .provider_id = "p",
                           .provider_name = "P",
                           .model = "m",
                           .input_price_micros_per_million = 1'000'000,
                           .output_price_micros_per_million = 3'000'000,
                           .currency = "CNY"},
                          {kAlice}, kNowMs);
    }
    std::int64_t used(identity::UserNumber user, std::int64_t now_ms = kNowMs) {
        return spending_today(tx, user, now_ms).used_tokens;
    }

    storage::TestDatabase database{{identity::migrations(), migrations()}};
    storage::Transaction& tx = database.begin();
};

TEST_F(Budget, what_is_held_counts_against_the_person_and_the_server) {
    EXPECT_TRUE(hold("a", kAlice, 600));
    const auto refused = hold("b", kAlice, 401);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().error.code, "IM.LINGXI.BUDGET_EXHAUSTED");
    EXPECT_TRUE(refused.error().more.contains("resets_at_ms"));
    EXPECT_TRUE(hold("b", kAlice, 400));
    EXPECT_FALSE(hold("c", kBob, 501)) << "the server's cap";
    EXPECT_TRUE(hold("c", kBob, 500));
    EXPECT_EQ(used(kAlice), 1000);
    EXPECT_EQ(used({}), 1500);
}

TEST_F(Budget, settles_to_the_true_usage_and_counts_its_cost_upwards) {
    ASSERT_TRUE(hold("a", kAlice, 600));
    ASSERT_TRUE(go("a", 450));
    EXPECT_EQ(used(kAlice), 550) << "the hold became exact";
    const auto usage =
        settle(tx, egress::CallId("a"), CallState::done,
               egress::Finished{.input_tokens = 101, .output_tokens = 11}, egress::Left::yes, kNowMs);
    EXPECT_EQ(used(kAlice), 112);
    EXPECT_EQ(used({}), 112);
    EXPECT_EQ(usage.cost_micros, 101 + 33);
    EXPECT_FALSE(usage.estimated);
    ASSERT_EQ(cost_today(tx, kNowMs).size(), 1U);
    EXPECT_EQ(cost_today(tx, kNowMs)[0].micros, 134);
    settle(tx, egress::CallId("a"), CallState::unknown, std::nullopt, egress::Left::unknown, kNowMs);
    EXPECT_EQ(used(kAlice), 112) << "settled once";
}

TEST_F(Budget, a_provider_that_counts_more_than_there_was_is_not_believed) {
    ASSERT_TRUE(hold("a", kAlice, 600));
    ASSERT_TRUE(go("a", 450));
    const auto usage = settle(tx, egress::CallId("a"), CallState::done,
                              egress::Finished{.input_tokens = 1'000'000'000, .output_tokens = -5},
                              egress::Left::yes, kNowMs);
    EXPECT_EQ(usage.input_tokens, 450);
    EXPECT_EQ(usage.output_tokens, 0);
    EXPECT_TRUE(usage.estimated);
    EXPECT_EQ(used(kAlice), 450);
}

TEST_F(Budget, what_was_spent_beyond_the_limit_counts_as_far_as_what_came_bears_it_out) {
    ASSERT_TRUE(hold("a", kAlice, 600));
    ASSERT_TRUE(go("a", 450));
    const auto usage =
        settle(tx, egress::CallId("a"), CallState::done,
               egress::Finished{.input_tokens = 100, .output_tokens = 700, .received_bytes = 2000},
               egress::Left::yes, kNowMs);
    EXPECT_EQ(usage.output_tokens, 700) << "of a hundred";
    EXPECT_FALSE(usage.estimated);
    EXPECT_EQ(usage.cost_micros, 100 + 3 * 700);
    EXPECT_EQ(used(kAlice), 800);
    EXPECT_FALSE(hold("b", kAlice, 201)) << "the next reservation sees it";

    for (const auto& [received, believed] :
         {std::pair<std::int64_t, std::int64_t>(30, 100), {100'000, 100 * egress::kTokenLimitBytes}}) {
        const auto id = "liar " + std::to_string(received);
        ASSERT_TRUE(hold(id, kBob, 150, kNowMs + kDayMs));
        ASSERT_TRUE(go(id, 50));
        const auto lie = settle(
            tx, egress::CallId(id), CallState::done,
            egress::Finished{.input_tokens = 10, .output_tokens = 1'000'000'000, .received_bytes = received},
            egress::Left::yes, kNowMs);
        EXPECT_EQ(lie.output_tokens, believed);
        EXPECT_TRUE(lie.estimated);
        settle_open(tx, kBob, kNowMs);
        tx.prepare("DELETE FROM spent_tokens").run();
    }
}

TEST_F(Budget, what_costs_nothing_fits_though_more_than_the_cap_is_spent) {
    ASSERT_TRUE(hold("a", kAlice, 600));
    auto settings = budget_settings(tx);
    settings.person_tokens_per_day = settings.server_tokens_per_day = 500;
    put_budget_settings(tx, settings);
    EXPECT_FALSE(hold("b", kAlice, 101));
    EXPECT_TRUE(reserve(tx, {.call_id = egress::CallId("c"), .user = kAlice, .room_id = "!r"}, kNowMs));
    EXPECT_EQ(used(kAlice), 600);
}

TEST_F(Budget, an_id_reserves_once) {
    ASSERT_TRUE(hold("a", kAlice, 300));
    const auto again = hold("a", kAlice, 300);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().error.code, "assistant.repeated_call");
    EXPECT_EQ(used(kAlice), 300);
}

TEST_F(Budget, nothing_goes_without_a_reservation_or_twice) {
    EXPECT_FALSE(go("a", 100));
    ASSERT_TRUE(hold("a", kAlice, 300));
    ASSERT_TRUE(go("a", 100));
    EXPECT_FALSE(go("a", 100));
}

TEST_F(Budget, a_request_that_turns_out_larger_than_its_hold_must_fit_the_caps_too) {
    ASSERT_TRUE(hold("a", kAlice, 600));
    ASSERT_TRUE(hold("b", kAlice, 300));
    EXPECT_FALSE(go("a", 700));
    release(tx, egress::CallId("a"));
    EXPECT_EQ(used(kAlice), 300);
}

TEST_F(Budget, after_a_crash_the_told_are_settled_whole_and_the_rest_is_released) {
    ASSERT_TRUE(hold("told", kAlice, 400));
    ASSERT_TRUE(go("told", 250));
    ASSERT_TRUE(hold("reserved", kAlice, 300));
    const auto recovered = recover(tx, open_calls(tx), kNowMs);
    EXPECT_EQ(recovered.unknown, 1);
    EXPECT_EQ(recovered.released, 1);
    EXPECT_EQ(used(kAlice), 350);
    EXPECT_TRUE(open_calls(tx).empty());
    EXPECT_EQ(recover(tx, {egress::CallId("told")}, kNowMs).unknown, 0);
    EXPECT_TRUE(hold("reserved", kAlice, 300)) << "what was released may be reserved again";
    EXPECT_FALSE(hold("told", kAlice, 300));
}

TEST_F(Budget, a_new_day_of_the_servers_zone_begins_at_nothing) {
    ASSERT_TRUE(hold("a", kAlice, 900));
    EXPECT_FALSE(hold("b", kAlice, 900));
    EXPECT_TRUE(hold("b", kAlice, 900, kNowMs + kDayMs));
    ASSERT_TRUE(go("a", 100));
    settle(tx, egress::CallId("a"), CallState::done, egress::Finished{.input_tokens = 5}, egress::Left::yes,
           kNowMs + kDayMs);
    EXPECT_EQ(used(kAlice), 5) << "settled on the day that it was reserved on";
    EXPECT_EQ(used(kAlice, kNowMs + kDayMs), 900);
}

}  // namespace
}  // namespace assistant
