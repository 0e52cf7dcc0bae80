#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <base/json.h>
#include <identity/ids.h>
#include <storage/transaction.h>

namespace identity {

enum class NewsKind : std::uint8_t { account_created, profile_changed, account_deactivated };

/// What other modules must still do about an account.
struct News {
    std::int64_t number = 0;
    NewsKind kind = NewsKind::profile_changed;
    UserNumber user;
    base::json::object payload;
};

/// Returns the number of its row.
std::int64_t insert_news(storage::Transaction& tx, NewsKind kind, UserNumber user,
                         const base::json::object& payload, std::int64_t now_ms);
std::optional<News> find_news(storage::Transaction& tx, std::int64_t number);
/// Those after `after`, the oldest first.
std::vector<std::int64_t> news_numbers(storage::Transaction& tx, std::int64_t after, std::size_t limit);
void delete_news(storage::Transaction& tx, std::int64_t number);

}  // namespace identity
