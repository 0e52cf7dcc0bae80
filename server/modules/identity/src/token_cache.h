#pragma once

#include "session_store.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <identity/ids.h>

namespace identity {

/// Tokens that were looked up, and who was seen when. I/O thread only; can be dropped whenever one likes.
///
/// A token that ended while its row was being read must not come in behind its own removal: whoever reads
/// takes the generation first and hands it in with what was read.
class TokenCache {
  public:
    std::optional<TokenRow> find(const std::string& hash) const;
    std::uint64_t generation() const { return generation_; }
    void insert(const std::string& hash, const TokenRow& row, std::uint64_t generation);
    void forget_user(UserNumber user);
    void forget_all();

    /// Whether the first use of a refreshed token is to be written, or was tried in vain a moment ago.
    bool may_confirm(std::int64_t token_number, std::int64_t now_ms) const;
    void not_confirmed(std::int64_t token_number, std::int64_t now_ms);

    /// Notes that a device is in use. Every few minutes of it become one row to write; from another address
    /// at once, which is with the next take_seen().
    void saw(DeviceNumber device, std::string_view address, std::int64_t now_ms);
    struct Seen {
        DeviceNumber device;
        Sight sight;
    };
    /// What is to be written, and is then no longer kept back.
    std::vector<Seen> take_seen();
    /// What could not be written is kept back again, but for devices that were seen since.
    void keep_seen(const std::vector<Seen>& seen);

  private:
    std::unordered_map<std::string, TokenRow> rows_;
    std::unordered_map<std::int64_t, std::int64_t> confirm_at_ms_;  ///< by number of the token
    std::unordered_map<DeviceNumber, Sight> noted_;  ///< what was last handed out for writing, or will be
    std::unordered_map<DeviceNumber, Sight> pending_;
    std::uint64_t generation_ = 0;
};

}  // namespace identity
