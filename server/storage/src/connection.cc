#include "connection.h"

#include "disk.h"
#include "fault.h"
#include "page_residue.h"

#include <mutex>
#include <utility>

#include <sqlite3.h>

namespace storage {

namespace {

/// Far above what one program's literals need; it bounds SQL text that is built at run time.
constexpr std::size_t kStatementLimit = 1024;
/// How long a connection waits for another one's lock. Only checkpoints ever make it wait.
constexpr int kBusyTimeoutMs = 10'000;
/// Virtual machine instructions between two looks at the clock: about 0.1 ms.
constexpr int kInstructionsPerLook = 10'000;
/// An interrupt that was meant for the statement before may hit a ROLLBACK; the next comes 10 ms later.
constexpr int kRollBackAttempts = 100;
/// Small enough to keep a row's dirty bytes few, large enough for the fan-out of the big indexes.
constexpr int kPageSizeBytes = 4096;

void initialise_sqlite() {
    static std::once_flag once;
    std::call_once(once, [] {
        // Its allocation statistics are kept under one mutex, which readers and the writer would meet at.
        sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
        sqlite3_initialize();
    });
}

}  // namespace

base::Result<std::unique_ptr<Connection>> Connection::open(const Options& options) {
    initialise_sqlite();
    sqlite3* handle = nullptr;
    const int code =
        sqlite3_open_v2(std::filesystem::absolute(options.path).c_str(), &handle,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, disk_vfs());
    if (code != SQLITE_OK) {
        const Fault fault = fault_of(handle, code, "open");
        sqlite3_close_v2(handle);
        return base::fail(error_of(fault));
    }
    std::unique_ptr<Connection> connection(new Connection(handle, options.role));
    try {
        connection->configure(options);
    } catch (const Fault& fault) {
        return base::fail(error_of(fault));
    }
    return connection;
}

void Connection::configure(const Options& options) {
    sqlite3_extended_result_codes(handle_, 1);
    sqlite3_busy_timeout(handle_, kBusyTimeoutMs);
    // A misspelt column in double quotes is an error, not a text; the schema is no place for tricks.
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    // A log goes only once it was overwritten, never with a start that failed.
    keep_log_at_close(true);

    if (sqlite3_db_readonly(handle_, "main") == 1) {
        throw Fault(base::ErrorKind::unavailable, "storage.read_only",
                    "The database file cannot be written to.");
    }
    execute("PRAGMA page_size = " + std::to_string(kPageSizeBytes));  // of a new file only
    // The way into WAL mode uses a rollback journal; one that came back after a power cut would undo all
    // since. EXTRA syncs the directory after its removal.
    execute("PRAGMA synchronous = EXTRA");
    execute("PRAGMA journal_mode = WAL");
    // Acknowledged means durable: every commit syncs the WAL.
    execute(role_ == Role::test ? "PRAGMA synchronous = OFF" : "PRAGMA synchronous = FULL");
    execute("PRAGMA max_page_count = " + std::to_string(kPageCountLimit));
    // What is deleted is overwritten with zeros, in pages of the free list too (what that leaves: disk.h).
    execute("PRAGMA secure_delete = ON");
    // No words of people in temporary files; and the journal of a job's savepoint costs no write.
    execute("PRAGMA temp_store = MEMORY");
    execute("PRAGMA foreign_keys = ON");
    execute("PRAGMA cell_size_check = ON");    // damage is noticed before it spreads
    execute("PRAGMA wal_autocheckpoint = 0");  // the checkpointer's work, never a commit's
    execute("PRAGMA cache_size = -" + std::to_string(options.cache_kib));
    if (role_ == Role::reader) execute("PRAGMA query_only = ON");

    job_limit_ = options.statement_limit;
    if (job_limit_.count() > 0) {
        sqlite3_progress_handler(
            handle_, kInstructionsPerLook,
            [](void* self) {
                const auto& connection = *static_cast<const Connection*>(self);
                return std::chrono::steady_clock::now() > connection.job_deadline_ ? 1 : 0;
            },
            this);
        start_clock();
    }
}

Connection::~Connection() {
    for (const Cached& cached : recent_) sqlite3_finalize(cached.statement);
    sqlite3_close_v2(handle_);
}

void Connection::raise(int code, std::string_view doing) const {
    Fault fault = fault_of(handle_, code, doing);
    if (role_ == Role::reader && fault.code == "storage.read_only") {
        // The disk is not at fault: a read job tried to write.
        fault.kind = base::ErrorKind::internal;
    }
    throw fault;
}

sqlite3_stmt* Connection::compile(std::string_view sql) const {
    sqlite3_stmt* statement = nullptr;
    const char* rest = nullptr;
    const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, &rest);
    if (code != SQLITE_OK) raise(code, "prepare");
    if (statement == nullptr) {
        throw Fault(base::ErrorKind::internal, "storage.internal", "An empty statement was prepared.");
    }
    const std::string_view unread(rest, static_cast<std::size_t>(sql.data() + sql.size() - rest));
    if (unread.find_first_not_of(" \t\r\n;") != std::string_view::npos) {
        sqlite3_finalize(statement);
        throw Fault(base::ErrorKind::internal, "storage.internal", "prepare() takes one statement.");
    }
    return statement;
}

