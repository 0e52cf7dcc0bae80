// lingxi-bench-history: a data directory with people, rooms and any number of stored events, made through the
// server's own schema and rules in large jobs.
//
//   sender0…63   write; sender n in the rooms n, n + 64, …
//   reader       is in every room that is written in
//   watcher0…    wait; ten in a room of their own, and the first thousand in one large room with `herald`

#include "../load/options.h"
#include "history.h"

#include <chrono>
#include <filesystem>
#include <fstream>

#include <assistant/assistant.h>
#include <base/clock.h>
#include <base/crypto.h>
#include <chat/chat.h>
#include <identity/identity.h>
#include <runtime/task_group.h>
#include <storage/database.h>

namespace bench {
namespace {

constexpr std::int64_t kSenders = 64;
constexpr std::int64_t kSmallRoom = 10;
constexpr std::int64_t kJobEvents = 10'000;
constexpr std::int64_t kYearMs = std::int64_t{365} * 24 * 3600 * 1000;
/// Of the events, those with a row of their transaction: sent within the last day.
constexpr std::int64_t kRecentShare = 10;

struct Plan {
    std::int64_t events, rooms, watchers, crowd;
    std::filesystem::path directory;
};

void write_people(const std::filesystem::path& file, const std::vector<const Seat*>& seats) {
    std::ofstream out(file);
    for (const Seat* seat : seats) {
        out << seat->user_id << '\t' << seat->token;
        for (const auto& room : seat->rooms) out << '\t' << room;
        out << '\n';
    }
}

class History {
  public:
    History(storage::Database& database, Plan plan)
        : database_(database), plan_(std::move(plan)), rooms_(random_) {}

    runtime::Task<base::Result<void>> make() {
        auto people = co_await job([this](storage::Transaction& tx) { return make_people(tx); });
        if (!people) co_return people;
        auto rooms = co_await job([this](storage::Transaction& tx) { return make_rooms(tx); });
        if (!rooms) co_return rooms;
        const auto first_ms = clock_.now_ms() - kYearMs;
        for (std::int64_t from = 0; from < plan_.events; from += kJobEvents) {
            auto said = co_await job(
                [this, from, first_ms](storage::Transaction& tx) { return talk(tx, from, first_ms); });
            if (!said) co_return said;
        }
        write_files();
        co_return base::Result<void>{};
    }

  private:
    runtime::Task<base::Result<void>> job(std::function<base::Result<void>(storage::Transaction&)> body) {
        co_return co_await database_.write({"bench"}, std::move(body));
    }

    base::Result<void> make_people(storage::Transaction& tx) {
        if (auto named = name_the_server(tx); !named) return named;
        const auto now = clock_.now_ms();
        const auto seat = [&](std::vector<Seat>& into, const std::string& name) -> base::Result<void> {
            auto made = seat_person(tx, random_, name, now);
            if (!made) return base::fail(made.error());
            into.push_back(std::move(*made));
            return {};
        };
        for (std::int64_t i = 0; i < kSenders; ++i) {
            if (auto made = seat(senders_, "sender" + std::to_string(i)); !made) return made;
        }
        for (const auto* name : {"reader", "herald"}) {
            if (auto made = seat(others_, name); !made) return made;
        }
        for (std::int64_t i = 0; i < plan_.watchers; ++i) {
            if (auto made = seat(watchers_, "watcher" + std::to_string(i)); !made) return made;
        }
        return {};
    }

    base::Result<void> make_rooms(storage::Transaction& tx) {
        const auto then = clock_.now_ms() - kYearMs;
        for (std::int64_t i = 0; i < plan_.rooms; ++i) {
            auto& sender = senders_[static_cast<std::size_t>(i % kSenders)];
            auto made = rooms_.make(
                tx, {&sender, &others_[0], &senders_[static_cast<std::size_t>((i + 1) % kSenders)]}, then);
            if (!made) return base::fail(made.error());
            sender.rooms.push_back(*made);
            others_[0].rooms.push_back(*made);
        }
        std::vector<const Seat*> crowd{&others_[1]};
        for (std::int64_t i = 0; i < std::min(plan_.crowd, plan_.watchers); ++i)
            crowd.push_back(&watchers_[static_cast<std::size_t>(i)]);
        auto large = rooms_.make(tx, crowd, then);
        if (!large) return base::fail(large.error());
        others_[1].rooms.push_back(*large);
        for (std::int64_t i = 0; i < plan_.watchers; i += kSmallRoom) {
            std::vector<const Seat*> few;
            for (std::int64_t k = i; k < std::min(i + kSmallRoom, plan_.watchers); ++k)
                few.push_back(&watchers_[static_cast<std::size_t>(k)]);
            auto made = rooms_.make(tx, few, then);
            if (!made) return base::fail(made.error());
            watchers_[static_cast<std::size_t>(i)].rooms.push_back(*made);
        }
        return {};
    }

    base::Result<void> talk(storage::Transaction& tx, std::int64_t from, std::int64_t first_ms) {
        const auto now = clock_.now_ms();
        for (auto i = from; i < std::min(from + kJobEvents, plan_.events); ++i) {
            const bool is_recent = i >= plan_.events - plan_.events / kRecentShare;
            const auto at = is_recent ? now : first_ms + kYearMs / plan_.events * i;
            const auto room = random_.below(static_cast<std::uint64_t>(plan_.rooms));
            if (auto said = rooms_.say(tx, room, i % 3, at, is_recent); !said) return said;
        }
        return {};
    }

    void write_files() {
        const auto pointers = [](const std::vector<Seat>& seats) {
            std::vector<const Seat*> all;
            all.reserve(seats.size());
            for (const auto& seat : seats) all.push_back(&seat);
            return all;
        };
        write_people(plan_.directory / "senders.tsv", pointers(senders_));
        write_people(plan_.directory / "watchers.tsv", pointers(watchers_));
        write_people(plan_.directory / "reader.tsv", {&others_[0]});
        write_people(plan_.directory / "herald.tsv", {&others_[1]});
    }

    storage::Database& database_;
    Plan plan_;
    base::SystemClock clock_;
    base::SeededRandom random_{20'251'129};
    Rooms rooms_;
    std::vector<Seat> senders_, others_, watchers_;
};

int make_history(const Options& options) {
    const Plan plan{.events = options.number("events", 1000),
                    .rooms = options.number("rooms", 64),
                    .watchers = options.number("watchers", 0),
                    .crowd = options.number("crowd", 1000),
                    .directory = options.text("directory")};
    const auto core = plan.directory / "d" / "core";
    std::filesystem::create_directories(core);
    runtime::Runtime runtime;
    auto database = storage::Database::open(
        runtime, {.path = core / "lingxi.db", .cache_kib = 400'000, .wal_soft_limit_bytes = 512LL << 20},
        {identity::migrations(), chat::migrations(), assistant::migrations()});
    if (!database) {
        std::cerr << database.error().message << "\n";
        return 1;
    }
    History history(**database, plan);
    base::Result<void> made;
    runtime::TaskGroup group(runtime, "history");
    group.spawn([](History& h, base::Result<void>& result, runtime::Runtime& r) -> runtime::Task<void> {
        result = co_await h.make();
        r.stop();
    }(history, made, runtime));
    runtime.run();
    (*database)->close();
    if (made) return 0;
    std::cerr << made.error().code << ": " << made.error().message << "\n";
    return 1;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
    base::initialise_crypto();
    return bench::make_history(bench::Options(std::span(argv, static_cast<std::size_t>(argc)).subspan(1)));
}
