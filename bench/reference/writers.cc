#include "writers.h"

#include <chrono>
#include <vector>

namespace bench {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

class Fields {
  public:
    std::uint64_t number() { return random_(); }
    std::size_t below(std::size_t bound) { return random_() % bound; }
    std::string id(char sigil, std::size_t length = 43) {
        std::string id(1, sigil);
        for (std::uint64_t bits = 0; id.size() < length + 1;) {
            if (bits == 0) bits = random_() | 1ULL << 63U;
            id.push_back(kAlphabet[bits & 63U]);
            bits >>= 6U;
        }
        return id;
    }
    std::int64_t now_ms() const {
        return std::chrono::duration_cast<std::chrono::milliseconds>(
                   std::chrono::system_clock::now().time_since_epoch())
            .count();
    }
    /// As the server stores a message of the load generator.
    std::string event_json(const std::string& event_id) const {
        return R"({"event_id":")" + event_id +
               R"(","type":"m.room.message","sender":"@sender12:bench.lingxi","origin_server_ts":1764400000000,)"
               R"("content":{"body":"message 1234567 of the load generator: 我们周六中午十二点半见，别忘了带上那本书，)"
               R"(it is on the second shelf","msgtype":"m.text"}})";
    }

  private:
    std::mt19937_64 random_{std::random_device{}()};
};

class LeanWriter final : public RowWriter {
  public:
    LeanWriter(Sqlite& database, std::int64_t rooms)
        : next_(database, "UPDATE stream SET position = position + 1 WHERE stream = 1 RETURNING position"),
          event_(database,
                 "INSERT INTO event (room_number, position, event_key, sender_number, type, "
                 "origin_server_ts, depth, "
                 "json) VALUES (?1, ?2, ?3, ?4, 'm.room.message', ?5, ?6, ?7)"),
          transaction_(
              database,
              "INSERT INTO sent_transaction (position, room_number, device_number, scope_key, txn_id, "
              "sent_at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"),
          rooms_(rooms) {}
    void write() override {
        next_.step();
        const auto position = next_.integer(0);
        next_.run();
        const auto room = 1 + static_cast<std::int64_t>(fields_.below(static_cast<std::size_t>(rooms_)));
        const auto json = fields_.event_json(fields_.id('$'));
        const auto now = fields_.now_ms();
        event_.bind(1, room).bind(2, position).bind(3, static_cast<std::int64_t>(fields_.number()));
        event_.bind(4, 12).bind(5, now).bind(6, position).bind(7, json).run();
        const std::string txn = "12345.1764400000000000." + std::to_string(position);
        transaction_.bind(1, position).bind(2, room).bind(3, 12);
        transaction_.bind(4, static_cast<std::int64_t>(fields_.number())).bind(5, txn).bind(6, now).run();
    }

  private:
    SqliteStatement next_, event_, transaction_;
    std::int64_t rooms_;  // numbers 1 to this: those that the senders write in
    Fields fields_;
};

class FatWriter final : public RowWriter {
  public:
    FatWriter(Sqlite& database, std::int64_t rooms)
        : event_(
              database,
              "INSERT INTO event (position, event_id, room_id, sender, type, origin_server_ts, depth, json) "
              "VALUES (?1, ?2, ?3, ?4, 'm.room.message', ?5, ?6, ?7)"),
          transaction_(database,
                       "INSERT INTO transaction_id (user_id, device_id, room_id, txn_id, event_id) "
                       "VALUES (?1, ?2, ?3, ?4, ?5)") {
        SqliteStatement last(database, "SELECT coalesce(max(position), 0) FROM event");
        last.step();
        position_ = last.integer(0);
        std::mt19937_64 same(11);  // the same rooms in every run
        for (std::int64_t i = 0; i < rooms; ++i)
            rooms_.push_back("!room" + std::to_string(same()) + ":bench.lingxi");
    }
    void write() override {
        ++position_;
        const auto& room = rooms_[fields_.below(rooms_.size())];
        const auto id = fields_.id('$');
        const auto sender = "@sender" + std::to_string(fields_.below(64)) + ":bench.lingxi";
        const auto json = fields_.event_json(id);
        event_.bind(1, position_).bind(2, id).bind(3, room).bind(4, sender).bind(5, fields_.now_ms());
        event_.bind(6, position_).bind(7, json).run();
        const auto txn = std::to_string(fields_.number());
        transaction_.bind(1, sender).bind(2, "ABCDEFGHIJ").bind(3, room).bind(4, txn).bind(5, id).run();
    }

  private:
    SqliteStatement event_, transaction_;
    std::vector<std::string> rooms_;
    std::int64_t position_ = 0;
    Fields fields_;
};

}  // namespace

std::unique_ptr<RowWriter> lean_writer(Sqlite& database, std::int64_t rooms) {
    return std::make_unique<LeanWriter>(database, rooms);
}

std::unique_ptr<RowWriter> fat_writer(Sqlite& database, std::int64_t rooms) {
    return std::make_unique<FatWriter>(database, rooms);
}

void set_pragmas(Sqlite& database) {
    database.run("PRAGMA journal_mode = WAL");
    database.run("PRAGMA synchronous = FULL");
    database.run("PRAGMA cache_size = -65536");
    database.run("PRAGMA wal_autocheckpoint = 16384");
    database.run("PRAGMA journal_size_limit = -1");
}

}  // namespace bench