Statement Connection::prepare(std::string_view sql) {
    const Key key{sql.data(), sql.size()};
    const auto found = cache_.find(key);
    if (found == cache_.end()) {
        sqlite3_stmt* statement = compile(sql);
        trim_cache();
        recent_.push_front({key, std::string(sql), nullptr});
        cache_.emplace(key, recent_.begin());
        return {*this, statement, sql};
    }
    Cached& cached = *found->second;
    recent_.splice(recent_.begin(), recent_, found->second);
    if (cached.statement == nullptr) return {*this, compile(sql), sql};  // the same text twice at once
    sqlite3_stmt* statement = std::exchange(cached.statement, nullptr);
    if (cached.text != sql) {
        sqlite3_finalize(statement);
        statement = compile(sql);
        cached.text = sql;
    }
    return {*this, statement, sql};
}

void Connection::give_back(sqlite3_stmt* statement, std::string_view sql) {
    sqlite3_reset(statement);  // repeats the code of the last step, which was thrown there
    const auto found = cache_.find({sql.data(), sql.size()});
    if (found == cache_.end() || found->second->statement != nullptr || found->second->text != sql) {
        sqlite3_finalize(statement);
        return;
    }
    sqlite3_clear_bindings(statement);  // no words of people beyond their job
    found->second->statement = statement;
}

void Connection::trim_cache() {
    while (cache_.size() >= kStatementLimit) {
        const Cached& oldest = recent_.back();
        sqlite3_finalize(oldest.statement);
        cache_.erase(oldest.key);
        recent_.pop_back();
    }
}

void Connection::execute(std::string_view sql) {
    const std::string text(sql);
    const int code = sqlite3_exec(handle_, text.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) raise(sqlite3_extended_errcode(handle_), "execute");
}

bool Connection::in_transaction() const {
    return sqlite3_get_autocommit(handle_) == 0;
}

void Connection::require_transaction() const {
    if (!runs_job_ || in_transaction()) return;
    throw Fault(base::ErrorKind::unavailable, "storage.rolled_back",
                "The database gave this job's transaction up.");
}

void Connection::roll_back() {
    for (int attempt = 1; in_transaction(); ++attempt) {
        const int code = sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
        if (code == SQLITE_INTERRUPT && attempt < kRollBackAttempts) continue;
        if (code != SQLITE_OK) raise(code, "roll back");
    }
    forget_gathered(handle_);
}

void Connection::start_clock() {
    job_deadline_ = std::chrono::steady_clock::now() + job_limit_;
}

void Connection::interrupt() {
    sqlite3_interrupt(handle_);
}

void Connection::keep_log_at_close(bool keep) {
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep ? 1 : 0, nullptr);
}

std::optional<std::int64_t> Connection::lock_writes() {
    sqlite3_busy_timeout(handle_, 0);
    std::optional<std::int64_t> version;
    try {
        prepare("BEGIN IMMEDIATE").run();
        auto row = prepare("PRAGMA data_version");
        row.step();
        version = row.integer(0);
    } catch (const Fault&) {  // where it is the disk, the next commit will say so
        roll_back();
    }
    sqlite3_busy_timeout(handle_, kBusyTimeoutMs);
    return version;
}

void Connection::forget_pages() {
    sqlite3_db_release_memory(handle_);
}

int Connection::checkpoint(int mode, int* frames_in_wal, int* frames_moved) {
    sqlite3_busy_timeout(handle_, 0);
    const int code = sqlite3_wal_checkpoint_v2(handle_, "main", mode, frames_in_wal, frames_moved);
    sqlite3_busy_timeout(handle_, kBusyTimeoutMs);
    return code;
}

}  // namespace storage
