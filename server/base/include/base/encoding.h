#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <base/result.h>

namespace base {

using Bytes = std::vector<std::uint8_t>;

std::span<const std::uint8_t> as_bytes(std::string_view text);

std::string hex_encode(std::span<const std::uint8_t> bytes);
/// Matrix's "unpadded base64" (RFC 4648 alphabet without '=').
std::string base64_encode(std::span<const std::uint8_t> bytes);
/// URL-safe alphabet, unpadded: event ids of room versions 4 and later.
std::string base64url_encode(std::span<const std::uint8_t> bytes);
/// Reads either alphabet's form with or without padding. Errors: base.bad_base64 (invalid).
Result<Bytes> base64_decode(std::string_view text);
Result<Bytes> base64url_decode(std::string_view text);

/// Whether `text` is well-formed UTF-8 (no overlong forms, no surrogates).
bool is_utf8(std::string_view text);
/// The longest prefix of at most `limit_bytes` that does not cut a character of valid UTF-8.
std::string_view utf8_prefix(std::string_view text, std::size_t limit_bytes);

/// Percent-encodes everything but unreserved characters (RFC 3986).
std::string percent_encode(std::string_view text);
/// Errors: base.bad_percent_encoding (invalid): a '%' without two hex digits.
Result<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

std::string ascii_lower(std::string_view text);

}  // namespace base
