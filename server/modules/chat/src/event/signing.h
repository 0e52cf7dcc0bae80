#pragma once

#include <string>
#include <string_view>

#include <base/crypto.h>
#include <base/json.h>
#include <base/result.h>

namespace chat {

/// The server's signing key with the name under which it signs.
struct ServerKey {
    base::SigningKey key;
    std::string key_id;  ///< "ed25519:a1b2"
};

/// Adds `signatures[server][key_id]` over the canonical object without `signatures` and `unsigned`
/// (specification appendices, "Signing JSON"). Errors: M_BAD_JSON.
base::Result<void> sign_json(base::json::object& object, std::string_view server, const ServerKey& key);

/// Adds the content hash and the signature to an event (which is signed in its redacted form). Errors:
/// M_BAD_JSON.
base::Result<void> hash_and_sign_event(base::json::object& event, std::string_view server,
                                       const ServerKey& key);

/// Whether `event` carries a signature of `server` by this public key, and it holds.
bool verify_event(const base::json::object& event, std::string_view server, std::string_view key_id,
                  const std::array<std::uint8_t, 32>& public_key);

}  // namespace chat
