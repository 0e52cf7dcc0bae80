#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include <sqlite3.h>

namespace bench {

/// SQLite without anything around it. What fails ends the program: a reference that limps is none.
class Sqlite {
  public:
    explicit Sqlite(const std::string& path, int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) {
        check(sqlite3_open_v2(path.c_str(), &handle_, flags, nullptr), "open");
    }
    ~Sqlite() { sqlite3_close_v2(handle_); }
    Sqlite(const Sqlite&) = delete;
    Sqlite& operator=(const Sqlite&) = delete;

    void run(const std::string& sql) {
        check(sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr), sql);
    }
    void check(int code, std::string_view doing) const {
        if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return;
        std::cerr << "reference: " << doing << ": " << sqlite3_errmsg(handle_) << "\n";
        std::exit(1);
    }
    sqlite3* handle() const { return handle_; }

  private:
    sqlite3* handle_ = nullptr;
};

class SqliteStatement {
  public:
    SqliteStatement(const Sqlite& database, const std::string& sql) : database_(database) {
        database.check(sqlite3_prepare_v3(database.handle(), sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT,
                                          &statement_, nullptr),
                       sql);
    }
    ~SqliteStatement() { sqlite3_finalize(statement_); }
    SqliteStatement(const SqliteStatement&) = delete;
    SqliteStatement& operator=(const SqliteStatement&) = delete;

    SqliteStatement& bind(int index, std::int64_t value) {
        sqlite3_bind_int64(statement_, index, value);
        return *this;
    }
    SqliteStatement& bind(int index, std::string_view value) {
        sqlite3_bind_text64(statement_, index, value.data(), value.size(), SQLITE_STATIC, SQLITE_UTF8);
        return *this;
    }
    bool step() {
        const int code = sqlite3_step(statement_);
        database_.check(code, "step");
        return code == SQLITE_ROW;
    }
    void run() {
        while (step()) {
        }
        sqlite3_reset(statement_);
    }
    void reset() { sqlite3_reset(statement_); }
    std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
    std::string_view text(int column) const {
        return {reinterpret_cast<const char*>(sqlite3_column_text(statement_, column)),
                static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
    }

  private:
    const Sqlite& database_;
    sqlite3_stmt* statement_ = nullptr;
};

}  // namespace bench
