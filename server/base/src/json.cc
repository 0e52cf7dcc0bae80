#include <algorithm>
#include <cmath>

#include <base/json.h>

namespace base {
namespace {

/// Boost.JSON reads 1e400 as infinity and 0e400 as no number at all, and would write both as what no reader
/// takes, itself included (RFC 7493, 2.2).
bool has_endless_number(const json::value& value) {
    switch (value.kind()) {
        case json::kind::double_:
            return !std::isfinite(value.get_double());
        case json::kind::array:
            return std::ranges::any_of(value.get_array(), has_endless_number);
        case json::kind::object:
            return std::ranges::any_of(value.get_object(),
                                       [](const auto& member) { return has_endless_number(member.value()); });
        default:
            return false;
    }
}

}  // namespace

Result<json::value> parse_json(std::string_view text, std::size_t limit_bytes, std::size_t depth,
                               json::storage_ptr memory) {
    if (text.size() > limit_bytes) {
        return fail(ErrorKind::too_large, "base.json_too_large",
                    "The JSON is over " + std::to_string(limit_bytes) + " bytes.");
    }
    json::parse_options options;
    options.max_depth = depth;
    boost::system::error_code error;
    json::value value = json::parse(text, error, std::move(memory), options);
    if (error == json::error::too_deep) {
        return fail(ErrorKind::invalid, "base.json_too_deep",
                    "The JSON is nested deeper than " + std::to_string(depth) + " levels.");
    }
    if (error)
        return fail(ErrorKind::invalid, "base.not_json", "The text is not JSON: " + error.message() + ".");
    if (has_endless_number(value))
        return fail(ErrorKind::invalid, "base.not_json", "The text is not JSON: a number is out of range.");
    return value;
}

std::optional<std::string_view> get_string(const json::object& object, std::string_view key) {
    const json::value* found = object.if_contains(key);
    if (found == nullptr || !found->is_string()) return std::nullopt;
    return std::string_view(found->get_string());
}

std::optional<std::int64_t> get_int(const json::object& object, std::string_view key) {
    const json::value* found = object.if_contains(key);
    if (found == nullptr || !found->is_int64()) return std::nullopt;
    return found->get_int64();
}

std::optional<bool> get_bool(const json::object& object, std::string_view key) {
    const json::value* found = object.if_contains(key);
    if (found == nullptr || !found->is_bool()) return std::nullopt;
    return found->get_bool();
}

const json::object* get_object(const json::object& object, std::string_view key) {
    const json::value* found = object.if_contains(key);
    return found == nullptr ? nullptr : found->if_object();
}

const json::array* get_array(const json::object& object, std::string_view key) {
    const json::value* found = object.if_contains(key);
    return found == nullptr ? nullptr : found->if_array();
}

bool has_wrong_type(const json::object& object, std::string_view key, json::kind wanted) {
    const json::value* found = object.if_contains(key);
    return found != nullptr && found->kind() != wanted;
}

}  // namespace base
