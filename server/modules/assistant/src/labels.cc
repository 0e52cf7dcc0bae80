#include "labels.h"

#include <algorithm>

#include <base/encoding.h>

namespace assistant {
namespace {

namespace json = base::json;

constexpr std::size_t kCallIdLimitBytes = 128;
constexpr std::size_t kModelLimitBytes = 255;

/// What is signed. The first line keeps the key from ever signing anything else that looks like it. A name of
/// a model may hold a line break: it stands last, so that the text says one thing only.
std::string signed_text(std::string_view call_id, std::string_view sha256, std::string_view model) {
    return "im.lingxi.ai/2\n" + std::string(call_id) + "\n" + std::string(sha256) + "\n" + std::string(model);
}

/// What was signed before the model was.
std::string formerly_signed_text(std::string_view call_id, std::string_view sha256) {
    return "im.lingxi.ai/1\n" + std::string(call_id) + "\n" + std::string(sha256);
}

std::string hash_of(std::string_view body) {
    return base::hex_encode(base::sha256(body));
}

std::unexpected<base::Error> forged(std::string message) {
    return base::fail(base::ErrorKind::invalid, "IM.LINGXI.FORGED_LABEL", std::move(message));
}

}  // namespace

json::object Labels::generated(std::string_view call_id, std::string_view model,
                               std::string_view body) const {
    const auto sha256 = hash_of(body);
    model = base::utf8_prefix(model, kModelLimitBytes);
    return {{"call_id", call_id},
            {"kind", "generated"},
            {"model", model},
            {"sha256", sha256},
            {"signature", base::base64_encode(key_.sign(signed_text(call_id, sha256, model)))}};
}

std::string Labels::public_key() const {
    return base::base64_encode(key_.public_key());
}

base::Result<void> Labels::verify_label(const json::value& value, std::optional<std::string_view> body,
                                        bool is_edit_fallback) const {
    const json::object* label = value.if_object();
    if (label == nullptr) return forged("The label of an AI text is an object.");
    const auto call_id = base::get_string(*label, "call_id");
    const auto kind = base::get_string(*label, "kind");
    const auto model = base::get_string(*label, "model");
    const auto sha256 = base::get_string(*label, "sha256");
    const auto signature = base::get_string(*label, "signature");
    if (!call_id || !kind || !model || !sha256 || !signature || label->size() != 5 ||
        call_id->size() > kCallIdLimitBytes || model->size() > kModelLimitBytes) {
        return forged("The label of an AI text has call_id, kind, model, sha256 and signature.");
    }
    if (call_id->contains('\n') || sha256->contains('\n')) return forged("The label holds a line break.");
    const auto bytes = base::base64_decode(*signature);
    const auto is_signature_of = [&](const std::string& text) {
        return bytes && bytes->size() == 64 && base::verify_ed25519(key_.public_key(), text, *bytes);
    };
    if (!is_signature_of(signed_text(*call_id, *sha256, *model))) {
        if (!is_signature_of(formerly_signed_text(*call_id, *sha256)))
            return forged("The label of this AI text was not given by this server.");
        return forged(
            "The label of this AI text is of an earlier version, which did not sign the model's name: ask "
            "for "
            "the text anew.");
    }
    if (*kind != "generated" && *kind != "assisted")
        return forged("An AI text is 'generated' or 'assisted'.");
    if (!body) return forged("There is no text that the label could be of.");
    const bool is_unchanged = hash_of(*body) == *sha256 || (is_edit_fallback && body->starts_with("* ") &&
                                                            hash_of(body->substr(2)) == *sha256);
    // The hash of an assisted text is of what it was before a person changed it.
    if (is_unchanged == (*kind == "generated")) return {};
    return is_unchanged ? forged("Nobody changed the text that the label was given for.")
                        : forged("The text is not the one that the label was given for.");
}

base::Result<void> Labels::verify(const json::object& content) const {
    const json::object* edit = base::get_object(content, "m.new_content");
    if (const auto* label = content.if_contains(kLabelKey)) {
        auto verified = verify_label(*label, base::get_string(content, "body"), edit != nullptr);
        if (!verified) return verified;
    }
    if (edit != nullptr) {
        if (const auto* label = edit->if_contains(kLabelKey))
            return verify_label(*label, base::get_string(*edit, "body"), false);
    }
    return {};
}

std::optional<base::SigningKey> find_label_key(storage::Transaction& tx) {
    auto select = tx.prepare("SELECT seed FROM label_key ORDER BY key_number DESC LIMIT 1");
    if (!select.step()) return std::nullopt;
    std::array<std::uint8_t, 32> seed{};
    const auto stored = select.blob(0);
    std::copy_n(stored.begin(), std::min(stored.size(), seed.size()), seed.begin());
    return base::SigningKey::from_seed(seed);
}

base::SigningKey ensure_label_key(storage::Transaction& tx, const std::array<std::uint8_t, 32>& fresh_seed,
                                  std::int64_t now_ms) {
    if (const auto stored = find_label_key(tx)) return *stored;
    tx.prepare("INSERT INTO label_key (seed, created_at_ms) VALUES (?1, ?2)")
        .bind(std::span<const std::uint8_t>(fresh_seed), now_ms)
        .run();
    return base::SigningKey::from_seed(fresh_seed);
}

}  // namespace assistant
