#include <algorithm>
#include <array>
#include <utility>

#include <base/encoding.h>
#include <egress/codec.h>

namespace egress {
namespace {

namespace json = base::json;

constexpr std::size_t kMessageLimitBytes = 1024 * 1024;
constexpr std::size_t kMessageDepth = 64;
constexpr std::size_t kNameLimitBytes = 512;
constexpr std::int64_t kTokensLimit = std::int64_t{1} << 40U;

std::unexpected<base::Error> bad(std::string_view what) {
    return base::fail(base::ErrorKind::invalid, "egress.bad_message",
                      "A message lacks " + std::string(what) + ".");
}

std::string text_of(const json::object& object, std::string_view key) {
    return std::string(base::get_string(object, key).value_or(std::string_view{}));
}

std::string_view role_name(PromptMessage::Role role) {
    switch (role) {
        case PromptMessage::Role::system:
            return "system";
        case PromptMessage::Role::user:
            return "user";
        case PromptMessage::Role::assistant:
            return "assistant";
    }
    return "user";
}

std::optional<PromptMessage::Role> role_of(std::string_view name) {
    if (name == "system") return PromptMessage::Role::system;
    if (name == "user") return PromptMessage::Role::user;
    if (name == "assistant") return PromptMessage::Role::assistant;
    return std::nullopt;
}

constexpr std::array<std::pair<Left, std::string_view>, 3> kLeftNames{
    std::pair{Left::no, "no"}, {Left::yes, "yes"}, {Left::unknown, "unknown"}};

Left left_of(std::string_view name) {
    const auto* found = std::ranges::find(kLeftNames, name, &std::pair<Left, std::string_view>::second);
    return found == kLeftNames.end() ? Left::unknown : found->first;
}

/// Memory for the tree of one message, which most find room in.
struct Scratch {
    std::array<unsigned char, 4096> bytes;
    json::monotonic_resource memory{bytes.data(), bytes.size()};
};

base::Result<json::object> read_object(std::string_view text, json::storage_ptr memory = {}) {
    auto value = base::parse_json(text, kMessageLimitBytes, kMessageDepth, std::move(memory));
    if (!value) return base::fail(std::move(value.error()));
    if (!value->is_object()) return bad("an object");
    return std::move(value->get_object());
}

}  // namespace

std::string_view to_string(Left left) {
    const auto* found = std::ranges::find(kLeftNames, left, &std::pair<Left, std::string_view>::first);
    return found == kLeftNames.end() ? "unknown" : found->second;
}

base::Error with_fate(base::Error error, const Fate& fate) {
    error.message =
        json::serialize(json::object{{"left", to_string(fate.left)}, {"nothing_owed", fate.nothing_owed}});
    return error;
}

Fate read_fate(const base::Error& error) {
    const auto object = read_object(error.message);
    if (!object) return {};
    return {.left = left_of(text_of(*object, "left")),
            .nothing_owed = base::get_bool(*object, "nothing_owed").value_or(false)};
}

json::object to_json(const ModelRequest& request, std::chrono::steady_clock::time_point now) {
    json::array messages;
    for (const PromptMessage& message : request.messages) {
        messages.push_back(json::object{{"role", role_name(message.role)}, {"content", message.content}});
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(request.deadline - now);
    return {{"call_id", request.call_id.value},
            {"purpose", request.purpose},
            {"lane", static_cast<int>(request.lane)},
            {"messages", std::move(messages)},
            {"max_output_tokens", request.max_output_tokens},
            {"temperature", request.temperature},
            {"provider_id", request.provider_id},
            {"is_trial", request.is_trial},
            {"this_machine_only", request.this_machine_only},
            {"provider_name", request.provider_name},
            {"json_object", request.json_object},
            {"reuse_scope", request.reuse_scope},
            {"known_only", request.known_only},
            {"deadline_ms", std::max<std::int64_t>(0, left.count())}};
}

base::Result<ModelRequest> read_model_request(std::string_view text,
                                              std::chrono::steady_clock::time_point now) {
    Scratch scratch;
    auto object = read_object(text, &scratch.memory);
    if (!object) return base::fail(std::move(object.error()));
    ModelRequest request;
    request.call_id = CallId(text_of(*object, "call_id"));
    request.purpose = text_of(*object, "purpose");
    if (request.call_id.empty()) return bad("call_id");
    const auto lane = base::get_int(*object, "lane");
    if (!lane || *lane < 0 || *lane > 2) return bad("lane");
    request.lane = static_cast<Lane>(*lane);
    const json::array* messages = base::get_array(*object, "messages");
    if (messages == nullptr || messages->empty()) return bad("messages");
    for (const json::value& value : *messages) {
        const json::object* message = value.if_object();
        const auto role = message == nullptr ? std::nullopt : role_of(text_of(*message, "role"));
        if (!role) return bad("a role");
        request.messages.push_back({*role, text_of(*message, "content")});
    }
    request.max_output_tokens = static_cast<std::int32_t>(
        std::clamp<std::int64_t>(base::get_int(*object, "max_output_tokens").value_or(512), 1, 32768));
    if (const json::value* temperature = object->if_contains("temperature");
        temperature && temperature->is_number()) {
        request.temperature = std::clamp(temperature->to_number<double>(), 0.0, 2.0);
    }
    request.provider_id = text_of(*object, "provider_id");
    request.is_trial = base::get_bool(*object, "is_trial").value_or(false);
    if (request.is_trial && request.provider_id.empty()) return bad("the server to be tried");
    request.this_machine_only = base::get_bool(*object, "this_machine_only").value_or(false);
    request.provider_name = text_of(*object, "provider_name");
    request.json_object = base::get_bool(*object, "json_object").value_or(false);
    request.reuse_scope = text_of(*object, "reuse_scope");
    request.known_only = base::get_bool(*object, "known_only").value_or(false);
    request.deadline = now + std::chrono::milliseconds(std::clamp<std::int64_t>(
                                 base::get_int(*object, "deadline_ms").value_or(0), 0, 600'000));
    return request;
}

json::object to_json(const ModelEvent& event, json::storage_ptr memory) {
    if (const auto* prepared = std::get_if<Prepared>(&event)) {
        return json::object({{"type", "prepared"},
                             {"known", prepared->known},
                             {"paid_before", prepared->paid_before},
                             {"left_before", to_string(prepared->left_before)},
                             {"outbound_sha256", prepared->outbound_sha256},
                             {"outbound_bytes", prepared->outbound_bytes},
                             {"provider_id", prepared->provider_id},
                             {"provider_name", prepared->provider_name},
                             {"model", prepared->model},
                             {"on_this_machine", prepared->on_this_machine},
                             {"input_price", prepared->input_price_micros_per_million},
                             {"output_price", prepared->output_price_micros_per_million},
                             {"currency", prepared->currency}},
                            std::move(memory));
    }
    if (const auto* delta = std::get_if<Delta>(&event)) {
        return json::object(
            {{"type", "delta"}, {"text", delta->text}, {"received_bytes", delta->received_bytes}},
            std::move(memory));
    }
    const auto& finished = std::get<Finished>(event);
    return json::object({{"type", "finished"},
                         {"input_tokens", finished.input_tokens},
                         {"output_tokens", finished.output_tokens},
                         {"estimated", finished.estimated},
                         {"received_bytes", finished.received_bytes},
                         {"finish_reason", finished.finish_reason},
                         {"retracted", finished.retracted}},
                        std::move(memory));
}

std::string write_model_event(const ModelEvent& event) {
    Scratch scratch;
    return json::serialize(to_json(event, &scratch.memory));
}

base::Result<ModelEvent> read_model_event(std::string_view text) {
    Scratch scratch;
    auto object = read_object(text, &scratch.memory);
    if (!object) return base::fail(std::move(object.error()));
    const std::string type = text_of(*object, "type");
    const auto count = [&](std::string_view key) {
        return std::max<std::int64_t>(0, base::get_int(*object, key).value_or(0));
    };
    if (type == "prepared") {
        for (const std::string_view name :
             {"outbound_sha256", "provider_id", "provider_name", "model", "currency"}) {
            if (text_of(*object, name).size() > kNameLimitBytes) return bad("a name that is short enough");
        }
        if (count("outbound_bytes") > kOutboundLimitBytes) return bad("a size that may leave");
        if (std::max(count("input_price"), count("output_price")) > kPriceLimitMicrosPerMillion)
            return bad("a price that can be");
        return Prepared{.known = base::get_bool(*object, "known").value_or(false),
                        .paid_before = base::get_bool(*object, "paid_before").value_or(true),
                        .left_before = left_of(text_of(*object, "left_before")),
                        .outbound_sha256 = text_of(*object, "outbound_sha256"),
                        .outbound_bytes = count("outbound_bytes"),
                        .provider_id = text_of(*object, "provider_id"),
                        .provider_name = text_of(*object, "provider_name"),
                        .model = text_of(*object, "model"),
                        .on_this_machine = base::get_bool(*object, "on_this_machine").value_or(false),
                        .input_price_micros_per_million = count("input_price"),
                        .output_price_micros_per_million = count("output_price"),
                        .currency = text_of(*object, "currency")};
    }
    if (type == "delta")
        return Delta{text_of(*object, "text"), std::min(count("received_bytes"), kTokensLimit)};
    if (type == "finished") {
        if (text_of(*object, "finish_reason").size() > kNameLimitBytes)
            return bad("a reason that is short enough");
        return Finished{.input_tokens = std::min(count("input_tokens"), kTokensLimit),
                        .output_tokens = std::min(count("output_tokens"), kTokensLimit),
                        .estimated = base::get_bool(*object, "estimated").value_or(true),
                        .received_bytes = std::min(count("received_bytes"), kTokensLimit),
                        .finish_reason = text_of(*object, "finish_reason"),
                        .retracted = base::get_bool(*object, "retracted").value_or(false)};
    }
    return bad("a type");
}

json::object to_json(const Provider& provider) {
    return {{"id", provider.id},
            {"name", provider.name},
            {"base_url", provider.base_url},
            {"model", provider.model},
            {"has_key", provider.has_key},
            {"on_this_machine", provider.on_this_machine},
            {"enabled", provider.enabled},
            {"max_concurrent", provider.max_concurrent},
            {"input_price_micros_per_million", provider.input_price_micros_per_million},
            {"output_price_micros_per_million", provider.output_price_micros_per_million},
            {"currency", provider.currency},
            {"circuit", provider.circuit_open ? "open" : "closed"}};
}

base::Result<Provider> read_provider(const json::value& value) {
    const json::object* object = value.if_object();
    if (object == nullptr) return bad("a provider");
    const auto price = [&](std::string_view key) { return base::get_int(*object, key).value_or(0); };
    Provider provider{.id = text_of(*object, "id"),
                      .name = text_of(*object, "name"),
                      .base_url = text_of(*object, "base_url"),
                      .model = text_of(*object, "model"),
                      .has_key = base::get_bool(*object, "has_key").value_or(false),
                      .on_this_machine = base::get_bool(*object, "on_this_machine").value_or(false),
                      .enabled = base::get_bool(*object, "enabled").value_or(true),
                      .max_concurrent = static_cast<std::int32_t>(std::clamp<std::int64_t>(
                          base::get_int(*object, "max_concurrent").value_or(5), 1, 256)),
                      .input_price_micros_per_million = price("input_price_micros_per_million"),
                      .output_price_micros_per_million = price("output_price_micros_per_million"),
                      .circuit_open = text_of(*object, "circuit") == "open"};
    if (const auto currency = base::get_string(*object, "currency")) provider.currency = *currency;
    return provider;
}

json::object to_json(const ProviderList& list) {
    json::array providers;
    for (const Provider& provider : list.providers) providers.push_back(to_json(provider));
    return {{"read_only", list.read_only}, {"file", list.file}, {"providers", std::move(providers)}};
}

base::Result<ProviderList> read_provider_list(std::string_view text) {
    auto object = read_object(text);
    if (!object) return base::fail(std::move(object.error()));
    const json::array* providers = base::get_array(*object, "providers");
    if (providers == nullptr) return bad("providers");
    ProviderList list{.read_only = base::get_bool(*object, "read_only").value_or(false),
                      .file = text_of(*object, "file")};
    for (const json::value& value : *providers) {
        auto provider = read_provider(value);
        if (!provider) return base::fail(std::move(provider.error()));
        list.providers.push_back(std::move(*provider));
    }
    return list;
}

json::object to_json(const Found& found) {
    return {{"kind", found.kind}, {"base_url", found.base_url}, {"models", json::value_from(found.models)}};
}

base::Result<std::vector<Found>> read_found_list(std::string_view text) {
    auto object = read_object(text);
    if (!object) return base::fail(std::move(object.error()));
    const json::array* list = base::get_array(*object, "found");
    if (list == nullptr) return bad("found");
    std::vector<Found> result;
    for (const json::value& value : *list) {
        const json::object* item = value.if_object();
        if (item == nullptr) return bad("an object");
        Found found{.kind = text_of(*item, "kind"), .base_url = text_of(*item, "base_url")};
        if (const json::array* models = base::get_array(*item, "models")) {
            for (const json::value& model : *models) {
                if (const auto* name = model.if_string()) found.models.emplace_back(*name);
            }
        }
        result.push_back(std::move(found));
    }
    return result;
}

}  // namespace egress
