#include "model_service.h"

#include "completion_stream.h"
#include "retry_after.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include <base/crypto.h>
#include <base/json.h>
#include <base/log.h>
#include <egress/codec.h>

namespace gateway {
namespace {

namespace json = base::json;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

/// How long the first content (not a keep-alive comment) may take, in each lane. Where another server may be
/// asked it is asked earlier: the first one is given up, always before anything of its answer was shown.
struct FirstContent {
    std::chrono::seconds limit;
    std::chrono::seconds limit_before_another;
};
constexpr std::array<FirstContent, 3> kFirstContent{FirstContent{25s, 10s}, FirstContent{60s, 20s},
                                                    FirstContent{120s, 40s}};
constexpr auto kGapLimit = 20s;
/// After the answer's end, for the usage: servers that never close would be waited for in vain.
constexpr auto kTailLimit = 3s;

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
    if (error.code == "http.connect" || error.code == "http.tls")
        return {base::ErrorKind::unavailable, "model.unreachable", "The model server cannot be reached."};
    return {base::ErrorKind::unavailable, "model.bad_answer", "The model server's answer was cut off."};
}

std::unexpected<base::Error> none_available() {
    return unavailable("model.none_available", "No model server that may be used answers at the moment.");
}

std::unexpected<base::Error> given_up() {
    return base::fail(base::ErrorKind::cancelled, "wire.cancelled", "The call was given up.");
}

/// The label of a failed attempt.
std::string_view outcome_of(std::string_view code) {
    constexpr std::array<std::string_view, 7> kOutcomes{
        "busy", "refused", "bad_key", "no_such_model", "unreachable", "bad_answer", "timeout"};
    const auto dot = code.find('.');
    const auto* found =
        std::ranges::find(kOutcomes, code.substr(dot == std::string_view::npos ? 0 : dot + 1));
    return found == kOutcomes.end() ? "other" : *found;
}

runtime::Task<base::Result<void>> send(wire::ServedCall& call, egress::ModelEvent event,
                                       wire::Leaves leaves = wire::Leaves::at_once) {
    co_return co_await call.send(wire::Message{egress::write_model_event(event), {}}, leaves);
}

/// `invalid`: the server does not want this request, or any; `too_large`: not so long a one. Nothing is paid
/// where a server says that it was too busy or refuses; one that failed, or that stands behind one that gave
/// up, may have worked on it.
base::Error error_of_status(int status) {
    if (status == 429 || status == 503)
        return {base::ErrorKind::unavailable, "model.busy", "The model server is overloaded.", {}};
    if (status < 300 || status >= 500 || status == 408)
        return {base::ErrorKind::unavailable,
                "model.bad_answer",
                "The model server failed (" + std::to_string(status) + ").",
                {}};
    if (status == 401 || status == 403)
        return {base::ErrorKind::unavailable, "model.bad_key", "The model server does not take the key.", {}};
    if (status == 404)
        return {base::ErrorKind::unavailable,
                "model.no_such_model",
                "The model server does not know the model.",
                {}};
    const auto kind = status == 400 || status == 422 ? base::ErrorKind::invalid
                      : status == 413                ? base::ErrorKind::too_large
                                                     : base::ErrorKind::unavailable;
    return {
        kind, "model.refused", "The model server refused the request (" + std::to_string(status) + ").", {}};
}

/// The pause that an overloaded server asks for.
std::optional<std::chrono::seconds> pause_of(int status, const HttpTransfer& transfer,
                                             const base::Clock& clock) {
    const auto retry_after = transfer.header("retry-after");
    if ((status != 429 && status != 503) || !retry_after) return std::nullopt;
    return pause_asked_for(*retry_after, transfer.header("date").value_or(""), clock.now_ms() / 1000);
}

HttpRequest http_request(const StoredProvider& provider, std::string body,
                         steady_clock::time_point deadline) {
    HttpRequest http{.url = provider.shown.base_url,
                     .body = std::move(body),
                     .deadline = deadline,
                     .use_proxy = !is_loopback_url(provider.shown.base_url)};
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
                            Redaction& redaction, BodyForm form) {
    const auto joined = alternating(request.messages);
    for (const egress::PromptMessage& message : joined) redaction.keep_literals(message.content);
    json::array messages;
    for (const egress::PromptMessage& message : joined) {
        messages.push_back(
            json::object{{"role", role_name(message.role)}, {"content", redaction.redact(message.content)}});
    }
    json::object body{{"model", provider.shown.model},
                      {"messages", std::move(messages)},
                      {"stream", true},
                      {"max_tokens", request.max_output_tokens},
                      {"temperature", request.temperature}};
    if (form != BodyForm::least) body["stream_options"] = {{"include_usage", true}};
    if (form == BodyForm::whole && request.json_object) body["response_format"] = {{"type", "json_object"}};
    return json::serialize(body);
}

/// What one provider would be sent.
struct ModelService::Offer {
    StoredProvider provider;
    Redaction redaction;
    BodyForm form;
    std::string body;
    egress::Prepared prepared;

