#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chat/ids.h>
#include <identity/ids.h>
#include <storage/transaction.h>

namespace chat {

/// How long a repeated request finds its first one again.
inline constexpr std::int64_t kTransactionRetentionMs = std::int64_t{26} * 3600 * 1000;

/// What a client's request is recognised by: the scope of a transaction id is one device and one endpoint
/// with its path.
struct SentTransaction {
    Position position;  ///< of the event that it made
    RoomNumber room;
    identity::DeviceNumber device;
    std::int64_t scope_key = 0;  ///< see transaction_scope_key
    std::string txn_id;
    std::int64_t sent_at_ms = 0;
};

/// Hash over all of the scope.
std::int64_t transaction_scope_key(identity::UserNumber user, identity::DeviceNumber device,
                                   std::string_view endpoint, std::string_view room_id, std::string_view type,
                                   std::string_view txn_id);

void insert_transaction(storage::Transaction& tx, const SentTransaction& sent);
/// The transaction that made the event at `position`, while it is kept: for `unsigned.transaction_id`.
std::optional<SentTransaction> find_transaction(storage::Transaction& tx, Position position);
/// Scope keys and positions above `after`, oldest first: to rebuild the index at start.
std::vector<std::pair<std::int64_t, Position>> transaction_keys(storage::Transaction& tx, Position after,
                                                                std::size_t limit);
/// Deletes at most `limit` of those that were sent before `cutoff_ms`; returns the last that went, or none.
Position prune_transactions(storage::Transaction& tx, std::int64_t cutoff_ms, std::size_t limit);

}  // namespace chat
