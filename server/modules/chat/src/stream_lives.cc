#include "stream_lives.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace chat {
namespace {

constexpr std::array kStored = {Stream::events, Stream::receipts, Stream::account_data};

bool is_within(const StreamToken& token, const StreamToken& end) {
    return std::ranges::all_of(kStored, [&](Stream stream) { return token[stream] <= end[stream]; });
}

}  // namespace

std::uint32_t draw_life_name(base::Random& random) {
    return static_cast<std::uint32_t>(1 + random.below(UINT32_MAX));
}

StreamToken stored_positions(storage::Transaction& tx) {
    StreamToken token;
    for (const auto stream : kStored) token[stream] = last_position(tx, stream);
    return token;
}

std::vector<StreamLife> read_lives(storage::Transaction& tx) {
    auto rows = tx.prepare("SELECT name, events, receipts, account_data FROM stream_life ORDER BY number");
    std::vector<StreamLife> lives;
    while (rows.step()) {
        auto& life = lives.emplace_back();
        life.name = static_cast<std::uint32_t>(rows.integer(0));
        for (std::size_t i = 0; i < kStored.size(); ++i)
            life.began_at[kStored[i]] = rows.integer(static_cast<int>(i) + 1);
    }
    return lives;
}

void begin_life(storage::Transaction& tx, std::uint32_t name) {
    const auto now = stored_positions(tx);
    const auto lives = read_lives(tx);
    // The first is of before lives were named.
    if (lives.size() < 2 || !is_within(now, lives.back().began_at)) return insert_life(tx, {name, now});
    tx.prepare("UPDATE stream_life SET name = ?1 WHERE number = (SELECT max(number) FROM stream_life)")
        .bind(static_cast<std::int64_t>(name))
        .run();
}

void insert_life(storage::Transaction& tx, const StreamLife& life) {
    tx.prepare("INSERT INTO stream_life (name, events, receipts, account_data) VALUES (?1, ?2, ?3, ?4)")
        .bind(static_cast<std::int64_t>(life.name), life.began_at[Stream::events],
              life.began_at[Stream::receipts], life.began_at[Stream::account_data])
        .run();
    tx.prepare("DELETE FROM stream_life WHERE number <= ?1").bind(tx.last_insert_rowid() - kMostLives).run();
}

std::uint32_t StreamLives::name_at(const StreamToken& now) const {
    if (lives_.empty()) return 0;
    const bool is_of_the_last = lives_.size() == 1 || !is_within(now, lives_.back().began_at);
    return lives_[lives_.size() - (is_of_the_last ? 1 : 2)].name;
}

std::optional<Position> StreamLives::parted_at(const StreamToken& token, const StreamToken& now) const {
    // From the back: most tokens are of this life or of the one before.
    const auto life = std::ranges::find(lives_.rbegin(), lives_.rend(), token.life, &StreamLife::name);
    if (life == lives_.rend()) return Position{};
    const auto& end = life == lives_.rbegin() ? now : std::prev(life)->began_at;
    if (is_within(token, end)) return std::nullopt;
    return Position{std::min(token[Stream::events], end[Stream::events])};
}

}  // namespace chat
