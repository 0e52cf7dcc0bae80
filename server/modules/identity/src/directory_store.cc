#include "directory_store.h"

#include "directory_key.h"

#include <algorithm>

namespace identity {
namespace {

struct Match {
    int rank;
    std::size_t key_size;
    UserNumber user;
};

}  // namespace

std::vector<DirectoryRow> search_directory(storage::Transaction& tx, std::string_view term, std::size_t limit,
                                           UserNumber viewer,
                                           const std::function<bool(UserNumber)>& visible) {
    std::vector<Match> matches;
    if (!term.empty()) {
        auto row = tx.prepare("SELECT user_number, search_key FROM identity_directory");
        while (row.step()) {
            const UserNumber user{row.integer(0)};
            const int rank = match_rank(row.text(1), term);
            if (rank > 0 && user != viewer) matches.push_back({rank, row.text(1).size(), user});
        }
    }
    // Of equal fits the shorter name first: more of it was asked for.
    std::ranges::sort(matches, [](const Match& a, const Match& b) {
        return std::tuple(-a.rank, a.key_size, a.user) < std::tuple(-b.rank, b.key_size, b.user);
    });
    std::vector<DirectoryRow> rows;
    for (const auto& match : matches) {
        if (rows.size() == limit) break;
        if (!visible(match.user)) continue;
        rows.push_back({.user = match.user,
                        .user_id = user_id_of(tx, match.user),
                        .profile = member_profile_of(tx, match.user)});
    }
    return rows;
}

}  // namespace identity
