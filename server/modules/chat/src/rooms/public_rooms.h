#pragma once

#include "rooms/room_card.h"
#include "rooms/room_store.h"

#include <optional>
#include <string>
#include <vector>

#include <base/json.h>
#include <base/result.h>

namespace chat {

/// A question to the published room directory.
struct DirectoryQuery {
    std::size_t limit = 50;
    /// Of an earlier page: where it ended, and whether the page lies before or after that.
    std::optional<ListedAfter> since;
    bool backwards = false;
    std::string search_term;  ///< empty: all
    std::optional<std::vector<std::optional<std::string>>>
        room_types;  ///< nothing inside: rooms without a type
};

/// Reads a token of the directory into `query`. Errors: M_INVALID_PARAM.
base::Result<void> read_directory_token(std::string_view text, DirectoryQuery& query);

/// The answer of getPublicRooms and queryPublicRooms.
std::string read_directory(storage::Transaction& tx, const DirectoryQuery& query);

}  // namespace chat
