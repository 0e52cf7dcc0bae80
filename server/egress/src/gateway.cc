#include <algorithm>
#include <array>
#include <utility>

#include <egress/codec.h>
#include <egress/model.h>

namespace egress {
namespace {

namespace json = base::json;
using namespace std::chrono_literals;

constexpr auto kAdministrationDeadline = 20s;
constexpr std::size_t kWordsLimitBytes = 1024;

struct Failure {
    std::string_view code;
    base::ErrorKind kind;
    std::string_view words;
};
/// All that a call of a model can fail with. The gateway speaks with strangers: it names one of these, and
/// has no say in what people read.
constexpr std::array kModelFailures{
    Failure{"model.none_configured", base::ErrorKind::unavailable,
            "No model server is set up on this server."},
    Failure{"model.none_available", base::ErrorKind::unavailable,
            "No model server that may be used answers at the moment."},
    Failure{"model.busy", base::ErrorKind::unavailable,
            "Too many calls are waiting for a model; try again later."},
    Failure{"model.refused", base::ErrorKind::unavailable, "The model server refused the request."},
    Failure{"model.bad_key", base::ErrorKind::unavailable, "The model server does not take the key."},
    Failure{"model.no_such_model", base::ErrorKind::unavailable, "The model server does not know the model."},
    Failure{"model.unreachable", base::ErrorKind::unavailable, "The model server cannot be reached."},
    Failure{"model.bad_answer", base::ErrorKind::unavailable,
            "The model server's answer was not what it should be."},
    Failure{"model.timeout", base::ErrorKind::timeout, "The model did not answer in time."},
    Failure{"gateway.away", base::ErrorKind::unavailable,
            "The gateway is being restarted; try again in a moment."},
    Failure{"wire.cancelled", base::ErrorKind::cancelled, "The call was given up."},
};

/// The code for what the wire itself says.
std::string_view code_of(std::string_view code) {
    if (code == "wire.peer_gone" || code == "wire.end") return "gateway.away";
    if (code == "wire.busy") return "model.busy";
    if (code == "wire.deadline") return "model.timeout";
    if (code == "wire.too_large") return "model.refused";
    return code;
}

base::Error model_failure(const base::Error& error) {
    const auto* found = std::ranges::find(kModelFailures, code_of(error.code), &Failure::code);
    if (found == kModelFailures.end())
        found = std::ranges::find(kModelFailures, std::string_view("model.bad_answer"), &Failure::code);
    return {found->kind, std::string(found->code), std::string(found->words), {}};
}

/// What the administrator is told: of the list of model servers the gateway speaks in its own words, but as
/// no other part of the server.
base::Error administration_failure(base::Error error) {
    if (code_of(error.code) != error.code) return model_failure(error);
    const bool is_its_own = error.code.starts_with("gateway.") || error.code.starts_with("model.");
    const bool is_of_its_kind =
        error.kind == base::ErrorKind::invalid || error.kind == base::ErrorKind::not_found ||
        error.kind == base::ErrorKind::conflict || error.kind == base::ErrorKind::unavailable ||
        error.kind == base::ErrorKind::timeout;
    if (is_its_own && is_of_its_kind && error.message.size() <= kWordsLimitBytes) return error;
    return {base::ErrorKind::unavailable, "gateway.fault", "The gateway answered what nobody asked.", {}};
}

/// One question, one answer.
runtime::Task<base::Result<std::string>> ask(wire::Peer& peer, std::string method, json::object request) {
    auto call = peer.call(method, wire::Message{json::serialize(request), {}},
                          std::chrono::steady_clock::now() + kAdministrationDeadline);
    if (!call) co_return base::fail(administration_failure(std::move(call.error())));
    auto answer = co_await (*call)->next();
    if (!answer) co_return base::fail(administration_failure(std::move(answer.error())));
    co_return std::move(answer->text);
}

base::Result<void> nothing(base::Result<std::string> answer) {
    if (!answer) return base::fail(std::move(answer.error()));
    return {};
}

}  // namespace

bool cost_nothing(std::string_view code) {
    return code == "model.busy" || code == "model.refused" || code == "model.bad_key" ||
           code == "model.no_such_model" || code == "model.unreachable" || code == "model.none_available" ||
           code == "model.none_configured";
}

ModelCall::ModelCall(std::unique_ptr<wire::Call> call) : call_(std::move(call)) {}
ModelCall::~ModelCall() = default;
ModelCall::ModelCall(ModelCall&&) noexcept = default;
ModelCall& ModelCall::operator=(ModelCall&&) noexcept = default;

runtime::Task<base::Result<ModelEvent>> ModelCall::next() {
    auto message = co_await call_->next();
    if (!message) {
        fate_ = read_fate(message.error());
        co_return base::fail(model_failure(message.error()));
    }
    auto event = read_model_event(message->text);
    if (!event) co_return base::fail(model_failure(event.error()));
    co_return event;
}

runtime::Task<base::Result<void>> ModelCall::go() {
    auto sent = co_await call_->send(wire::Message{R"({"type":"go"})", {}});
    if (!sent) co_return base::fail(model_failure(sent.error()));
    co_return base::Result<void>{};
}

void ModelCall::cancel() {
    call_->cancel();
}

void ModelCall::ask_to_end(std::chrono::steady_clock::duration last_words) {
    call_->ask_to_end(last_words);
}

base::Result<ModelCall> Gateway::begin(ModelRequest request) {
    auto call = peer_.call(
        "model.call", wire::Message{json::serialize(to_json(request, std::chrono::steady_clock::now())), {}},
        request.deadline);
    if (!call) return base::fail(model_failure(call.error()));
    return ModelCall(std::move(*call));
}

runtime::Task<base::Result<ProviderList>> Gateway::providers() {
    auto answer = co_await ask(peer_, "providers.list", {});
    if (!answer) co_return base::fail(std::move(answer.error()));
    co_return read_provider_list(*answer);
}

runtime::Task<base::Result<void>> Gateway::put_provider(Provider provider, std::optional<std::string> key) {
    json::object request{{"provider", to_json(provider)}};
    if (key) request["api_key"] = *key;
    co_return nothing(co_await ask(peer_, "providers.put", std::move(request)));
}

runtime::Task<base::Result<void>> Gateway::remove_provider(std::string id) {
    co_return nothing(co_await ask(peer_, "providers.remove", json::object{{"id", std::move(id)}}));
}

runtime::Task<base::Result<void>> Gateway::set_order(std::vector<std::string> ids) {
    co_return nothing(co_await ask(peer_, "providers.order", json::object{{"ids", json::value_from(ids)}}));
}

runtime::Task<base::Result<std::vector<Found>>> Gateway::discover() {
    auto answer = co_await ask(peer_, "providers.discover", {});
    if (!answer) co_return base::fail(std::move(answer.error()));
    co_return read_found_list(*answer);
}

}  // namespace egress
