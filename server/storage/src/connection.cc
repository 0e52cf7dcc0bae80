#include "connection.h"

#include <sqlite3.h>

namespace storage {
namespace {

constexpr int kBusyLimitMs = 10'000;
constexpr std::size_t kIdleStatementsLimit = 4;  // of one text: nested uses beyond it are rare

}  // namespace

Fault fault_of(int code, const char* message) {
    using base::ErrorKind;
    switch (code & 0xff) {
        case SQLITE_FULL:
            return {ErrorKind::unavailable, "storage.disk_full", "The disk is full."};
        case SQLITE_READONLY:
        case SQLITE_PERM:
            return {ErrorKind::unavailable, "storage.read_only", "The data directory cannot be written."};
        case SQLITE_CANTOPEN:
            return {ErrorKind::unavailable, "storage.read_only",
                    "The database file cannot be opened for writing."};
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return {ErrorKind::internal, "storage.corrupt",
                    "The database file is damaged; restore it from a backup."};
        case SQLITE_IOERR:
            return {ErrorKind::unavailable, "storage.io",
                    std::string("The disk reports an error: ") + message + "."};
        case SQLITE_CONSTRAINT:
            return {ErrorKind::conflict, "storage.constraint", message};
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return {ErrorKind::conflict, "storage.locked", "Another process is using the database."};
        default:
            return {ErrorKind::internal, "storage.internal", message};
    }
}

base::Result<std::unique_ptr<Connection>> Connection::open(const std::filesystem::path& path, Mode mode,
                                                           std::int64_t cache_kib) {
    std::unique_ptr<Connection> connection(new Connection(mode));
    // A connection is never shared between threads at once: SQLite's own mutexes would only cost.
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    const int code = sqlite3_open_v2(path.c_str(), &connection->database_, flags, nullptr);
    try {
        if (code != SQLITE_OK) connection->fail_with(code);
        sqlite3_extended_result_codes(connection->database_, 1);
        sqlite3_busy_timeout(connection->database_, kBusyLimitMs);
        if (mode == Mode::write) {
            connection->execute("PRAGMA page_size = 8192");
            connection->execute("PRAGMA journal_mode = WAL");
            connection->execute("PRAGMA secure_delete = ON");  // what is redacted leaves no bytes behind
            connection->execute("PRAGMA foreign_keys = ON");
        } else {
            connection->execute("PRAGMA query_only = ON");
        }
        connection->execute("PRAGMA synchronous = FULL");
        connection->execute("PRAGMA wal_autocheckpoint = 0");  // the checkpointer's work
        connection->execute("PRAGMA cell_size_check = ON");    // damage is noticed before it spreads
        connection->execute("PRAGMA temp_store = MEMORY");
        connection->execute("PRAGMA cache_size = -" + std::to_string(cache_kib));
    } catch (const Fault& fault) {
        return base::fail(fault.kind, fault.code, fault.what());
    }
    return connection;
}

Connection::~Connection() {
    for (auto& [sql, statements] : idle_) {
        for (sqlite3_stmt* statement : statements) sqlite3_finalize(statement);
    }
    sqlite3_close_v2(database_);
}

sqlite3_stmt* Connection::prepare(std::string_view sql) {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) fail_with(code);
    return statement;
}

sqlite3_stmt* Connection::acquire(std::string_view sql) {
    const auto found = idle_.find(std::string(sql));
    if (found == idle_.end() || found->second.empty()) return prepare(sql);
    sqlite3_stmt* statement = found->second.back();
    found->second.pop_back();
    return statement;
}

void Connection::release(sqlite3_stmt* statement, std::string_view sql) {
    sqlite3_reset(statement);  // repeats the error of the last step, which was reported there
    sqlite3_clear_bindings(statement);
    auto& idle = idle_[std::string(sql)];
    if (idle.size() < kIdleStatementsLimit) {
        idle.push_back(statement);
    } else {
        sqlite3_finalize(statement);
    }
}

void Connection::execute(const std::string& sql) {
    const int code = sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) fail_with(code);
}

bool Connection::outside_transaction() const {
    return sqlite3_get_autocommit(database_) != 0;
}

void Connection::rollback_if_open() noexcept {
    if (!outside_transaction()) sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
}

std::int64_t Connection::last_insert_rowid() const {
    return sqlite3_last_insert_rowid(database_);
}

void Connection::fail_with(int code) const {
    throw fault_of(code, database_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(database_));
}

}  // namespace storage
