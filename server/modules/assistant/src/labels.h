#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <base/crypto.h>
#include <base/json.h>
#include <base/result.h>
#include <storage/transaction.h>

namespace assistant {

inline constexpr std::string_view kLabelKey = "im.lingxi.ai";

/// Signs what a model wrote, so that nobody can pass a person's text off as a model's or a model's as
/// another's. Immutable; any thread.
class Labels {
  public:
    explicit Labels(base::SigningKey key) : key_(key) {}

    /// {call_id, kind: "generated", model, sha256, signature} for `body`. Whoever changes the text makes the
    /// kind "assisted"; all else is signed.
    base::json::object generated(std::string_view call_id, std::string_view model,
                                 std::string_view body) const;
    /// Errors: IM.LINGXI.FORGED_LABEL (invalid).
    base::Result<void> verify(const base::json::object& content) const;
    /// Unpadded base64.
    std::string public_key() const;

  private:
    base::Result<void> verify_label(const base::json::value& label, std::optional<std::string_view> body,
                                    bool is_edit_fallback) const;

    base::SigningKey key_;
};

/// The server's label key; nothing where it has none yet.
std::optional<base::SigningKey> find_label_key(storage::Transaction& tx);
/// The same, made where there is none.
base::SigningKey ensure_label_key(storage::Transaction& tx, const std::array<std::uint8_t, 32>& fresh_seed,
                                  std::int64_t now_ms);

}  // namespace assistant
