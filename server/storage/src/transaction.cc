#include "connection.h"
#include "fault.h"

#include <utility>

#include <sqlite3.h>
#include <storage/transaction.h>

namespace storage {

Statement::Statement(Connection& connection, sqlite3_stmt* statement, std::string_view sql)
    : connection_(&connection), statement_(statement), sql_(sql) {}

Statement::~Statement() {
    if (statement_ != nullptr) connection_->give_back(statement_, sql_);
}

Statement::Statement(Statement&& other) noexcept
    : connection_(other.connection_),
      statement_(std::exchange(other.statement_, nullptr)),
      sql_(other.sql_),
      place_(other.place_) {}

void Statement::start_over() {
    if (place_ == Place::before) return;
    sqlite3_reset(statement_);
    place_ = Place::before;
}

void Statement::check(int code) const {
    if (code != SQLITE_OK) connection_->raise(code, "bind");
}

void Statement::bind_at(int index, std::int64_t value) {
    start_over();
    check(sqlite3_bind_int64(statement_, index, value));
}

void Statement::bind_at(int index, double value) {
    start_over();
    check(sqlite3_bind_double(statement_, index, value));
}

void Statement::bind_at(int index, std::string_view value) {
    start_over();
    // An empty view may point nowhere, which SQLite would take for NULL.
    const char* data = value.data() != nullptr ? value.data() : "";
    check(sqlite3_bind_text64(statement_, index, data, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

void Statement::bind_at(int index, std::span<const std::uint8_t> blob) {
    start_over();
    if (blob.empty()) {
        check(sqlite3_bind_zeroblob(statement_, index, 0));
    } else {
        check(sqlite3_bind_blob64(statement_, index, blob.data(), blob.size(), SQLITE_TRANSIENT));
    }
}

void Statement::bind_at(int index, std::nullptr_t) {
    start_over();
    check(sqlite3_bind_null(statement_, index));
}

bool Statement::step() {
    if (place_ == Place::after) return false;
    if (place_ == Place::before) connection_->require_transaction();
    const int code = sqlite3_step(statement_);
    place_ = Place::on_row;
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) connection_->raise(code, "step");
    place_ = Place::after;
    return false;
}

std::int64_t Statement::run() {
    start_over();
    while (step()) {
    }
    const std::int64_t changed = sqlite3_changes64(connection_->handle());
    start_over();
    return changed;
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(statement_, column);
}

double Statement::real(int column) const {
    return sqlite3_column_double(statement_, column);
}

std::string_view Statement::text(int column) const {
    const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    if (data == nullptr) return {};
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::span<const std::uint8_t> Statement::blob(int column) const {
    const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
    if (data == nullptr) return {};
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

bool Statement::is_null(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::optional<std::int64_t> Statement::optional_integer(int column) const {
    if (is_null(column)) return std::nullopt;
    return integer(column);
}

std::optional<std::string> Statement::optional_text(int column) const {
    if (is_null(column)) return std::nullopt;
    return std::string(text(column));
}

Transaction::Transaction(Connection& connection) : connection_(connection) {
    connection_.job_begins();
}

Transaction::~Transaction() {
    connection_.job_ends();
}

Statement Transaction::prepare(std::string_view sql) {
    return connection_.prepare(sql);
}

void Transaction::execute(std::string_view sql) {
    connection_.require_transaction();
    connection_.execute(sql);
}

std::int64_t Transaction::last_insert_rowid() const {
    return sqlite3_last_insert_rowid(connection_.handle());
}

void Transaction::after_commit(std::move_only_function<void()> then) {
    if (connection_.role() == Connection::Role::reader) {
        throw Fault(base::ErrorKind::internal, "storage.internal", "A read job commits nothing.");
    }
    connection_.after_commit(std::move(then));
}

}  // namespace storage
