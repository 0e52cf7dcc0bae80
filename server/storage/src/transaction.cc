#include "connection.h"

#include <stdexcept>
#include <utility>

#include <sqlite3.h>
#include <storage/transaction.h>

namespace storage {

Statement::Statement(Connection& connection, sqlite3_stmt* statement, std::string_view sql)
    : connection_(&connection), statement_(statement), sql_(sql) {}

Statement::~Statement() {
    if (statement_ != nullptr) connection_->release(statement_, sql_);
}

Statement::Statement(Statement&& other) noexcept
    : connection_(other.connection_),
      statement_(std::exchange(other.statement_, nullptr)),
      sql_(other.sql_) {}

void Statement::bind_at(int index, std::int64_t value) {
    if (const int code = sqlite3_bind_int64(statement_, index, value); code != SQLITE_OK)
        connection_->fail_with(code);
}

void Statement::bind_at(int index, double value) {
    if (const int code = sqlite3_bind_double(statement_, index, value); code != SQLITE_OK)
        connection_->fail_with(code);
}

void Statement::bind_at(int index, std::string_view value) {
    // A null data pointer would bind NULL; an empty text is not NULL.
    const char* data = value.data() == nullptr ? "" : value.data();
    const int code =
        sqlite3_bind_text64(statement_, index, data, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    if (code != SQLITE_OK) connection_->fail_with(code);
}

void Statement::bind_at(int index, std::span<const std::uint8_t> blob) {
    const void* data = blob.data() == nullptr ? static_cast<const void*>("") : blob.data();
    const int code = sqlite3_bind_blob64(statement_, index, data, blob.size(), SQLITE_TRANSIENT);
    if (code != SQLITE_OK) connection_->fail_with(code);
}

void Statement::bind_at(int index, std::nullptr_t) {
    if (const int code = sqlite3_bind_null(statement_, index); code != SQLITE_OK)
        connection_->fail_with(code);
}

bool Statement::step() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    connection_->fail_with(code);
}

std::int64_t Statement::run() {
    while (step()) {
    }
    const std::int64_t changes = sqlite3_changes64(connection_->handle());
    sqlite3_reset(statement_);
    return changes;
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(statement_, column);
}
double Statement::real(int column) const {
    return sqlite3_column_double(statement_, column);
}

std::string_view Statement::text(int column) const {
    const auto* data = sqlite3_column_text(statement_, column);
    if (data == nullptr) return {};
    return {reinterpret_cast<const char*>(data),
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::span<const std::uint8_t> Statement::blob(int column) const {
    const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
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

Statement Transaction::prepare(std::string_view sql) {
    return {connection_, connection_.acquire(sql), sql};
}

void Transaction::execute(std::string_view sql) {
    connection_.execute(std::string(sql));
}

std::int64_t Transaction::last_insert_rowid() const {
    return connection_.last_insert_rowid();
}

void Transaction::after_commit(std::move_only_function<void()> then) {
    if (connection_.mode() == Connection::Mode::read) throw std::logic_error("a read job has no commit");
    connection_.after_commit.push_back(std::move(then));
}

}  // namespace storage
