#include "text.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <base/encoding.h>
#include <net/rate_limit.h>
#include <net/route.h>

namespace net {
namespace {

namespace json = base::json;

json::object parameters_entry(std::string_view name) {
    return {{"name", name}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}};
}

/// One word of Route::asks: "language?:string".
struct Asked {
    std::string_view name;
    bool is_required;
    json::object schema;
};

std::vector<Asked> asked_of(std::string_view asks) {
    std::vector<Asked> fields;
    while (!asks.empty()) {
        auto kind = take_until(asks, ' ');
        auto name = take_until(kind, ':');
        const bool is_required = !name.ends_with('?');
        if (!is_required) name.remove_suffix(1);
        json::object schema{{"type", kind}};
        if (kind == "strings") schema = {{"type", "array"}, {"items", {{"type", "string"}}}};
        fields.push_back({name, is_required, std::move(schema)});
    }
    return fields;
}

json::object body_schema(std::string_view asks) {
    json::object properties;
    json::array required;
    for (auto& field : asked_of(asks)) {
        properties[field.name] = std::move(field.schema);
        if (field.is_required) required.emplace_back(field.name);
    }
    json::object schema{{"type", "object"}, {"properties", std::move(properties)}};
    if (!required.empty()) schema["required"] = std::move(required);
    return schema;
}

json::object error_answer(std::string_view description) {
    return {{"description", description},
            {"content", {{"application/json", {{"schema", {{"$ref", "#/components/schemas/Error"}}}}}}}};
}

json::object refusal_answer(std::string_view refuses) {
    json::array parts{json::object{{"$ref", "#/components/schemas/Error"}}, body_schema(refuses)};
    return {
        {"description", "It is not allowed; where somebody else can allow it, the answer says who and what."},
        {"content", {{"application/json", {{"schema", {{"allOf", std::move(parts)}}}}}}}};
}

json::array path_parameters(std::string_view path) {
    json::array parameters;
    while (!path.empty()) {
        const auto segment = take_until(path, '/');
        if (segment.starts_with('{') && segment.ends_with('}')) {
            parameters.push_back(parameters_entry(segment.substr(1, segment.size() - 2)));
        }
    }
    return parameters;
}

bool takes_body(const Route& route) {
    return route.body_limit_bytes > 0 && (route.method == Method::post || route.method == Method::put ||
                                          route.method == Method::patch || route.method == Method::del);
}

json::object operation(const Route& route, std::string_view path, bool is_alias) {
    json::object operation{{"summary", route.summary}};
    // An operationId is unique in the document; its older paths do without.
    if (is_alias) {
        operation["deprecated"] = true;
    } else {
        operation["operationId"] = route.operation_id;
    }
    auto parameters = path_parameters(path);
    if (route.method == Method::get) {
        for (auto& field : asked_of(route.asks)) {
            parameters.push_back(json::object{{"name", field.name},
                                              {"in", "query"},
                                              {"required", field.is_required},
                                              {"schema", std::move(field.schema)}});
        }
    }
    if (!parameters.empty()) operation["parameters"] = std::move(parameters);
    if (takes_body(route)) {
        const std::string_view type = route.streams_body ? "application/octet-stream" : "application/json";
        json::object content;
        if (!route.asks.empty()) content["schema"] = body_schema(route.asks);
        operation["requestBody"] = {{"content", {{type, std::move(content)}}}};
        operation["x-body-limit-bytes"] = route.body_limit_bytes;
    }
    operation["x-rate-class"] = to_string(route.rate);
    const bool is_stream = route.answers == "text/event-stream";
    json::object responses{{"200",
                            {{"description", is_stream ? "Server-sent events." : "Done."},
                             {"content", {{route.answers, json::object{}}}}}}};
    responses["400"] = error_answer("The request is malformed.");
    if (route.auth != Auth::none) responses["401"] = error_answer("The access token is missing or unknown.");
    if (route.auth == Auth::admin) responses["403"] = error_answer("Only an administrator may do this.");
    if (!route.refuses.empty()) responses["403"] = refusal_answer(route.refuses);
    if (takes_body(route)) responses["413"] = error_answer("The body is over the limit.");
    if (route.rate != RateClass::none) responses["429"] = error_answer("Too many requests.");
    operation["responses"] = std::move(responses);
    switch (route.auth) {
        case Auth::none:
            operation["security"] = json::array{};
            break;
        case Auth::optional:
            operation["security"] = json::array{json::object{}, json::object{{"accessToken", json::array{}}}};
            break;
        case Auth::admin:
            operation["x-auth"] = "administrator";
            [[fallthrough]];
        case Auth::required:
            operation["security"] = json::array{json::object{{"accessToken", json::array{}}}};
            break;
    }
    return operation;
}

bool is_under(std::string_view path, std::span<const std::string_view> prefixes) {
    return std::ranges::any_of(prefixes, [&](std::string_view prefix) { return path.starts_with(prefix); });
}

}  // namespace

json::object openapi_document(std::span<const Route> routes, std::string_view title, std::string_view version,
                              std::span<const std::string_view> prefixes) {
    json::object paths;
    const auto add = [&](const Route& route, std::string_view path, bool is_alias) {
        if (!is_under(path, prefixes)) return;
        auto& entry = paths[path];
        if (!entry.is_object()) entry.emplace_object();
        entry.as_object()[base::ascii_lower(to_string(route.method))] = operation(route, path, is_alias);
    };
    for (const auto& route : routes) {
        add(route, route.path, false);
        for (const auto alias : route.aliases) add(route, alias, true);
    }
    return {{"openapi", "3.1.0"},
            {"info", {{"title", title}, {"version", version}}},
            {"paths", std::move(paths)},
            {"components",
             {{"securitySchemes", {{"accessToken", {{"type", "http"}, {"scheme", "bearer"}}}}},
              {"schemas",
               {{"Error",
                 {{"type", "object"},
                  {"required", {"errcode", "error"}},
                  {"properties", {{"errcode", {{"type", "string"}}}, {"error", {{"type", "string"}}}}}}}}}}}};
}

}  // namespace net
