#include "assist_fixture.h"

#include <boost/asio/post.hpp>

namespace assistant::test {
namespace {

namespace json = base::json;

struct Spending : AssistTest {
    /// As where a cap is lowered in the middle of a day.
    std::int64_t spend_more_than_the_cap(std::int64_t cap) {
        world.put(admin, "/_lingxi/admin/v1/budget", {{"person_tokens_per_day", 100'000}});
        world.post(alice, kTranslations, {{"room_id", room}, {"text", "More"}, {"target_language", "zh"}});
        world.put(admin, "/_lingxi/admin/v1/budget", {{"person_tokens_per_day", cap}});
        EXPECT_GT(used(), cap);
        return used();
    }
};

TEST_F(Spending, a_second_model_server_is_a_second_receipt_and_needs_the_same_consent) {
    const auto event = world.say(alice, room, "translate me");
    world.fake->script.provider_ids = {"cloud", "second"};
    world.fake->script.deltas = {"译文"};
    const auto answer =
        world.post(alice, kTranslations, {{"room_id", room}, {"event_id", event}, {"target_language", "zh"}});
    ASSERT_TRUE(answer.event("done")) << answer.events.size();
    const auto receipts = world.get(alice, kReceipts).body.at("receipts").as_array();
    ASSERT_EQ(receipts.size(), 2U);
    EXPECT_EQ(receipts[0].at("provider").as_string(), "Provider second");
    EXPECT_EQ(receipts[0].at("outcome").as_string(), "done");
    EXPECT_EQ(receipts[1].at("outcome").as_string(), "failed");
    EXPECT_EQ(used(), 52);
}

TEST_F(Spending, a_server_is_reached_behind_others_that_refuse_in_each_form) {
    const json::object draft{{"room_id", room}, {"text", "Hello"}, {"target_language", "zh"}};
    world.fake->script.deltas = {"译"};
    const auto is_answered = [&](std::vector<std::string> asked_in_turn) {
        world.fake->script.provider_ids = std::move(asked_in_turn);
        return world.post(alice, kTranslations, draft).event("done") != nullptr;
    };
    EXPECT_TRUE(is_answered({"a", "a", "a", "b", "b", "b", "good"}));
    EXPECT_EQ(world.get(alice, kReceipts).body.at("receipts").as_array().size(), 7U) << "each is one";
    EXPECT_FALSE(is_answered({"a", "a", "a", "a"})) << "there are no more forms to ask in";
    EXPECT_TRUE(is_answered({"a", "b", "c", "d"}));
    EXPECT_FALSE(is_answered({"a", "b", "c", "d", "e"})) << "words go to so many places, and no more";
    EXPECT_FALSE(is_answered({"a", "b", "a", "b", "a"})) << "nor to and fro";
}

TEST_F(Spending, an_attempt_that_may_have_been_worked_on_is_paid_where_the_next_server_is_not_agreed_to) {
    const auto event = world.say(bob, room, "translate me");
    world.consent(bob, room, true, "Provider cloud");
    world.fake->script.provider_ids = {"cloud", "second"};
    const json::object wish{{"room_id", room}, {"event_id", event}, {"target_language", "zh"}};
    for (const bool paid_before : {false, true}) {
        world.fake->script.paid_before = paid_before;
        const auto before = used();
        const auto answer = world.post(alice, kTranslations, wish);
        EXPECT_FALSE(answer.event("done"));
        const auto receipt = world.get(alice, kReceipts).body.at("receipts").at(0).as_object();
        EXPECT_EQ(receipt.at("provider").as_string(), "Provider cloud");
        EXPECT_EQ(receipt.at("outcome").as_string(), "failed");
        EXPECT_EQ(receipt.at("input_tokens").as_int64() > 0, paid_before);
        EXPECT_EQ(receipt.at("cost_micros").as_int64() > 0, paid_before);
        EXPECT_EQ(used() - before > 256, paid_before) << "the whole hold, or nothing";
    }
}

TEST_F(Spending, an_answer_that_the_gateway_held_costs_nothing_though_it_broke_off) {
    world.fake->script.known = true;
    world.fake->script.deltas = {"你"};
    world.fake->script.after_deltas =
        base::Error{base::ErrorKind::unavailable, "model.bad_answer", "Bad.", {}};
    EXPECT_TRUE(
        world.post(alice, kTranslations, {{"room_id", room}, {"text", "Hello"}, {"target_language", "zh"}})
            .event("error"));
    EXPECT_EQ(used(), 0);
}

TEST_F(Spending, a_gateway_that_was_taken_over_ends_its_calls_and_nothing_else) {
    const json::object draft{{"room_id", room}, {"text", "Hello"}, {"target_language", "zh"}};
    const std::string long_name(600, 'x');
    for (const std::string& raw : {std::string(R"({"type":"finished","input_tokens":1,"output_tokens":1})"),
                                   std::string(R"({"type":"delta","text":"for nobody"})"),
                                   std::string(R"({"type":"prepared","outbound_bytes":9223372036854775807})"),
                                   std::string(R"({"type":"prepared","outbound_bytes":1048577})"),
                                   std::string(R"({"type":"prepared","output_price":9223372036854775807})"),
                                   R"({"type":"prepared","provider_name":")" + long_name + R"("})",
                                   std::string(R"({"type":"else"})"), std::string("nonsense")}) {
        world.fake->script = {};
        world.fake->script.raw = {raw};
        const auto answer = world.post(alice, kTranslations, draft);
        EXPECT_EQ(answer.status, 503) << raw;
        EXPECT_EQ(answer.errcode(), "IM.LINGXI.MODEL_UNAVAILABLE") << raw;
    }
    world.fake->script = {};
    world.fake->script.known = true;
    const auto event = world.say(bob, room, "suggest something");
    world.consent(bob, room);
    EXPECT_EQ(world.post(alice, kSuggestions, ids({event})).errcode(), "IM.LINGXI.MODEL_UNAVAILABLE")
        << "suggestions are never held";
    EXPECT_EQ(world.fake->went, 0);
    EXPECT_EQ(used(), 0);
    EXPECT_TRUE(world.get(alice, kReceipts).body.at("receipts").as_array().empty());
    world.fake->script = {};
    world.fake->script.deltas = {"译"};
    EXPECT_TRUE(world.post(alice, kTranslations, draft).event("done"));
}

TEST_F(Spending, a_gateway_speaks_with_nobody_elses_codes) {
    for (const auto kind :
         {base::ErrorKind::unauthenticated, base::ErrorKind::internal, base::ErrorKind::unavailable}) {
        for (const std::string code :
             {"storage.corrupt", "IM.LINGXI.AI_OFF", "M_UNKNOWN_TOKEN", "net.token_expired"}) {
            world.fake->script = {};
            world.fake->script.before_prepared = base::Error{kind, code, "Log in again at example.com.", {}};
            const auto answer = world.post(alice, kTranslations,
                                           {{"room_id", room}, {"text", "Hello"}, {"target_language", "zh"}});
            EXPECT_EQ(answer.status, 503) << code;
            EXPECT_EQ(answer.errcode(), "IM.LINGXI.MODEL_UNAVAILABLE") << code;
            EXPECT_EQ(answer.text("error").find("example.com"), std::string::npos);
            world.fake->refusal = world.fake->script.before_prepared;
            const auto administered = world.put(admin, "/_lingxi/admin/v1/models/x",
                                                {{"base_url", "https://x.example/v1"}, {"model", "m"}});
            EXPECT_EQ(administered.status, 503) << code;
            EXPECT_EQ(administered.errcode(), "IM.LINGXI.UNAVAILABLE") << code;
        }
    }
}

TEST_F(Spending, a_used_up_budget_is_said_before_anything_leaves) {
    world.put(admin, "/_lingxi/admin/v1/budget", {{"person_tokens_per_day", 10}});
    const auto answer =
        world.post(alice, kTranslations, {{"room_id", room}, {"text", "hello"}, {"target_language", "zh"}});
    EXPECT_EQ(answer.status, 429);
    EXPECT_EQ(answer.errcode(), "IM.LINGXI.BUDGET_EXHAUSTED");
    EXPECT_TRUE(answer.body.contains("resets_at_ms"));
    EXPECT_EQ(world.fake->went, 0);
    EXPECT_EQ(used(), 0);
}

TEST_F(Spending, failures_of_the_model_end_the_stream_in_words_and_are_settled) {
    const json::object draft{{"room_id", room}, {"text", "Hello"}, {"target_language", "zh"}};
    world.fake->script.deltas = {"你"};
    world.fake->script.after_deltas =
        base::Error{base::ErrorKind::unavailable, "model.bad_answer", "Bad.", {}};
    auto answer = world.post(alice, kTranslations, draft);
    ASSERT_TRUE(answer.event("error"));
    EXPECT_EQ(answer.event("error")->at("errcode").as_string(), "IM.LINGXI.MODEL_UNAVAILABLE");
    EXPECT_FALSE(answer.event("done"));
    const auto held = used();
    EXPECT_GT(held, 256) << "how much was used is not known: the whole hold";

    world.fake->script = {};
    world.fake->script.after_go = base::Error{base::ErrorKind::unavailable, "model.busy", "Busy.", {}};
    answer = world.post(alice, kTranslations, draft);
    EXPECT_TRUE(answer.event("error") || answer.errcode() == "IM.LINGXI.MODEL_UNAVAILABLE");
    EXPECT_EQ(used(), held) << "a server that was too busy was not paid";

    world.fake->script = {};
    world.fake->script.before_prepared =
        base::Error{base::ErrorKind::unavailable, "model.none_available", "None.", {}};
    answer = world.post(alice, kTranslations, draft);
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(used(), held);
    EXPECT_EQ(world.get(alice, kReceipts).body.at("receipts").as_array().size(), 2U)
        << "what was never told to go has no receipt";

    world.fake->script = {};
    world.fake->script.deltas = {"text"};
    world.fake->script.retracted = true;
    answer = world.post(alice, kTranslations, draft);
    EXPECT_TRUE(answer.event("error"));
    EXPECT_FALSE(answer.event("done"));
}

TEST_F(Spending, a_client_that_goes_away_cancels_the_call_and_settles_it) {
    world.fake->script.deltas = {"begin"};
    world.fake->script.hangs_after_deltas = true;
    {
        auto response = world.raw(alice, net::Method::post, kTranslations,
                                  {{"room_id", room}, {"text", "Hello"}, {"target_language", "zh"}});
        ASSERT_EQ(response.status, 200) << response.body;
        EXPECT_TRUE(world.until([&] { return world.fake->hanging == 1; }));
    }
    EXPECT_TRUE(world.until([&] { return world.fake->cancelled == 1; }));
    EXPECT_TRUE(world.until([&] {
        return world.get(alice, kReceipts).body.at("receipts").at(0).at("outcome").as_string() == "cancelled";
    }));
    EXPECT_GT(used(), 256);
}

/// A client that goes away at the first word.
struct GoesAway final : net::EventStream {
    runtime::Task<bool> send(std::string_view event, std::string_view /*data*/) override {
        co_return event != "delta";
    }
    bool closed() const override { return false; }
};

TEST_F(Spending, a_call_that_is_given_up_is_settled_at_what_had_come_of_it) {
    world.fake->script.deltas = {"begin"};
    world.fake->script.hangs_after_deltas = true;
    const auto spent_when = [&](std::int64_t received_bytes) {
        const auto before = used();
        world.fake->script.received_bytes = received_bytes;
        auto response = world.raw(alice, net::Method::post, kTranslations,
                                  {{"room_id", room}, {"text", "Hello"}, {"target_language", "zh"}});
        EXPECT_EQ(response.status, 200) << response.body;
        GoesAway client;
        world.await(response.events(client));
        response = {};
        EXPECT_TRUE(world.until([&] {
            return world.get(alice, kReceipts).body.at("receipts").at(0).at("outcome").as_string() ==
                   "cancelled";
        }));
        return used() - before;
    };
    const auto whole = spent_when(0);
    EXPECT_EQ(whole - spent_when(20), 266 - 20) << "the reasoning too, which core never sees";
    EXPECT_EQ(spent_when(100'000), whole) << "no more than was reserved";
}

TEST_F(Spending, a_gateway_that_goes_away_ends_the_call_in_words) {
    world.fake->script.deltas = {"begin"};
    world.fake->script.hangs_after_deltas = true;
    auto response = world.raw(alice, net::Method::post, kTranslations,
                              {{"room_id", room}, {"text", "Hello"}, {"target_language", "zh"}});
    ASSERT_TRUE(response.events);
    world.await(world.fake->stop());
    world.fake->attach();
    EXPECT_TRUE(world.until([&] {
        return world.get(alice, kReceipts).body.at("receipts").at(0).at("outcome").as_string() == "failed";
    }));
    world.fake->script = {};
    world.fake->script.deltas = {"again"};
    const auto answer =
        world.post(alice, kTranslations, {{"room_id", room}, {"text", "Hello"}, {"target_language", "zh"}});
    EXPECT_TRUE(answer.event("done"));
}

TEST_F(Spending, a_fault_in_a_call_ends_it_in_words_and_settles_it) {
    world.fake->script.hangs_after_go = true;
    world.fake->preparing = [&]() -> runtime::Task<void> {
        // The next is whoever writes the receipt.
        world.clock.read = [&] {
            world.clock.read = nullptr;
            throw std::runtime_error("a fault");
        };
        co_return;
    };
    const auto answer =
        world.post(alice, kTranslations, {{"room_id", room}, {"text", "Hello"}, {"target_language", "zh"}});
    EXPECT_EQ(answer.errcode(), "IM.LINGXI.MODEL_UNAVAILABLE");
    EXPECT_EQ(used(), 0);
    EXPECT_TRUE(world.until([&] { return world.fake->cancelled == 1; })) << "the gateway is told";
}

TEST_F(Spending, many_calls_at_once_never_pass_the_cap) {
    world.put(admin, "/_lingxi/admin/v1/budget", {{"person_tokens_per_day", 5000}});
    world.fake->script.deltas = {"text"};
    world.fake->script.hangs_after_deltas = true;
    std::vector<net::Response> open;
    int refused = 0;
    for (const auto& person : {alice, bob, admin}) {
        for (int i = 0; i < 3; ++i) {
            open.push_back(
                world.raw(person, net::Method::post, kTranslations,
                          {{"room_id", room}, {"text", std::string(1000, 'x')}, {"target_language", "zh"}}));
            if (open.back().status == 429) ++refused;
        }
        const auto body = world.get(person, "/_lingxi/client/v1/assist/status").body;
        EXPECT_LE(body.at("budget").at("used_tokens").as_int64(), 5000);
    }
    EXPECT_GT(refused, 0);
}

TEST_F(Spending, receipts_are_listed_exported_and_erased_and_the_budget_stays) {
    world.fake->script.deltas = {"译"};
    for (int i = 0; i < 3; ++i)
        ASSERT_TRUE(
            world
                .post(alice, kTranslations, {{"room_id", room}, {"text", "Hello"}, {"target_language", "zh"}})
                .event("done"));
    const auto first = world.get(alice, std::string(kReceipts) + "?limit=2");
    ASSERT_EQ(first.body.at("receipts").as_array().size(), 2U);
    const auto& receipt = first.body.at("receipts").at(0).as_object();
    EXPECT_EQ(receipt.at("purpose").as_string(), "translate");
    EXPECT_EQ(receipt.at("whose").at(0).as_string(), alice.user_id);
    EXPECT_EQ(receipt.at("outbound_sha256").as_string().size(), 64U);
    EXPECT_GT(receipt.at("outbound_bytes").as_int64(), 0);
    const auto second = world.get(alice, std::string(kReceipts) + "?limit=2&from=" + first.text("next"));
    EXPECT_EQ(second.body.at("receipts").as_array().size(), 1U);
    EXPECT_TRUE(second.body.at("next").is_null());
    const auto id = std::string(receipt.at("call_id").as_string());
    EXPECT_EQ(world.get(alice, std::string(kReceipts) + "/" + id).text("call_id"), id);
    EXPECT_EQ(world.get(bob, std::string(kReceipts) + "/" + id).status, 404);
    const auto exported = world.get(alice, std::string(kReceipts) + "/export");
    EXPECT_EQ(std::ranges::count(exported.written, '\n'), 3);
    EXPECT_EQ(exported.written.find("Hello"), std::string::npos) << "never the text";

    const auto before = used();
    EXPECT_EQ(world.call(alice, net::Method::del, kReceipts).status, 200);
    EXPECT_TRUE(world.get(alice, kReceipts).body.at("receipts").as_array().empty());
    EXPECT_EQ(used(), before);
}

TEST_F(Spending, without_a_tap_a_model_is_asked_once_a_message) {
    world.consent(bob, room);
    const auto ask = [&](const Person& who, const std::vector<std::string>& event_ids) {
        json::object wish = ids(event_ids);
        wish["automatic"] = true;
        return world.post(who, kSuggestions, wish);
    };
    const auto first = world.say(bob, room, "one");
    EXPECT_TRUE(ask(alice, {first}).event("done"));
    EXPECT_EQ(ask(alice, {first}).errcode(), "IM.LINGXI.ALREADY_ASKED") << "another device, or a reload";
    const auto own = world.say(alice, room, "mine");
    EXPECT_EQ(ask(alice, {first, own}).errcode(), "IM.LINGXI.ALREADY_ASKED");
    EXPECT_EQ(world.fake->requests.size(), 1U);
    EXPECT_TRUE(world.post(alice, kSuggestions, ids({first})).event("done")) << "a tap asks again";
    const auto second = world.say(bob, room, "two");
    EXPECT_TRUE(ask(alice, {first, second}).event("done"));
    EXPECT_EQ(ask(alice, {first}).errcode(), "IM.LINGXI.ALREADY_ASKED") << "an older one";
    EXPECT_EQ(world.fake->requests.size(), 3U);
    EXPECT_EQ(world.get(alice, kReceipts).body.at("receipts").as_array().size(), 3U);
    world.consent(alice, room);
    EXPECT_TRUE(ask(bob, {own}).event("done")) << "of everybody's own";
}

TEST_F(Spending, who_asked_to_be_forgotten_leaves_nothing_behind) {
    world.fake->script.deltas = {"译"};
    const json::object draft{{"room_id", room}, {"text", "Hello"}, {"target_language", "zh"}};
    ASSERT_TRUE(world.post(bob, kTranslations, draft).event("done"));
    world.consent(bob, room);
    const auto event = world.say(bob, room, "hello");
    world.fake->script = {};
    ASSERT_TRUE(world.post(alice, kSuggestions, ids({event})).event("done"));
    world.consent(alice, room);
    json::object by_itself = ids({world.say(alice, room, "hello")});
    by_itself["automatic"] = true;
    ASSERT_TRUE(world.post(bob, kSuggestions, by_itself).event("done"));
    // One that is under way is settled whole for the server, and its end finds nothing.
    world.fake->script.deltas = {"begin"};
    world.fake->script.hangs_after_deltas = true;
    auto open = world.raw(bob, net::Method::post, kTranslations, draft);
    ASSERT_EQ(open.status, 200);
    const auto server_before =
        world.get(admin, "/_lingxi/admin/v1/budget").body.at("used_today_tokens").as_int64();

    ASSERT_TRUE(world.await(world.assistant->erase_user(bob.user)));
    open = {};
    ASSERT_TRUE(world.await(world.assistant->erase_user(bob.user))) << "repeated";
    EXPECT_EQ(rows_of(bob), 0);
    EXPECT_EQ(world.get(admin, "/_lingxi/admin/v1/budget").body.at("used_today_tokens").as_int64(),
              server_before);
    const auto others = world.get(alice, kReceipts).body.at("receipts").as_array();
    ASSERT_EQ(others.size(), 1U) << "another's receipt stays";
    EXPECT_TRUE(others[0].at("whose").as_array().empty());
}

TEST_F(Spending, a_changed_list_of_models_is_named_at_once) {
    EXPECT_EQ(status().at("model").at("provider").as_string(), "Provider cloud");
    world.fake->script.provider_ids = {"other"};
    ASSERT_EQ(world.put(admin, "/_lingxi/admin/v1/models/cloud", {{"name", "x"}}).status, 200);
    EXPECT_EQ(status().at("model").at("provider").as_string(), "Provider other");
}

TEST_F(Spending, an_answer_from_before_a_change_of_the_list_does_not_count) {
    // The change is made while the list is being read for somebody.
    int times = 0;
    bool is_changed = false;
    world.fake->listed = [&]() -> runtime::Task<void> {
        if (++times != 1) co_return;
        boost::asio::post(world.runtime.io(), [&] {
            world.fake->script.provider_ids = {"other"};
            world.call(admin, net::Method::del, "/_lingxi/admin/v1/models/cloud");
            is_changed = true;
        });
        while (!is_changed) co_await runtime::sleep_for(std::chrono::milliseconds(5));
    };
    EXPECT_EQ(status().at("model").at("provider").as_string(), "Provider other");
}

TEST_F(Spending, what_is_known_still_costs_nothing_even_where_the_budget_is_used_up) {
    world.put(admin, "/_lingxi/admin/v1/budget", {{"person_tokens_per_day", 10}});
    const json::object draft{{"room_id", room}, {"text", "Hello"}, {"target_language", "zh"}};
    EXPECT_EQ(world.post(alice, kTranslations, draft).errcode(), "IM.LINGXI.BUDGET_EXHAUSTED");
    const std::int64_t spent = spend_more_than_the_cap(10);
    EXPECT_EQ(world.post(alice, kTranslations, draft).errcode(), "IM.LINGXI.BUDGET_EXHAUSTED");
    world.fake->script.known = true;
    world.fake->script.deltas = {"你好"};
    world.fake->script.input_tokens = world.fake->script.output_tokens = 0;
    const auto answer = world.post(alice, kTranslations, draft);
    ASSERT_TRUE(answer.event("done")) << json::serialize(answer.body);
    EXPECT_EQ(used(), spent);
    const auto receipts = world.get(alice, kReceipts).body.at("receipts").as_array();
    ASSERT_EQ(receipts.size(), 2U);
    EXPECT_EQ(receipts[0].at("outcome").as_string(), "cached");
}

TEST_F(Spending, of_what_is_known_nothing_is_held_while_it_is_given) {
    world.fake->script.known = true;
    world.fake->script.deltas = {"你好"};
    world.fake->script.hangs_after_deltas = true;
    auto open = world.raw(alice, net::Method::post, kTranslations,
                          {{"room_id", room}, {"text", "Hello"}, {"target_language", "zh"}});
    ASSERT_EQ(open.status, 200) << open.body;
    EXPECT_TRUE(world.until([&] { return world.fake->hanging == 1; }));
    EXPECT_EQ(used(), 0);
    open = {};
    EXPECT_TRUE(world.until([&] {
        return world.get(alice, kReceipts).body.at("receipts").at(0).at("outcome").as_string() == "cancelled";
    }));
    EXPECT_EQ(used(), 0) << "nor is it settled at what might have been";
}

TEST_F(Spending, a_server_that_may_have_worked_before_another_was_tried_is_paid_in_full) {
    world.fake->script.provider_ids = {"cloud", "second"};
    world.fake->script.paid_before = true;
    world.fake->script.deltas = {"译文"};
    ASSERT_TRUE(
        world.post(alice, kTranslations, {{"room_id", room}, {"text", "Hello"}, {"target_language", "zh"}})
            .event("done"));
    EXPECT_GT(used(), 52 + 256);
}

TEST_F(Spending, the_administrator_sets_budget_and_models_and_the_key_is_only_passed_on) {
    auto budget = world.put(admin, "/_lingxi/admin/v1/budget",
                            {{"person_tokens_per_day", 1000}, {"time_zone", "Asia/Shanghai"}});
    EXPECT_EQ(budget.body.at("person_tokens_per_day").as_int64(), 1000);
    EXPECT_EQ(budget.text("time_zone"), "Asia/Shanghai");
    EXPECT_EQ(world.put(admin, "/_lingxi/admin/v1/budget", {{"time_zone", "Nowhere"}}).status, 400);
    EXPECT_EQ(world.put(admin, "/_lingxi/admin/v1/budget", {{"server_tokens_per_day", -1}}).status, 400);

    const auto models = world.get(admin, "/_lingxi/admin/v1/models");
    EXPECT_EQ(models.text("gateway"), "up");
    EXPECT_EQ(models.body.at("providers").as_array().size(), 1U);
    const auto put = world.put(admin, "/_lingxi/admin/v1/models/mine",
                               {{"name", "Mine"},
                                {"base_url", "http://127.0.0.1:11434/v1"},
                                {"model", "q"},
                                {"api_key", "sk-secret"}});
    EXPECT_EQ(put.status, 200) << json::serialize(put.body);
    ASSERT_TRUE(world.fake->put);
    EXPECT_EQ(world.fake->put->id, "mine");
    EXPECT_EQ(world.fake->put_key, "sk-secret");

    world.await(world.fake->stop());
    EXPECT_TRUE(world.until([&] { return !world.gateway.is_up(); }));
    EXPECT_EQ(world.get(admin, "/_lingxi/admin/v1/models").text("gateway"), "down");
    EXPECT_EQ(world.put(admin, "/_lingxi/admin/v1/models/mine", {{"name", "x"}}).status, 503);
}

}  // namespace
}  // namespace assistant::test
