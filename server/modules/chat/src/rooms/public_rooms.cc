#include "rooms/public_rooms.h"

#include <algorithm>
#include <charconv>

#include <base/encoding.h>

namespace chat {
namespace {

/// The most rooms that one question looks at: a search goes on from next_batch.
constexpr std::size_t kScanLimit = 2'000;
constexpr std::size_t kPageRows = 100;

bool matches(const StoredRoom& room, const RoomCard& card, const DirectoryQuery& query) {
    if (query.room_types) {
        const auto is_type = [&](const std::optional<std::string>& type) {
            return type.value_or("") == card.room_type;
        };
        if (std::ranges::none_of(*query.room_types, is_type)) return false;
    }
    if (query.search_term.empty()) return true;
    const auto term = base::ascii_lower(query.search_term);
    return std::ranges::any_of(
        std::initializer_list<std::string_view>{card.name, card.topic, card.canonical_alias, room.id.value},
        [&](std::string_view text) { return base::ascii_lower(text).find(term) != std::string::npos; });
}

std::string directory_token(char direction, const StoredRoom& room) {
    return std::string("d1") + direction + std::to_string(room.joined_count) + "_" +
           std::to_string(room.number.value);
}

bool read_number(std::string_view text, std::int64_t& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

base::Result<void> read_directory_token(std::string_view text, DirectoryQuery& query) {
    ListedAfter since;
    const auto bar = text.find('_');
    if (text.size() < 6 || text.size() > 64 || !text.starts_with("d1") ||
        (text[2] != 'n' && text[2] != 'p') || bar == std::string_view::npos ||
        !read_number(text.substr(3, bar - 3), since.joined_count) ||
        !read_number(text.substr(bar + 1), since.room.value)) {
        return base::fail(base::ErrorKind::invalid, "M_INVALID_PARAM",
                          "The token is not one of this server's.");
    }
    query.since = since;
    query.backwards = text[2] == 'p';
    return {};
}

std::string read_directory(storage::Transaction& tx, const DirectoryQuery& query) {
    std::vector<std::pair<StoredRoom, base::json::object>> found;
    auto since = query.since;
    std::size_t scanned = 0;
    bool has_more = false;
    std::optional<StoredRoom> last_scanned;
    while (!has_more && scanned < kScanLimit) {
        const auto rooms =
            query.backwards ? listed_rooms_before(tx, *since, kPageRows) : listed_rooms(tx, since, kPageRows);
        for (const auto& room : rooms) {
            if (found.size() == query.limit) {
                has_more = true;
                break;
            }
            ++scanned;
            last_scanned = room;
            since = ListedAfter{room.joined_count, room.number};
            const auto card = read_card(tx, room.number);
            if (matches(room, card, query)) found.emplace_back(room, card_json(room, card));
        }
        if (rooms.size() < kPageRows) break;
    }
    if (scanned >= kScanLimit) has_more = true;
    if (query.backwards) std::ranges::reverse(found);

    base::json::array chunk;
    for (auto& [room, json] : found) chunk.push_back(std::move(json));
    base::json::object out{{"chunk", std::move(chunk)},
                           {"total_room_count_estimate", count_listed_rooms(tx)}};
    const bool goes_on = query.backwards ? query.since.has_value() : has_more;
    if (goes_on && query.backwards && !found.empty())
        out["next_batch"] = directory_token('n', found.back().first);
    if (goes_on && !query.backwards && last_scanned) out["next_batch"] = directory_token('n', *last_scanned);
    const bool has_earlier = query.backwards ? has_more : query.since.has_value();
    if (has_earlier && !found.empty()) out["prev_batch"] = directory_token('p', found.front().first);
    return base::json::serialize(out);
}

}  // namespace chat
