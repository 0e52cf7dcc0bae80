#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace chat {

/// Numbers are stored.
enum class Membership : std::uint8_t { none = 0, join = 1, invite = 2, knock = 3, leave = 4, ban = 5 };
std::string_view to_string(Membership membership);
/// Nothing for a word that is no membership.
std::optional<Membership> parse_membership(std::string_view text);

}  // namespace chat
