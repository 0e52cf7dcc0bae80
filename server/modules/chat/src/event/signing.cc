#include "event/signing.h"

#include "event/canonical_json.h"
#include "event/hashes.h"
#include "event/redaction.h"

namespace chat {
namespace {

base::Result<std::string> signed_text(base::json::object object) {
    object.erase("signatures");
    object.erase("unsigned");
    return canonical_json(object);
}

/// The object under `key`, made where it is missing.
base::json::object& child_object(base::json::object& parent, std::string_view key) {
    auto& child = parent[key];
    if (!child.is_object()) child.emplace_object();
    return child.get_object();
}

void put_signature(base::json::object& object, std::string_view server, std::string_view key_id,
                   std::string_view signature) {
    child_object(child_object(object, "signatures"), server)[key_id] = signature;
}

}  // namespace

base::Result<void> sign_json(base::json::object& object, std::string_view server, const ServerKey& key) {
    const auto text = signed_text(object);
    if (!text) return base::fail(text.error());
    put_signature(object, server, key.key_id, base::base64_encode(key.key.sign(*text)));
    return {};
}

base::Result<void> hash_and_sign_event(base::json::object& event, std::string_view server,
                                       const ServerKey& key) {
    const auto hash = content_hash(event);
    if (!hash) return base::fail(hash.error());
    event["hashes"] = base::json::object{{"sha256", base::base64_encode(*hash)}};
    const auto text = signed_text(redact_event(event));
    if (!text) return base::fail(text.error());
    put_signature(event, server, key.key_id, base::base64_encode(key.key.sign(*text)));
    return {};
}

bool verify_event(const base::json::object& event, std::string_view server, std::string_view key_id,
                  const std::array<std::uint8_t, 32>& public_key) {
    const auto* signatures = base::get_object(event, "signatures");
    const auto* ours = signatures == nullptr ? nullptr : base::get_object(*signatures, server);
    const auto encoded = ours == nullptr ? std::nullopt : base::get_string(*ours, key_id);
    if (!encoded) return false;
    const auto signature = base::base64_decode(*encoded);
    const auto text = signed_text(redact_event(event));
    return signature && text && base::verify_ed25519(public_key, *text, *signature);
}

}  // namespace chat
