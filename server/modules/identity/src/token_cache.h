#pragma once

#include "session_store.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
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

    /// Notes that a device is in use. Every few minutes of it become one row to write.
    void saw(DeviceNumber device, std::int64_t now_ms);
    struct Seen {
        DeviceNumber device;
        std::int64_t at_ms;
    };
    /// What is to be written, and is then no longer kept back.
    std::vector<Seen> take_seen();

  private:
    std::unordered_map<std::string, TokenRow> rows_;
    std::unordered_map<DeviceNumber, std::int64_t>
        written_;  ///< when last_seen was last handed out for writing
    std::unordered_map<DeviceNumber, std::int64_t> pending_;
    std::uint64_t generation_ = 0;
};

}  // namespace identity
