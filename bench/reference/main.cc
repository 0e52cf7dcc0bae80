// lingxi-bench-reference: what the server is compared with. SQLite with nothing around it, and what the disk
// and the loopback of this machine do at most.

#include "../load/latencies.h"
#include "../load/options.h"
#include "writers.h"
#include "yardstick.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <thread>

namespace bench {
namespace {

/// Handed to the kernel by write calls (`write_bytes` counts whole folios of the page cache).
std::uint64_t written_bytes() {
    std::ifstream in("/proc/self/io");
    std::string name;
    std::uint64_t value = 0;
    while (in >> name >> value) {
        if (name == "wchar:") return value;
    }
    return 0;
}

/// Processor time of this process so far.
double cpu_us() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto of = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
    };
    return of(used.ru_utime) + of(used.ru_stime);
}

std::unique_ptr<RowWriter> writer_of(const Options& options, Sqlite& database) {
    const auto rooms = options.number("rooms", 1000);
    if (options.text("schema") == "fat") return fat_writer(database, rooms);
    return lean_writer(database, rooms);
}

/// Makes a database of fat.sql with so many rows; indexes come last, which makes the same file faster.
int fill(const Options& options) {
    Sqlite database(options.text("db"));
    database.run("PRAGMA journal_mode = OFF");
    database.run("PRAGMA synchronous = OFF");
    database.run("PRAGMA cache_size = -400000");
    std::ifstream in(options.text("sql"));
    std::ostringstream sql;
    sql << in.rdbuf();
    std::string tables = sql.str();
    std::string indexes;
    for (auto at = tables.find("CREATE INDEX"); at != std::string::npos; at = tables.find("CREATE INDEX")) {
        const auto end = tables.find(';', at) + 1;
        indexes += tables.substr(at, end - at);
        tables.erase(at, end - at);
    }
    database.run(tables);
    {
        auto writer = fat_writer(database, options.number("rooms", 1000));
        database.run("BEGIN");
        for (std::int64_t i = 0; i < options.number("rows", 1'000'000); ++i) writer->write();
        database.run("COMMIT");
    }
    database.run(indexes);
    return 0;
}

/// Groups of so many rows, one durable commit each, as fast as they go.
int sends(const Options& options) {
    Sqlite database(options.text("db"));
    set_pragmas(database);
    auto writer = writer_of(options, database);
    const auto group = options.number("group", 64);
    const auto start = Clock::now();
    const auto end = start + std::chrono::milliseconds(options.number("ms", 3000));
    const auto bytes_before = written_bytes();
    const auto cpu_before_us = cpu_us();
    std::int64_t rows = 0;
    while (Clock::now() < end) {
        database.run("BEGIN IMMEDIATE");
        for (std::int64_t i = 0; i < group; ++i) writer->write();
        database.run("COMMIT");
        rows += group;
    }
    const auto took = seconds_between(start, Clock::now());
    std::printf(R"({"rate":%.1f,"rows":%lld,"bytes_a_row":%.0f,"cpu_us_a_row":%.2f})"
                "\n",
                static_cast<double>(rows) / took, static_cast<long long>(rows),
                static_cast<double>(written_bytes() - bytes_before) / static_cast<double>(rows),
                (cpu_us() - cpu_before_us) / static_cast<double>(rows));
    return 0;
}

/// So many rows a second, each committed with what else is due: latencies from when it was due.
int paced(const Options& options) {
    Sqlite database(options.text("db"));
    set_pragmas(database);
    auto writer = writer_of(options, database);
    const double rate = options.real("rate", 1000);
    const auto start = Clock::now();
    const auto end = start + std::chrono::milliseconds(options.number("ms", 3000));
    Latencies latencies;
    std::int64_t done = 0;
    const auto due_at = [&](std::int64_t row) {
        return start + std::chrono::duration_cast<Clock::duration>(
                           std::chrono::duration<double>(static_cast<double>(row) / rate));
    };
    while (Clock::now() < end) {
        std::int64_t due = done;
        while (due_at(due) <= Clock::now() && due - done < 256) ++due;
        if (due == done) {
            std::this_thread::sleep_until(due_at(done));
            continue;
        }
        database.run("BEGIN IMMEDIATE");
        for (auto row = done; row < due; ++row) writer->write();
        database.run("COMMIT");
        const auto now = Clock::now();
        for (; done < due; ++done) latencies.add(now - due_at(done));
    }
    std::printf("{%s}\n", latencies.json().c_str());
    return 0;
}

