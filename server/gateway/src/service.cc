#include "service.h"

#include "discovery.h"

#include <base/json.h>
#include <base/metrics_json.h>
#include <egress/codec.h>

namespace gateway {
namespace {

namespace json = base::json;

constexpr std::size_t kRequestLimitBytes = 64 * 1024;

std::vector<std::string> strings(const json::array* list) {
    std::vector<std::string> out;
    if (list == nullptr) return out;
    for (const json::value& value : *list) {
        if (const auto* text = value.if_string()) out.emplace_back(*text);
    }
    return out;
}

}  // namespace

runtime::Task<base::Result<void>> Service::serve(std::string method, wire::Message request,
                                                 wire::ServedCall& call) {
    if (method == "model.call") co_return co_await models_.call(std::move(request), call);
    if (method == base::kMetricsMethod) {
        router_.measure(runtime_.metrics());
        co_return co_await call.send(wire::Message{base::metrics_json(runtime_.metrics().read()), {}});
    }
    auto body = base::parse_json(request.text, kRequestLimitBytes);
    if (!body || !body->is_object()) {
        co_return base::fail(base::ErrorKind::invalid, "egress.bad_message", "Expected an object.");
    }
    co_return co_await administer(std::move(method), std::move(body->get_object()), call);
}

runtime::Task<base::Result<void>> Service::administer(std::string method, json::object request,
                                                      wire::ServedCall& call) {
    const std::string id(base::get_string(request, "id").value_or(std::string_view{}));
    base::Result<void> done;
    json::object answer;
    if (method == "providers.list") {
        egress::ProviderList list{.read_only = store_.read_only(), .file = store_.file_name()};
        for (const StoredProvider& stored : store_.all()) {
            list.providers.push_back(stored.shown);
            list.providers.back().circuit_open = router_.circuit_open(stored.shown.id);
        }
        answer = egress::to_json(list);
    } else if (method == "providers.put") {
        auto provider = egress::read_provider(request["provider"]);
        if (!provider) co_return base::fail(std::move(provider.error()));
        std::optional<std::string> key;
        if (const auto given = base::get_string(request, "api_key")) key.emplace(*given);
        const std::string put_id = provider->id;
        done = store_.put(std::move(*provider), std::move(key));
        if (done) {
            router_.succeeded(put_id);  // a changed provider starts with a clean record
            models_.forget(put_id);
        }
    } else if (method == "providers.remove") {
        models_.forget(id);
        done = store_.remove(id);
    } else if (method == "providers.order") {
        done = store_.reorder(strings(base::get_array(request, "ids")));
    } else if (method == "providers.discover") {
        json::array found;
        for (const egress::Found& item : co_await discover(runtime_, http_))
            found.push_back(egress::to_json(item));
        answer = json::object{{"found", std::move(found)}};
    } else {
        co_return base::fail(base::ErrorKind::invalid, "gateway.no_method",
                             "The gateway has no such method.");
    }
    if (!done) co_return base::fail(std::move(done.error()));
    co_return co_await call.send(wire::Message{json::serialize(answer), {}});
}

}  // namespace gateway
