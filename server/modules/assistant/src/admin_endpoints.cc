#include "endpoints.h"

#include <algorithm>
#include <chrono>

#include <egress/codec.h>
#include <identity/body.h>
#include <identity/matrix_error.h>

namespace assistant {
namespace {

namespace json = base::json;
using base::ErrorKind;

constexpr std::int64_t kTokensLimit = 1'000'000'000'000;
constexpr auto kTrialTime = std::chrono::seconds(15);

net::Response invalid(std::string message) {
    return identity::matrix_error({ErrorKind::invalid, "M_INVALID_PARAM", std::move(message), {}});
}

/// The gateway's failures in this surface's codes.
net::Response gateway_error(base::Error error) {
    if (error.kind == ErrorKind::unavailable || error.kind == ErrorKind::timeout) {
        error.kind = ErrorKind::unavailable;
        error.code = "IM.LINGXI.UNAVAILABLE";
    } else if (error.code == "gateway.read_only") {
        error.kind = ErrorKind::forbidden;
        error.code = "IM.LINGXI.READ_ONLY";
    } else if (error.code == "gateway.name_taken") {
        error.code = "IM.LINGXI.MODEL_NAME_TAKEN";
    } else if (error.code == "gateway.name_of_another_host") {
        error.code = "IM.LINGXI.MODEL_NAME_OF_ANOTHER_HOST";
    }
    return identity::matrix_error(error);
}

/// The end of a change of the list. Whether or not it was made: what was known of before is asked anew.
net::Response changed(Core& core, const base::Result<void>& result) {
    core.forget_model_servers();
    return result ? net::json(200, "{}") : gateway_error(result.error());
}

Answered<json::object> budget_json(storage::Transaction& tx, std::int64_t now_ms) {
    const auto settings = budget_settings(tx);
    const auto spending = spending_today(tx, identity::UserNumber{}, now_ms);
    json::array costs;
    for (const Cost& cost : cost_today(tx, now_ms))
        costs.push_back(json::object{{"currency", cost.currency}, {"micros", cost.micros}});
    return json::object{{"ai_enabled", settings.ai_enabled},
                        {"person_tokens_per_day", settings.person_tokens_per_day},
                        {"server_tokens_per_day", settings.server_tokens_per_day},
                        {"time_zone", settings.time_zone},
                        {"used_today_tokens", spending.used_tokens},
                        {"resets_at_ms", spending.resets_at_ms},
                        {"cost_today", std::move(costs)}};
}

}  // namespace

Task<net::Response> get_budget(Core& core, net::Request /*request*/) {
    const auto budget = co_await read_answered<json::object>(
        core, [now_ms = core.clock.now_ms()](storage::Transaction& tx) { return budget_json(tx, now_ms); });
    if (!budget) co_return answer(budget.error());
    co_return net::json(200, json::value(*budget));
}

Task<net::Response> set_budget(Core& core, net::Request request) {
    identity::Body body(request);
    const auto enabled = body.optional_boolean("ai_enabled");
    const auto person = body.optional_int("person_tokens_per_day");
    const auto server = body.optional_int("server_tokens_per_day");
    const auto zone = body.optional_string("time_zone");
    if (body.failed()) co_return identity::matrix_error(body.error());
    for (const auto& tokens : {person, server}) {
        if (tokens && (*tokens < 0 || *tokens > kTokensLimit))
            co_return invalid("A cap is 0 or more tokens.");
    }
    if (zone && !is_time_zone(*zone)) co_return invalid("There is no such time zone.");
    const auto budget = co_await write_answered<json::object>(
        core, {kBudgetOrder},
        [enabled, person, server, zone, now_ms = core.clock.now_ms()](storage::Transaction& tx) {
            auto settings = budget_settings(tx);
            if (enabled) settings.ai_enabled = *enabled;
            if (person) settings.person_tokens_per_day = *person;
            if (server) settings.server_tokens_per_day = *server;
            if (zone) settings.time_zone = *zone;
            put_budget_settings(tx, settings);
            return budget_json(tx, now_ms);
        });
    if (!budget) co_return answer(budget.error());
    co_return net::json(200, json::value(*budget));
}

Task<net::Response> list_models(Core& core, net::Request /*request*/) {
    json::object body{{"read_only", false}, {"file", ""}, {"providers", json::array()}, {"gateway", "down"}};
    if (core.gateway.is_up()) {
        const auto list = co_await core.gateway.providers();
        if (list) {
            body = egress::to_json(*list);
            body["gateway"] = "up";
        }
    }
    co_return net::json(200, json::value(std::move(body)));
}

Task<net::Response> order_models(Core& core, net::Request request) {
    identity::Body body(request);
    const auto* order = body.optional_array("order");
    if (body.failed()) co_return identity::matrix_error(body.error());
    if (order == nullptr) co_return invalid("'order' is a list of ids.");
    std::vector<std::string> ids;
    for (const auto& value : *order) {
        const auto* id = value.if_string();
        if (id == nullptr || ids.size() >= 100) co_return invalid("'order' is a list of ids.");
        ids.emplace_back(*id);
    }
    co_return changed(core, co_await core.gateway.set_order(std::move(ids)));
}

Task<net::Response> put_model(Core& core, net::Request request) {
    identity::Body body(request);
    egress::Provider provider{.id = request.value("id")};
    // What is left out stays as it is.
    if (const auto list = co_await core.gateway.providers()) {
        for (const auto& known : list->providers) {
            if (known.id == provider.id) provider = known;
        }
    } else {
        co_return gateway_error(list.error());
    }
    const auto take = [&](std::string_view name, std::string& into) {
        if (auto value = body.optional_string(name)) into = std::move(*value);
    };
    take("name", provider.name);
    take("base_url", provider.base_url);
    take("model", provider.model);
    take("currency", provider.currency);
    if (const auto enabled = body.optional_boolean("enabled")) provider.enabled = *enabled;
    const auto concurrent = body.optional_int("max_concurrent").value_or(provider.max_concurrent);
    const auto input = body.optional_int("input_price_micros_per_million");
    const auto output = body.optional_int("output_price_micros_per_million");
    auto key = body.optional_string("api_key");
    if (body.failed()) co_return identity::matrix_error(body.error());
    if (concurrent < 1 || concurrent > 256) co_return invalid("'max_concurrent' is between 1 and 256.");
    provider.max_concurrent = static_cast<std::int32_t>(concurrent);
    for (const auto& price : {input, output}) {
        if (price && (*price < 0 || *price > egress::kPriceLimitMicrosPerMillion))
            co_return invalid("A price is 0 or more.");
    }
    if (input) provider.input_price_micros_per_million = *input;
    if (output) provider.output_price_micros_per_million = *output;
    if (provider.name.empty()) provider.name = provider.id;
    co_return changed(core, co_await core.gateway.put_provider(std::move(provider), std::move(key)));
}

Task<net::Response> delete_model(Core& core, net::Request request) {
    co_return changed(core, co_await core.gateway.remove_provider(request.value("id")));
}

/// A call like any other: reserved by the administrator, with a receipt, and settled.
Task<net::Response> test_model(Core& core, net::Request request) {
    const auto list = co_await core.gateway.providers();
    if (!list) co_return gateway_error(list.error());
    const std::string id(request.value("id"));
    if (std::ranges::find(list->providers, id, &egress::Provider::id) == list->providers.end())
        co_return identity::matrix_error(
            {ErrorKind::not_found, "M_NOT_FOUND", "There is no such model server.", {}});
    const auto user = user_of(request);
    const auto started = core.runs.start(
        {.request = {.call_id = core.new_call_id(),
                     .purpose = std::string(to_string(Purpose::try_out)),
                     .messages = {{egress::PromptMessage::Role::user, "Say: ok"}},
                     .max_output_tokens = 16,
                     .temperature = 0,
                     .provider_id = id,
                     .is_trial = true,
                     .deadline = std::chrono::steady_clock::now() + kTrialTime},
         .user = user,
         .purpose = Purpose::try_out,
         .whose = {user},
         .still_allowed = [](storage::Transaction&, const Destination&) { return Answered<void>{}; }});
    if (!started) co_return answer(started.error());
    const RunReader& run = *started;
    const bool went = (co_await run->prepared(kTrialTime)).has_value();
    const auto began = std::chrono::steady_clock::now();
    while (went && !run->has_ended()) co_await run->next_text(kTrialTime);
    const std::string failure = run->has_ended() ? run->end().failure : "model.timeout";
    if (failure.empty() && run->end().refusal) co_return answer(*run->end().refusal);
    const auto took =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
    json::object body{{"ok", failure.empty()}, {"latency_ms", took.count()}};
    if (!failure.empty()) body["error"] = failure;
    co_return net::json(200, json::value(std::move(body)));
}

Task<net::Response> discover_models(Core& core, net::Request /*request*/) {
    const auto found = co_await core.gateway.discover();
    if (!found) co_return gateway_error(found.error());
    json::array list;
    for (const auto& one : *found) list.push_back(egress::to_json(one));
    co_return net::json(200, json::value(json::object{{"found", std::move(list)}}));
}

}  // namespace assistant
