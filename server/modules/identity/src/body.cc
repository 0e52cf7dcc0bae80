#include <identity/body.h>

namespace identity {
namespace {

constexpr std::size_t kLimitBytes = 1024 * 1024;  // the routes' own limits are lower

}  // namespace

Body::Body(const net::Request& request) {
    if (request.body.empty()) return;
    auto parsed = base::parse_json(request.body, kLimitBytes);
    if (!parsed) {
        error_ = std::move(parsed.error());
    } else if (!parsed->is_object()) {
        fail("M_BAD_JSON", "The body must be a JSON object.");
    } else {
        object_ = std::move(parsed->as_object());
    }
}

const base::json::value* Body::member(std::string_view name) const {
    const auto* value = object_.if_contains(name);
    return value == nullptr || value->is_null() ? nullptr : value;
}

bool Body::has(std::string_view name) const {
    return member(name) != nullptr;
}

void Body::fail(std::string_view code, std::string message) {
    if (!error_) error_ = base::Error{base::ErrorKind::invalid, std::string(code), std::move(message)};
}

void Body::fail_type(std::string_view name, std::string_view wanted) {
    fail("M_BAD_JSON", "'" + std::string(name) + "' must be " + std::string(wanted) + ".");
}

std::string Body::string(std::string_view name) {
    if (member(name) == nullptr) {
        fail("M_MISSING_PARAM", "'" + std::string(name) + "' is missing.");
        return {};
    }
    return optional_string(name).value_or("");
}

std::optional<std::string> Body::optional_string(std::string_view name) {
    const auto* value = member(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_string()) {
        fail_type(name, "a string");
        return std::nullopt;
    }
    return std::string(value->get_string());
}

std::optional<std::int64_t> Body::optional_int(std::string_view name) {
    const auto* value = member(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_int64()) {
        fail_type(name, "an integer");
        return std::nullopt;
    }
    return value->get_int64();
}

std::optional<bool> Body::optional_boolean(std::string_view name) {
    const auto* value = member(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_bool()) {
        fail_type(name, "true or false");
        return std::nullopt;
    }
    return value->get_bool();
}

bool Body::boolean(std::string_view name, bool fallback) {
    return optional_boolean(name).value_or(fallback);
}

const base::json::object* Body::optional_object(std::string_view name) {
    const auto* value = member(name);
    if (value == nullptr) return nullptr;
    if (!value->is_object()) {
        fail_type(name, "an object");
        return nullptr;
    }
    return &value->get_object();
}

const base::json::array* Body::optional_array(std::string_view name) {
    const auto* value = member(name);
    if (value == nullptr) return nullptr;
    if (!value->is_array()) {
        fail_type(name, "an array");
        return nullptr;
    }
    return &value->get_array();
}

}  // namespace identity
