#include "model_service.h"

#include "completion_stream.h"

#include <algorithm>

#include <base/crypto.h>
#include <base/json.h>
#include <base/log.h>
#include <egress/codec.h>

namespace gateway {
namespace {

namespace json = base::json;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

// Content, not keep-alive comments, must come within these.
constexpr auto kFirstTokenLimit = 30s;
constexpr auto kGapLimit = 20s;
constexpr std::size_t kAnswerLimitBytes = 512 * 1024;

std::string_view role_name(egress::PromptMessage::Role role) {
    switch (role) {
        case egress::PromptMessage::Role::system:
            return "system";
        case egress::PromptMessage::Role::user:
            return "user";
        case egress::PromptMessage::Role::assistant:
            return "assistant";
    }
    return "user";
}

std::unexpected<base::Error> unavailable(std::string_view code, std::string message) {
    return base::fail(base::ErrorKind::unavailable, code, std::move(message));
}

/// A model server's failure in the words of the assistant's errors; its own text is never passed on.
base::Error as_model_error(const base::Error& error) {
    if (error.kind == base::ErrorKind::timeout) {
        return {base::ErrorKind::timeout, "model.timeout", "The model did not answer in time."};
    }
    if (error.code.starts_with("model.") || error.code.starts_with("wire.")) return error;
    return {base::ErrorKind::unavailable, "model.unreachable", "The model server cannot be reached."};
}

runtime::Task<base::Result<void>> send(wire::ServedCall& call, egress::ModelEvent event) {
    co_return co_await call.send(wire::Message{json::serialize(egress::to_json(event)), {}});
}

HttpRequest http_request(const StoredProvider& provider, std::string body,
                         steady_clock::time_point deadline) {
    HttpRequest http{.url = provider.shown.base_url,
                     .body = std::move(body),
                     .deadline = deadline,
                     .use_proxy = !provider.shown.on_this_machine};
    while (http.url.ends_with('/')) http.url.pop_back();
    http.url += "/chat/completions";
    http.headers = {{"Content-Type", "application/json"}, {"Accept", "text/event-stream"}};
    if (!provider.api_key.empty()) http.headers.emplace_back("Authorization", "Bearer " + provider.api_key);
    return http;
}

/// Strict servers want user and assistant to take turns, after the system's words: neighbours of one role are
/// joined.
std::vector<egress::PromptMessage> alternating(const std::vector<egress::PromptMessage>& messages) {
    std::vector<egress::PromptMessage> joined;
    for (const egress::PromptMessage& message : messages) {
        if (!joined.empty() && joined.back().role == message.role) {
            joined.back().content += "\n\n" + message.content;
        } else {
            joined.push_back(message);
        }
    }
    return joined;
}

}  // namespace

std::string completion_body(const StoredProvider& provider, const egress::ModelRequest& request,
                            Redaction& redaction) {
    json::array messages;
    for (const egress::PromptMessage& message : alternating(request.messages)) {
        messages.push_back(
            json::object{{"role", role_name(message.role)}, {"content", redaction.redact(message.content)}});
    }
    json::object body{{"model", provider.shown.model},
                      {"messages", std::move(messages)},
                      {"stream", true},
                      {"stream_options", {{"include_usage", true}}},
                      {"max_tokens", request.max_output_tokens},
                      {"temperature", request.temperature}};
    if (request.json_object) body["response_format"] = {{"type", "json_object"}};
    return json::serialize(body);
}

ModelService::ModelService(runtime::Runtime& runtime, const base::Clock& clock, HttpClient& http,
                           Router& router)
    : clock_(clock), http_(http), router_(router), metrics_(runtime.metrics()) {}

runtime::Task<base::Result<void>> ModelService::call(wire::Message message, wire::ServedCall& call) {
    auto request = egress::read_model_request(message.text, clock_.steady_now());
    if (!request) co_return base::fail(std::move(request.error()));
    auto candidates = router_.candidates(*request);
    if (!candidates) co_return base::fail(std::move(candidates.error()));

    for (std::size_t i = 0; i < candidates->size(); ++i) {
        const bool is_last = i + 1 == candidates->size();
        auto tried = co_await try_provider(*request, (*candidates)[i], is_last, call);
        if (!tried) {
            metrics_.counter("gateway_calls_total", "Model calls by outcome.", {{"outcome", "failed"}}).add();
            co_return base::fail(as_model_error(tried.error()));
        }
        if (*tried == Tried::answered) {
            metrics_.counter("gateway_calls_total", "Model calls by outcome.", {{"outcome", "answered"}})
                .add();
            co_return base::Result<void>{};
        }
    }
    co_return unavailable("model.none_available", "No model server answered.");
}

runtime::Task<base::Result<ModelService::Tried>> ModelService::try_provider(
    const egress::ModelRequest& request, const StoredProvider& provider, bool is_last,
    wire::ServedCall& call) {
    Redaction redaction;
    std::string body = completion_body(provider, request, redaction);
    const egress::Prepared prepared{
        .outbound_sha256 = base::hex_encode(base::sha256(body)),
        .outbound_bytes = static_cast<std::int64_t>(body.size()),
        .provider_id = provider.shown.id,
        .provider_name = provider.shown.name,
        .model = provider.shown.model,
        .on_this_machine = provider.shown.on_this_machine,
        .input_price_micros_per_million = provider.shown.input_price_micros_per_million,
        .output_price_micros_per_million = provider.shown.output_price_micros_per_million,
        .currency = provider.shown.currency};
    // The place is taken before core commits the receipt: what waits in a lane has not been told to go.
    auto place = co_await router_.enter(provider, request.lane, request.deadline);
    if (!place) co_return base::fail(std::move(place.error()));
    if (auto sent = co_await send(call, prepared); !sent) co_return base::fail(std::move(sent.error()));
    auto go = co_await call.next();
    if (!go) co_return base::fail(std::move(go.error()));
    if (go->text != R"({"type":"go"})")
        co_return base::fail(base::ErrorKind::invalid, "egress.bad_message", "Expected go.");

    const auto started = steady_clock::now();
    const auto prompt_bytes = prepared.outbound_bytes;
    auto transfer = http_.start(http_request(provider, std::move(body), request.deadline));
    const auto first_token_deadline = std::min(request.deadline, started + kFirstTokenLimit);
    // A failure before the first content may be tried elsewhere; after it, what was shown stands and the call
    // fails.
    const auto failure = [&](base::Error error) -> base::Result<Tried> {
        if (call.cancelled())
            return base::fail(base::ErrorKind::cancelled, "wire.cancelled", "The call was given up.");
        router_.failed(provider.shown.id);
        base::log_warning("gateway.provider_failed", {{"provider", provider.shown.id}, {"code", error.code}});
        if (!is_last) return Tried::failed_before_content;
        return base::fail(as_model_error(error));
    };

    auto status = co_await transfer->status(first_token_deadline);
    if (!status) co_return failure(std::move(status.error()));
    if (*status != 200) {
        const bool transient = *status == 429 || *status >= 500;
        co_return failure({base::ErrorKind::unavailable, transient ? "model.busy" : "model.refused",
                           transient
                               ? "The model server is overloaded."
                               : "The model server refused the request (" + std::to_string(*status) + ")."});
    }

    CompletionStream stream;
    Redaction::Restorer restorer(redaction);
    bool content_sent = false;
    std::size_t answer_bytes = 0;
    const auto give = [&](std::string text) -> runtime::Task<base::Result<void>> {
        if (text.empty()) co_return base::Result<void>{};
        answer_bytes += text.size();
        if (answer_bytes > kAnswerLimitBytes)
            co_return unavailable("model.bad_answer", "The answer is too long.");
        content_sent = true;
        co_return co_await send(call, egress::Delta{std::move(text)});
    };
    for (;;) {
        if (call.cancelled())
            co_return base::fail(base::ErrorKind::cancelled, "wire.cancelled", "The call was given up.");
        const auto limit = stream.started() ? std::min(request.deadline, steady_clock::now() + kGapLimit)
                                            : first_token_deadline;
        auto piece = co_await transfer->read(limit);
        auto text = !piece           ? base::Result<std::string>(base::fail(std::move(piece.error())))
                    : piece->empty() ? stream.finish()
                                     : stream.feed(*piece);
        if (!text) {
            if (!content_sent) co_return failure(std::move(text.error()));
            router_.failed(provider.shown.id);
            co_return base::fail(as_model_error(text.error()));
        }
        if (auto given = co_await give(restorer.feed(*text)); !given)
            co_return base::fail(std::move(given.error()));
        if (stream.done() || piece->empty()) break;
    }
    if (auto given = co_await give(restorer.finish()); !given) co_return base::fail(std::move(given.error()));
    router_.succeeded(provider.shown.id);

    // Where the provider says nothing, a byte counts as a token: never less than what is true.
    egress::Finished finished{
        .input_tokens = prompt_bytes,
        .output_tokens = stream.received_bytes(),
        .estimated = true,
        .finish_reason = stream.finish_reason(),
        .retracted = stream.finish_reason() == "sensitive" || stream.finish_reason() == "content_filter"};
    if (stream.usage()) {
        finished.input_tokens = stream.usage()->input_tokens;
        finished.output_tokens = stream.usage()->output_tokens;
        finished.estimated = false;
    }
    metrics_
        .histogram("gateway_call_seconds", "Time of a model call from go to its end.",
                   {0.1, 0.3, 1, 3, 10, 30, 100})
        .observe(std::chrono::duration<double>(steady_clock::now() - started).count());
    if (auto sent = co_await send(call, finished); !sent) co_return base::fail(std::move(sent.error()));
    co_return Tried::answered;
}

runtime::Task<egress::ProbeResult> ModelService::probe(StoredProvider provider) {
    egress::ModelRequest request{.call_id = egress::CallId("probe"),
                                 .purpose = "probe",
                                 .messages = {{egress::PromptMessage::Role::user, "Say: ok"}},
                                 .max_output_tokens = 16,
                                 .temperature = 0,
                                 .deadline = steady_clock::now() + 15s};
    Redaction redaction;
    const auto started = steady_clock::now();
    auto transfer =
        http_.start(http_request(provider, completion_body(provider, request, redaction), request.deadline));
    CompletionStream stream;
    const auto result = [&](std::string error_code) {
        const auto took =
            std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - started);
        return egress::ProbeResult{
            .ok = error_code.empty(), .latency_ms = took.count(), .error_code = std::move(error_code)};
    };
    auto status = co_await transfer->status(request.deadline);
    if (!status) co_return result(as_model_error(status.error()).code);
    if (*status == 401 || *status == 403) co_return result("model.bad_key");
    if (*status == 404) co_return result("model.no_such_model");
    if (*status != 200) co_return result(*status == 429 || *status >= 500 ? "model.busy" : "model.refused");
    for (;;) {
        auto piece = co_await transfer->read(request.deadline);
        if (!piece) co_return result(as_model_error(piece.error()).code);
        auto text = piece->empty() ? stream.finish() : stream.feed(*piece);
        if (!text) co_return result(text.error().code);
        if (stream.done() || piece->empty()) break;
    }
    router_.succeeded(provider.shown.id);
    co_return result({});
}

}  // namespace gateway
