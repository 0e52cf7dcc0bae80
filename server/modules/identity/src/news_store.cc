#include "news_store.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace identity {
namespace {

constexpr std::array<std::pair<NewsKind, std::string_view>, 3> kNames{{
    {NewsKind::account_created, "account_created"},
    {NewsKind::profile_changed, "profile_changed"},
    {NewsKind::account_deactivated, "account_deactivated"},
}};

std::optional<News> read_news(const storage::Statement& row) {
    const auto kind = std::ranges::find(kNames, row.text(1), &std::pair<NewsKind, std::string_view>::second);
    if (kind == kNames.end()) return std::nullopt;  // of a newer version: not ours to tell
    return News{.number = row.integer(0),
                .kind = kind->first,
                .user = UserNumber{row.integer(2)},
                .payload = base::json::parse(row.text(3)).as_object()};
}

}  // namespace

std::int64_t insert_news(storage::Transaction& tx, NewsKind kind, UserNumber user,
                         const base::json::object& payload, std::int64_t now_ms) {
    const auto name = std::ranges::find(kNames, kind, &std::pair<NewsKind, std::string_view>::first);
    tx.prepare(
          "INSERT INTO identity_news (kind, user_number, payload, created_at_ms) VALUES (?1, ?2, ?3, ?4)")
        .bind(name->second, user, base::json::serialize(payload), now_ms)
        .run();
    return tx.last_insert_rowid();
}

std::optional<News> find_news(storage::Transaction& tx, std::int64_t number) {
    auto row = tx.prepare(
        "SELECT news_number, kind, user_number, payload FROM identity_news WHERE news_number = ?1");
    row.bind(number);
    if (!row.step()) return std::nullopt;
    return read_news(row);
}

std::vector<std::int64_t> news_numbers(storage::Transaction& tx, std::int64_t after, std::size_t limit) {
    auto row = tx.prepare(
        "SELECT news_number FROM identity_news WHERE news_number > ?1 ORDER BY news_number LIMIT ?2");
    row.bind(after, static_cast<std::int64_t>(limit));
    std::vector<std::int64_t> numbers;
    while (row.step()) numbers.push_back(row.integer(0));
    return numbers;
}

void delete_news(storage::Transaction& tx, std::int64_t number) {
    tx.prepare("DELETE FROM identity_news WHERE news_number = ?1").bind(number).run();
}

}  // namespace identity
