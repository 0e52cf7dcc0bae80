#include <utility>

#include <egress/codec.h>
#include <egress/model.h>

namespace egress {
namespace {

namespace json = base::json;
using namespace std::chrono_literals;

constexpr auto kAdministrationDeadline = 20s;

/// What people are told when the gateway is being restarted, whatever the wire called it.
base::Error in_words(base::Error error) {
    if (error.code == "wire.peer_gone" || error.code == "wire.end") {
        return {base::ErrorKind::unavailable, "gateway.away",
                "The gateway is being restarted; try again in a moment."};
    }
    if (error.code == "wire.busy") {
        return {base::ErrorKind::unavailable, "model.busy",
                "Too many calls are waiting for a model; try again later."};
    }
    if (error.code == "wire.deadline") {
        return {base::ErrorKind::timeout, "model.timeout", "The model did not answer in time."};
    }
    return error;
}

/// One question, one answer.
runtime::Task<base::Result<std::string>> ask(wire::Peer& peer, std::string method, json::object request) {
    auto call = peer.call(method, wire::Message{json::serialize(request), {}},
                          std::chrono::steady_clock::now() + kAdministrationDeadline);
    if (!call) co_return base::fail(in_words(std::move(call.error())));
    auto answer = co_await (*call)->next();
    if (!answer) co_return base::fail(in_words(std::move(answer.error())));
    co_return std::move(answer->text);
}

base::Result<void> nothing(base::Result<std::string> answer) {
    if (!answer) return base::fail(std::move(answer.error()));
    return {};
}

}  // namespace

bool cost_nothing(std::string_view code) {
    return code == "model.busy" || code == "model.refused" || code == "model.unreachable" ||
           code == "model.none_available" || code == "model.none_configured";
}

ModelCall::ModelCall(std::unique_ptr<wire::Call> call) : call_(std::move(call)) {}
ModelCall::~ModelCall() = default;
ModelCall::ModelCall(ModelCall&&) noexcept = default;
ModelCall& ModelCall::operator=(ModelCall&&) noexcept = default;

runtime::Task<base::Result<ModelEvent>> ModelCall::next() {
    auto message = co_await call_->next();
    if (!message) co_return base::fail(in_words(std::move(message.error())));
    co_return read_model_event(message->text);
}

runtime::Task<base::Result<void>> ModelCall::go() {
    auto sent = co_await call_->send(wire::Message{R"({"type":"go"})", {}});
    if (!sent) co_return base::fail(in_words(std::move(sent.error())));
    co_return base::Result<void>{};
}

void ModelCall::cancel() {
    call_->cancel();
}

base::Result<ModelCall> Gateway::begin(ModelRequest request) {
    auto call = peer_.call(
        "model.call", wire::Message{json::serialize(to_json(request, std::chrono::steady_clock::now())), {}},
        request.deadline);
    if (!call) return base::fail(in_words(std::move(call.error())));
    return ModelCall(std::move(*call));
}

runtime::Task<base::Result<std::optional<Provider>>> Gateway::preferred() {
    auto list = co_await providers();
    if (!list) co_return base::fail(std::move(list.error()));
    for (Provider& provider : list->providers) {
        if (provider.enabled && !provider.circuit_open) co_return std::move(provider);
    }
    co_return std::optional<Provider>{};
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

runtime::Task<base::Result<ProbeResult>> Gateway::test_provider(std::string id) {
    auto answer = co_await ask(peer_, "providers.test", json::object{{"id", std::move(id)}});
    if (!answer) co_return base::fail(std::move(answer.error()));
    co_return read_probe_result(*answer);
}

runtime::Task<base::Result<std::vector<Found>>> Gateway::discover() {
    auto answer = co_await ask(peer_, "providers.discover", {});
    if (!answer) co_return base::fail(std::move(answer.error()));
    co_return read_found_list(*answer);
}

}  // namespace egress
