#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <identity/ids.h>
#include <storage/transaction.h>

namespace chat {

/// The number of this filter of the person's, old where they gave the same one before. Only the last
/// kStoredFilterLimit are kept.
inline constexpr std::int64_t kStoredFilterLimit = 200;
std::int64_t put_filter(storage::Transaction& tx, identity::UserNumber user, std::string_view json);
std::optional<std::string> find_filter(storage::Transaction& tx, identity::UserNumber user,
                                       std::int64_t number);

}  // namespace chat
