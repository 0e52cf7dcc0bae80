#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <base/json.h>
#include <identity/ids.h>
#include <storage/transaction.h>

namespace assistant {

/// What was told to leave in a person's name, whether it did, and what it cost; never the text. Reservations
/// that were not told to go are none.
struct Receipt {
    std::int64_t number = 0;
    base::json::object json;  ///< as clients read it
};

/// Newest first, below `before`.
std::vector<Receipt> receipts_of(storage::Transaction& tx, identity::UserNumber user, std::int64_t before,
                                 std::size_t limit);
std::optional<Receipt> find_receipt(storage::Transaction& tx, identity::UserNumber user,
                                    std::string_view call_id);
/// The number of a person's newest call, be it a receipt yet or not; 0 where there is none.
std::int64_t newest_receipt(storage::Transaction& tx, identity::UserNumber user);

}  // namespace assistant