    Offer(StoredProvider stored, const egress::ModelRequest& request, BodyForm body_form)
        : provider(std::move(stored)),
          form(body_form),
          body(completion_body(provider, request, redaction, form)) {
        const egress::Provider& shown = provider.shown;
        prepared = {.outbound_sha256 = base::hex_encode(base::sha256(body)),
                    .outbound_bytes = static_cast<std::int64_t>(body.size()),
                    .provider_id = shown.id,
                    .provider_name = shown.name,
                    .model = shown.model,
                    .on_this_machine = shown.on_this_machine,
                    .input_price_micros_per_million = shown.input_price_micros_per_million,
                    .output_price_micros_per_million = shown.output_price_micros_per_million,
                    .currency = shown.currency};
    }
};

/// Where a call stands among the providers that it may try.
struct ModelService::Attempt {
    bool is_last = false;
    bool paid_before =
        false;  ///< the provider that was told to go last has failed, but may have worked on it
    egress::Left left = egress::Left::no;  ///< what that one was to be sent
};

ModelService::ModelService(runtime::Runtime& runtime, const base::Clock& clock, HttpClient& http,
                           Router& router)
    : clock_(clock),
      http_(http),
      router_(router),
      calls_(runtime.metrics(), "gateway_calls_total",
             "Model calls by outcome; known: from memory, nothing left."),
      attempts_(runtime.metrics(), "gateway_attempts_total", "Requests to model servers by outcome."),
      call_seconds_(runtime.metrics().histogram(
          "gateway_call_seconds", "Time of a model call from go to its end.", {0.1, 0.3, 1, 3, 10, 30, 100})),
      cache_(runtime, clock) {}

runtime::Task<base::Result<void>> ModelService::call(wire::Message message, wire::ServedCall& call) {
    auto request = egress::read_model_request(message.text, clock_.steady_now());
    if (!request) co_return base::fail(std::move(request.error()));
    const bool known_only = request->known_only;
    Attempt attempt;
    auto served = co_await serve(std::move(*request), attempt, call);
    if (served) co_return served;
    calls_.add(call.cancelled() ? "given_up" : known_only ? "not_known" : "failed");
    co_return base::fail(egress::with_fate(
        std::move(served.error()),
        {.left = attempt.left, .nothing_owed = !attempt.paid_before || attempt.left == egress::Left::no}));
}

runtime::Task<base::Result<void>> ModelService::serve(egress::ModelRequest request, Attempt& attempt,
                                                      wire::ServedCall& call) {
    auto providers = router_.fitting(request);
    if (!providers) co_return base::fail(std::move(providers.error()));
    std::vector<Offer> offers;
    for (StoredProvider& provider : *providers) {
        const auto known_form = forms_.find(provider.shown.id);
        offers.emplace_back(std::move(provider), request,
                            known_form == forms_.end() ? BodyForm::whole : known_form->second);
        if (offers.back().prepared.outbound_bytes > egress::kOutboundLimitBytes)
            co_return unavailable("model.refused", "The request is too long.");
    }

    const auto known_to = [&](const Offer& offer) -> std::optional<AnswerCache::Answer> {
        if (request.reuse_scope.empty()) return std::nullopt;
        return cache_.find(offer.provider.shown.id, request.reuse_scope, offer.prepared.outbound_sha256);
    };
    const auto is_away = [&](const Offer& offer) {
        return !request.is_trial && router_.circuit_open(offer.provider.shown.id);
    };
    // What the server that would be asked now has answered, no other's: people agreed to a destination. Where
    // none may be asked, any that is known is better than nothing.
    const bool any_will_do = request.known_only || std::ranges::all_of(offers, is_away);
    for (const Offer& offer : offers) {
        if (!any_will_do && is_away(offer)) continue;
        if (auto known = known_to(offer)) co_return co_await serve_known(offer, std::move(*known), call);
        if (!any_will_do) break;
    }
    if (request.known_only) co_return unavailable("model.none_available", "Nothing like it is known.");

    std::erase_if(offers, is_away);
    // Core pays nothing for some failures: only where that is true of the last that was told to go.
    const auto at_the_end = [&](base::Error error) -> std::unexpected<base::Error> {
        if (attempt.paid_before && egress::cost_nothing(error.code))
            return unavailable("model.bad_answer", "No model server answered as it should.");
        return std::unexpected(as_model_error(error));
    };
    for (Offer& offer : offers) {
        attempt.is_last = &offer == &offers.back();
        auto tried = co_await try_in_forms(request, offer, attempt, call);
        if (!tried) co_return at_the_end(std::move(tried.error()));
        if (*tried == Tried::answered) {
            calls_.add("answered");
            co_return base::Result<void>{};
        }
    }
    co_return at_the_end(none_available().error());
}

/// Core asks for consent and writes a receipt as for any other answer; only nothing leaves.
runtime::Task<base::Result<void>> ModelService::serve_known(const Offer& offer, AnswerCache::Answer answer,
                                                            wire::ServedCall& call) {
    egress::Prepared prepared = offer.prepared;
    prepared.known = true;
    prepared.outbound_sha256.clear();
    prepared.outbound_bytes = 0;
    if (auto sent = co_await send(call, prepared); !sent) co_return sent;
    if (auto go = co_await call.next(); !go) co_return base::fail(std::move(go.error()));
    if (auto sent =
            co_await send(call, egress::Delta{offer.redaction.restore(answer.text)}, wire::Leaves::with_next);
        !sent)
        co_return sent;
    auto sent = co_await send(call, egress::Finished{.finish_reason = std::move(answer.finish_reason)},
                              wire::Leaves::with_next);
    if (sent) calls_.add("known");
    co_return sent;
}

/// A failure before the first content may be tried elsewhere; after it, what was shown stands and the call
/// fails.
base::Result<ModelService::Tried> ModelService::fail(const egress::ModelRequest& request, const Offer& offer,
                                                     Attempt& attempt, const wire::ServedCall& call,
                                                     base::Error error) {
    if (call.cancelled()) return given_up();
    const std::string& id = offer.provider.shown.id;
    error = as_model_error(error);
    // A request that is too long, or that ran out of its own time, says nothing about the server.
    const bool out_of_time = steady_clock::now() >= request.deadline;
    if (out_of_time && !egress::cost_nothing(error.code))
        error = {base::ErrorKind::timeout, "model.timeout", "The model did not answer in time.", {}};
    const bool is_refused = error.kind == base::ErrorKind::invalid;
    const bool is_about_request = is_refused || error.kind == base::ErrorKind::too_large;
    if (!out_of_time && !request.is_trial) {
        if (is_refused) router_.refused(id);
        if (!is_about_request) router_.failed(id);
    }
    attempts_.add(outcome_of(error.code));
    base::log_warning("gateway.provider_failed", {{"provider", id}, {"code", error.code}});
    if (is_about_request) error.kind = base::ErrorKind::unavailable;
    attempt.paid_before = !egress::cost_nothing(error.code);
    if (!attempt.is_last && !out_of_time) return Tried::failed_before_content;
    return base::fail(std::move(error));
}

/// As much of the dialect as the server takes; what it took is remembered. Each form is another request, for
/// which core is asked anew.
runtime::Task<base::Result<ModelService::Tried>> ModelService::try_in_forms(
    const egress::ModelRequest& request, Offer& offer, Attempt& attempt, wire::ServedCall& call) {
    auto tried = co_await try_provider(request, offer, attempt, call);
    while (tried && *tried == Tried::wants_less) {
        const bool has_format = request.json_object && offer.form == BodyForm::whole;
        offer = Offer(std::move(offer.provider), request,
                      has_format ? BodyForm::without_format : BodyForm::least);
        tried = co_await try_provider(request, offer, attempt, call);
        if (tried && *tried == Tried::answered && router_.still_stands(offer.provider, request.is_trial))
            forms_[offer.provider.shown.id] = offer.form;
    }
    co_return tried;
}

void ModelService::forget(std::string_view provider_id) {
    cache_.forget(provider_id);
    if (const auto known = forms_.find(provider_id); known != forms_.end()) forms_.erase(known);
}

runtime::Task<base::Result<ModelService::Tried>> ModelService::try_provider(
    const egress::ModelRequest& request, Offer& offer, Attempt& attempt, wire::ServedCall& call) {
    const std::string& id = offer.provider.shown.id;
    // The place is taken before core commits the receipt: what waits in a lane has not been told to go.
    call.on_cancelled([this, id] { router_.wake(id); });
    std::optional<base::Result<Router::Place>> place;
    if (!request.is_trial)
        place.emplace(co_await router_.enter(offer.provider, request.lane, request.deadline,
                                             [&call] { return call.cancelled(); }));
    if (place && !*place) {
        const bool may_go_on = place->error().kind == base::ErrorKind::unavailable && !attempt.is_last;
        if (may_go_on) co_return Tried::failed_before_content;
        co_return base::fail(place->error());
    }
    // The administrator may have changed the list while this waited, or while another server was asked.
    const auto stands = [&] { return router_.still_stands(offer.provider, request.is_trial); };
    const auto pass_over = [&]() -> base::Result<Tried> {
        if (!attempt.is_last) return Tried::failed_before_content;
        return none_available();
    };
    if (!stands()) co_return pass_over();
    offer.prepared.paid_before = attempt.paid_before;
    offer.prepared.left_before = attempt.left;
    if (auto sent = co_await send(call, offer.prepared); !sent) co_return base::fail(std::move(sent.error()));
    auto transfer = http_.prepare(http_request(offer.provider, std::move(offer.body), request.deadline));
    auto go = co_await call.next();
    if (!go) co_return base::fail(std::move(go.error()));
    if (go->text != R"({"type":"go"})")
        co_return base::fail(base::ErrorKind::invalid, "egress.bad_message", "Expected go.");
    attempt.paid_before = false;
    attempt.left = egress::Left::no;
    if (!stands()) co_return pass_over();
    // Given up in the same moment: what the two messages say together is no.
    if (call.cancelled()) co_return given_up();
    co_return co_await stream(request, offer, attempt, std::move(transfer), call);
}

runtime::Task<base::Result<ModelService::Tried>> ModelService::stream(const egress::ModelRequest& request,
                                                                      Offer& offer, Attempt& attempt,
                                                                      std::shared_ptr<HttpTransfer> transfer,
                                                                      wire::ServedCall& call) {
    const std::string& id = offer.provider.shown.id;
    const auto started = steady_clock::now();
    struct LeftOnceOver {
        Attempt& attempt;
        HttpTransfer& transfer;
        ~LeftOnceOver() { attempt.left = transfer.anything_sent() ? egress::Left::yes : egress::Left::no; }
    };
    const LeftOnceOver left_once_over{attempt, *transfer};
    attempt.paid_before = true;  // until it is known that it did not work on it
    transfer->begin();
    // A server that hangs is left at once when nobody waits any more.
    call.on_cancelled([weak = std::weak_ptr(transfer)] {
        if (const auto under_way = weak.lock()) under_way->abort();
    });
    const FirstContent& first = kFirstContent.at(static_cast<std::size_t>(request.lane));
    auto content_by =
        std::min(request.deadline, started + (attempt.is_last ? first.limit : first.limit_before_another));

    auto status = co_await transfer->status(content_by);
    if (!status) co_return fail(request, offer, attempt, call, std::move(status.error()));
    if (*status != 200) {
        if (const auto pause = pause_of(*status, *transfer, clock_)) router_.rest(id, *pause);
        if ((*status == 400 || *status == 422) && offer.form != BodyForm::least) {
            attempts_.add("refused");
            attempt.paid_before = false;
            co_return Tried::wants_less;
        }
        co_return fail(request, offer, attempt, call, error_of_status(*status));
    }

    CompletionStream completion;
    Redaction::Restorer restorer(offer.redaction);
    std::string answer;
    bool content_sent = false;
    bool is_cut = false;
    const auto give = [&](std::string text) -> runtime::Task<base::Result<void>> {
        if (text.empty()) co_return base::Result<void>{};
        content_sent = true;
        const auto leaves = completion.done() ? wire::Leaves::with_next : wire::Leaves::at_once;
        co_return co_await send(call, egress::Delta{std::move(text), completion.received_bytes()}, leaves);
    };
    for (;;) {
        auto piece = co_await transfer->read(content_by);
        if (call.cancelled()) co_return given_up();
        // The answer was whole; only its usage did not come.
        if (!piece && !completion.finish_reason().empty()) break;
        const auto received = completion.received_bytes();
        const bool had_ended = !completion.finish_reason().empty();
        auto text = !piece           ? base::Result<std::string>(base::fail(std::move(piece.error())))
                    : piece->empty() ? completion.finish()
                                     : completion.feed(*piece);
        if (text) answer += *text;
        if (!text) {
            if (!content_sent) co_return fail(request, offer, attempt, call, std::move(text.error()));
            if (steady_clock::now() < request.deadline) router_.failed(id);
            const auto failure = as_model_error(text.error());
            attempts_.add(outcome_of(failure.code));
            co_return base::fail(failure);
        }
        if (auto given = co_await give(restorer.feed(*text)); !given)
            co_return base::fail(std::move(given.error()));
        if (completion.done() || piece->empty()) break;
        // Whoever goes on beyond what was asked for is not listened to: what is not read is not spent.
        const bool goes_on =
            completion.finish_reason().empty() || (had_ended && completion.received_bytes() > received);
        if (goes_on && completion.is_longer_than(request.max_output_tokens)) {
            transfer->abort();
            is_cut = true;
            break;
        }
        const auto now = steady_clock::now();
        if (completion.received_bytes() > received) content_by = std::min(request.deadline, now + kGapLimit);
        if (!completion.finish_reason().empty()) content_by = std::min(content_by, now + kTailLimit);
    }
    if (auto given = co_await give(restorer.finish()); !given) co_return base::fail(std::move(given.error()));
    router_.succeeded(id);
    attempts_.add("answered");

    egress::Finished finished{.input_tokens = offer.prepared.outbound_bytes,
                              .output_tokens = completion.estimated_tokens(request.max_output_tokens),
                              .estimated = true,
                              .received_bytes = completion.received_bytes(),
                              .finish_reason = completion.finish_reason(),
                              .retracted = completion.finish_reason() == "sensitive" ||
                                           completion.finish_reason() == "content_filter"};
    if (is_cut && finished.finish_reason.empty()) finished.finish_reason = "length";
    if (completion.usage() && !is_cut) {  // a count while it went on is not the whole
        finished.input_tokens = completion.usage()->input_tokens;
        finished.output_tokens = completion.usage()->output_tokens;
        finished.estimated = false;
    }
    const bool is_whole = !finished.retracted && finished.finish_reason != "length" && !answer.empty();
    // Where the list was changed meanwhile, another server stands under that id, or none.
    const bool is_its_answer = router_.still_stands(offer.provider, request.is_trial);
    if (!request.reuse_scope.empty() && is_whole && is_its_answer) {
        cache_.put(id, request.reuse_scope, offer.prepared.outbound_sha256,
                   {std::move(answer), finished.finish_reason});
    }
    call_seconds_.observe(std::chrono::duration<double>(steady_clock::now() - started).count());
    if (auto sent = co_await send(call, finished, wire::Leaves::with_next); !sent)
        co_return base::fail(std::move(sent.error()));
    co_return Tried::answered;
}

}  // namespace gateway
