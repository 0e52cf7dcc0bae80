#pragma once

#include <cstdint>
#include <string_view>

#include <identity/ids.h>
#include <storage/transaction.h>

namespace identity {

/// Notes that the account's owner is at home in the address's network, device or not: for thirty days, and of
/// twenty networks at most, those noted last.
void note_network(storage::Transaction& tx, UserNumber user, std::string_view address, std::int64_t now_ms);
/// Whether that was noted, or a device of the account's was last seen there.
bool is_known_network(storage::Transaction& tx, UserNumber user, std::string_view address,
                      std::int64_t now_ms);
void forget_networks(storage::Transaction& tx, UserNumber user);
void purge_old_networks(storage::Transaction& tx, std::int64_t now_ms);

}  // namespace identity
