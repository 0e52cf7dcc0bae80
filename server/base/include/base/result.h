#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace base {

/// What a failure means to whoever asked; each surface maps kinds to its own statuses in one table.
enum class ErrorKind : std::uint8_t {
    invalid,          ///< the request itself is wrong: repeating it cannot help
    unauthenticated,  ///< nobody, or an unknown or expired token
    forbidden,        ///< known, but not allowed
    not_found,
    conflict,      ///< contradicts what is stored
    too_large,     ///< over a size limit
    exhausted,     ///< a quota or budget is used up
    rate_limited,  ///< too fast: see retry_after
    unavailable,   ///< a part that is needed is away for now (disk full, model absent)
    timeout,       ///< a deadline passed
    cancelled,     ///< given up by the caller or by shutdown
    internal,      ///< a fault of ours
};

/// An expected failure. `code` is stable and machine-readable ("module.reason"); `message` is for a person
/// and never holds secrets, message bodies or prompts.
struct Error {
    ErrorKind kind = ErrorKind::internal;
    std::string code;
    std::string message;
    std::optional<std::chrono::milliseconds> retry_after = std::nullopt;
};

template <class T>
using Result = std::expected<T, Error>;

/// Short form for returning a failure: `return base::fail(ErrorKind::invalid, "net.bad_header", "…");`
[[nodiscard]] inline std::unexpected<Error> fail(ErrorKind kind, std::string_view code, std::string message) {
    return std::unexpected(Error{kind, std::string(code), std::move(message)});
}

/// Passes the failure of another result on.
[[nodiscard]] inline std::unexpected<Error> fail(Error error) {
    return std::unexpected(std::move(error));
}

std::string_view to_string(ErrorKind kind);

}  // namespace base
