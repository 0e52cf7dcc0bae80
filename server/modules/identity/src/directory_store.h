#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

#include <identity/ids.h>
#include <identity/users.h>
#include <storage/transaction.h>

namespace identity {

struct DirectoryRow {
    UserNumber user;
    UserId user_id;
    MemberProfile profile;
};

/// Living people other than `viewer` who fit the folded `term`, the best first, at most `limit`.
/// Reads every key: some 0.1 s for 100,000 people, on a reader's thread.
std::vector<DirectoryRow> search_directory(storage::Transaction& tx, std::string_view term, std::size_t limit,
                                           UserNumber viewer, const std::function<bool(UserNumber)>& visible);

}  // namespace identity
