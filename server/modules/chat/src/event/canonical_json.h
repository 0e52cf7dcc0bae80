#pragma once

#include <string>
#include <string_view>

#include <base/json.h>
#include <base/result.h>

namespace chat {

/// The largest magnitude of an integer in canonical JSON: 2^53 - 1.
inline constexpr std::int64_t kCanonicalIntegerLimit = (std::int64_t{1} << 53) - 1;

/// What to do with numbers that were written with a fraction or an exponent.
enum class Floats : std::uint8_t {
    refuse,          ///< events: room versions 6 and later
    write_integral,  ///< 1e10 becomes 10000000000; what is no integer is refused
};

/// Appends the canonical form (specification appendices, "Canonical JSON"): no white space, keys in order of
/// code points, shortest escapes, integers within ±(2^53 - 1) only. Errors: M_BAD_JSON (invalid): a number
/// that has no canonical form. `out` is then unspecified.
base::Result<void> append_canonical_json(std::string& out, const base::json::value& value,
                                         Floats floats = Floats::refuse);
base::Result<void> append_canonical_json(std::string& out, const base::json::object& object,
                                         Floats floats = Floats::refuse);
base::Result<std::string> canonical_json(const base::json::value& value, Floats floats = Floats::refuse);
base::Result<std::string> canonical_json(const base::json::object& object, Floats floats = Floats::refuse);

/// Appends `text` (valid UTF-8) as a quoted canonical string.
void append_canonical_string(std::string& out, std::string_view text);

}  // namespace chat
