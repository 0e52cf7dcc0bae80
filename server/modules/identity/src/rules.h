#pragma once

#include <string>
#include <string_view>

#include <base/result.h>

namespace identity {

/// Localparts that the server keeps for itself, or that a stranger could pass for its staff with.
bool is_reserved_localpart(std::string_view localpart);

/// Whether a new account may have this localpart (the specification's grammar for new ids, at most `limit`
/// with the server's name). Errors: M_INVALID_USERNAME (invalid).
base::Result<void> check_localpart(std::string_view localpart, std::string_view server_name);

/// Errors: M_WEAK_PASSWORD (invalid).
base::Result<void> check_password(std::string_view password);

/// Errors: M_INVALID_PARAM (invalid).
base::Result<void> check_display_name(std::string_view name);
base::Result<void> check_device_id(std::string_view device_id);

}  // namespace identity