/// The stored texts of the latest events of so many rooms, put together: the least that an initial sync
/// reads.
int read_rooms(const Options& options) {
    Sqlite database(options.text("db"), SQLITE_OPEN_READWRITE);
    database.run("PRAGMA cache_size = -16384");
    Latencies latencies;
    std::size_t bytes = 0;
    for (std::int64_t round = 0; round < options.number("rounds", 1); ++round) {
        const auto start = Clock::now();
        std::string out;
        database.run("BEGIN");
        SqliteStatement rooms(
            database,
            "SELECT room_number FROM membership WHERE membership = (SELECT membership FROM membership "
            "WHERE user_number = ?1 LIMIT 1) AND user_number = ?1");
        rooms.bind(1, options.number("user", 1));
        SqliteStatement events(
            database, "SELECT json FROM event WHERE room_number = ?1 ORDER BY position DESC LIMIT ?2");
        while (rooms.step()) {
            events.bind(1, rooms.integer(0)).bind(2, options.number("limit", 10));
            while (events.step()) out.append(events.text(0)).push_back(',');
            events.reset();
        }
        database.run("COMMIT");
        latencies.add(Clock::now() - start);
        bytes = out.size();
    }
    std::printf(R"({"ms":%.4f,"bytes":%zu})"
                "\n",
                latencies.at(0.5), bytes);
    return 0;
}

/// Opens the database and reads a row: what a start cannot do without.
int open_database(const Options& options) {
    Sqlite database(options.text("db"), SQLITE_OPEN_READWRITE);
    SqliteStatement statement(database, "SELECT count(*) FROM sqlite_schema");
    statement.step();
    return 0;
}

/// The limits of this machine, which no server passes, and how fast it computes.
int limits(const Options& options) {
    const auto path = options.text("directory") + "/limit";
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) return 1;
    const std::string page(4096, 'x');
    Latencies syncs;
    for (int i = 0; i < 200; ++i) {
        const auto start = Clock::now();
        if (::write(file, page.data(), page.size()) < 0 || ::fdatasync(file) != 0) return 1;
        syncs.add(Clock::now() - start);
    }
    ::close(file);
    ::unlink(path.c_str());

    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return 1;
    std::thread echo([&] {
        char byte = 0;
        while (::read(pair[1], &byte, 1) == 1 && ::write(pair[1], &byte, 1) == 1) {
        }
    });
    Latencies turns;
    char byte = 'x';
    for (int i = 0; i < 5000; ++i) {
        const auto start = Clock::now();
        if (::write(pair[0], &byte, 1) != 1 || ::read(pair[0], &byte, 1) != 1) return 1;
        turns.add(Clock::now() - start);
    }
    ::close(pair[0]);
    echo.join();
    ::close(pair[1]);
    std::printf(R"({"sync_p50_ms":%.4f,"sync_p99_ms":%.4f,"turn_p50_ms":%.4f,"parse_us":%.3f})"
                "\n",
                syncs.at(0.5), syncs.at(0.99), turns.at(0.5), parse_event_us());
    return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
    using Command = int (*)(const bench::Options&);
    static const std::map<std::string, Command> kCommands{
        {"fill", bench::fill},          {"sends", bench::sends},
        {"paced", bench::paced},        {"read-rooms", bench::read_rooms},
        {"open", bench::open_database}, {"limits", bench::limits}};
    const std::span<char*> arguments(argv, static_cast<std::size_t>(argc));
    const auto command = argc > 1 ? kCommands.find(argv[1]) : kCommands.end();
    if (command == kCommands.end()) {
        std::cerr << "usage: lingxi-bench-reference COMMAND --name value...\n";
        return 2;
    }
    return command->second(bench::Options(arguments.subspan(2)));
}
