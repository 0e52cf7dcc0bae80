#include "text.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include <net/message.h>

namespace net {

std::string_view to_string(Method method) {
    static constexpr std::array<std::string_view, 7> kNames{"GET",    "HEAD",  "POST",   "PUT",
                                                            "DELETE", "PATCH", "OPTIONS"};
    return kNames[static_cast<std::size_t>(method)];
}

void Headers::add(std::string_view name, std::string_view value) {
    fields_.emplace_back(name, value);
}

void Headers::set(std::string_view name, std::string_view value) {
    std::erase_if(fields_, [&](const auto& field) { return equal_without_case(field.first, name); });
    fields_.emplace_back(name, value);
}

std::optional<std::string_view> Headers::get(std::string_view name) const {
    const auto found = std::ranges::find_if(
        fields_, [&](const auto& field) { return equal_without_case(field.first, name); });
    if (found == fields_.end()) return std::nullopt;
    return found->second;
}

std::optional<std::string_view> Query::get(std::string_view name) const {
    const auto found =
        std::ranges::find(pairs_, name, [](const auto& pair) { return std::string_view(pair.first); });
    if (found == pairs_.end()) return std::nullopt;
    return found->second;
}

std::vector<std::string_view> Query::all(std::string_view name) const {
    std::vector<std::string_view> values;
    for (const auto& [key, value] : pairs_) {
        if (key == name) values.emplace_back(value);
    }
    return values;
}

const std::string& Request::value(std::string_view name) const {
    static const std::string kNone;
    const auto found =
        std::ranges::find(path_values, name, [](const auto& pair) { return std::string_view(pair.first); });
    return found == path_values.end() ? kNone : found->second;
}

FileBody::~FileBody() {
    if (descriptor >= 0) close(descriptor);
}

Response json(int status, std::string body) {
    Response response;
    response.status = status;
    response.headers.add("Content-Type", "application/json");
    response.body = std::move(body);
    return response;
}

Response json(int status, const base::json::value& value) {
    return json(status, base::json::serialize(value));
}

}  // namespace net
