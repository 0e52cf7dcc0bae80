#include "stream_lives.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace chat {
namespace {

constexpr std::int64_t kMostLives = 1000;
constexpr std::array kStored = {Stream::events, Stream::receipts, Stream::account_data};

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

void insert_life(storage::Transaction& tx, const StreamLife& life) {
    tx.prepare("INSERT INTO stream_life (name, events, receipts, account_data) VALUES (?1, ?2, ?3, ?4)")
        .bind(static_cast<std::int64_t>(life.name), life.began_at[Stream::events],
              life.began_at[Stream::receipts], life.began_at[Stream::account_data])
        .run();
    tx.prepare("DELETE FROM stream_life WHERE number <= ?1").bind(tx.last_insert_rowid() - kMostLives).run();
}

std::optional<Position> StreamLives::parted_at(const StreamToken& token, const StreamToken& now) const {
    const auto life = std::ranges::find(lives_, token.life, &StreamLife::name);
    if (life == lives_.end()) return Position{};
    const auto next = std::next(life);
    const auto& end = next == lives_.end() ? now : next->began_at;
    if (std::ranges::all_of(kStored, [&](Stream stream) { return token[stream] <= end[stream]; }))
        return std::nullopt;
    return Position{std::min(token[Stream::events], end[Stream::events])};
}

}  // namespace chat
