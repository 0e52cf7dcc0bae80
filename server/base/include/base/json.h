#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include <base/result.h>

namespace base {

namespace json = boost::json;

/// Parses outside bytes: at most `limit_bytes` long and `depth` deep, valid UTF-8, no duplicate-key ambiguity
/// (the last wins). Errors: base.not_json, base.json_too_deep (invalid), base.json_too_large (too_large).
/// The value lives in `memory`, which must outlive it: a buffer on the stack, for what is read and dropped.
Result<json::value> parse_json(std::string_view text, std::size_t limit_bytes, std::size_t depth = 64,
                               json::storage_ptr memory = {});

/// Members by name; nothing where the object lacks it or it has another type.
std::optional<std::string_view> get_string(const json::object& object, std::string_view key);
std::optional<std::int64_t> get_int(const json::object& object, std::string_view key);
std::optional<bool> get_bool(const json::object& object, std::string_view key);
const json::object* get_object(const json::object& object, std::string_view key);
const json::array* get_array(const json::object& object, std::string_view key);

/// Whether a member is there with another type than the one that is wanted: bodies with a wrong type are
/// refused rather than read as absent.
bool has_wrong_type(const json::object& object, std::string_view key, json::kind wanted);

}  // namespace base
