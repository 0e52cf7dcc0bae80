#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <base/encoding.h>
#include <base/id.h>

struct sqlite3_stmt;

namespace storage {

class Connection;

/// A prepared statement in use: bind, then step through its rows. Returns to the cache, reset, when it goes.
/// A fault of the database (disk full, corruption) throws storage::Fault, which ends the one job.
class Statement {
  public:
    Statement(Connection& connection, sqlite3_stmt* statement, std::string_view sql);
    ~Statement();
    Statement(Statement&& other) noexcept;
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;
    Statement& operator=(Statement&&) = delete;

    /// Binds the parameters ?1, ?2, … in order. Text is copied. nullptr and empty optionals bind NULL. After
    /// steps it starts the statement over; parameters that are not bound again keep their values.
    template <class... Values>
    Statement& bind(const Values&... values) {
        int index = 0;
        (bind_at(++index, values), ...);
        return *this;
    }
    void bind_at(int index, std::int64_t value);
    void bind_at(int index, int value) { bind_at(index, static_cast<std::int64_t>(value)); }
    void bind_at(int index, unsigned value) { bind_at(index, static_cast<std::int64_t>(value)); }
    void bind_at(int index, bool value) { bind_at(index, static_cast<std::int64_t>(value)); }
    void bind_at(int index, double value);
    void bind_at(int index, std::string_view value);
    void bind_at(int index, const std::string& value) { bind_at(index, std::string_view(value)); }
    void bind_at(int index, const char* value) { bind_at(index, std::string_view(value)); }
    void bind_at(int index, std::span<const std::uint8_t> blob);
    void bind_at(int index, const base::Bytes& blob) { bind_at(index, std::span<const std::uint8_t>(blob)); }
    void bind_at(int index, std::nullptr_t);
    template <class T>
    void bind_at(int index, const std::optional<T>& value) {
        if (value) {
            bind_at(index, *value);
        } else {
            bind_at(index, nullptr);
        }
    }
    template <class Tag>
    void bind_at(int index, const base::TextId<Tag>& id) {
        bind_at(index, std::string_view(id.value));
    }
    template <class Tag>
    void bind_at(int index, base::NumberId<Tag> id) {
        bind_at(index, id.value);
    }

    /// Advances to the next row; false after the last.
    bool step();
    /// Runs a statement that yields no rows; returns the number of rows it changed.
    std::int64_t run();

    // Columns of the current row, from 0. Views are valid until the next step().
    std::int64_t integer(int column) const;
    double real(int column) const;
    std::string_view text(int column) const;
    std::span<const std::uint8_t> blob(int column) const;
    bool is_null(int column) const;
    std::optional<std::int64_t> optional_integer(int column) const;
    std::optional<std::string> optional_text(int column) const;

  private:
    enum class Place : std::uint8_t { before, on_row, after };
    void start_over();
    void check(int code) const;

    Connection* connection_;
    sqlite3_stmt* statement_;
    std::string_view sql_;
    Place place_ = Place::before;
};

/// One transaction (a job's savepoint, or a reader's snapshot). Store functions take `Transaction&` and are
/// synchronous. A read-only one throws storage::Fault on a write. One that the database gave up (disk full,
/// I/O error) throws at every statement from then on: nothing may be written outside of it.
class Transaction {
  public:
    explicit Transaction(Connection& connection);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    /// `sql` must be a string literal or otherwise outlive the connection: it is the key of the statement
    /// cache.
    Statement prepare(std::string_view sql);
    /// Runs SQL text without parameters.
    void execute(std::string_view sql);
    std::int64_t last_insert_rowid() const;
    /// Calls `then` on the I/O thread after the job's group has committed, in commit order; not at all if the
    /// job or the commit fails. For waking waiters and advancing caches.
    void after_commit(std::move_only_function<void()> then);

  private:
    Connection& connection_;
};

}  // namespace storage
