#pragma once

#include "sqlite.h"

#include <memory>
#include <random>
#include <string>

namespace bench {

/// Writes the rows of one message after another, with all that is in them made beforehand or for nothing:
/// what is measured is SQLite.
class RowWriter {
  public:
    virtual ~RowWriter() = default;
    virtual void write() = 0;
};

/// The same rows as the server writes, into a copy of the server's own database: messages of the rooms with
/// the numbers from 1 to `rooms`.
std::unique_ptr<RowWriter> lean_writer(Sqlite& database, std::int64_t rooms);
/// The rows of fat.sql, with as many rooms and people as the server's database has.
std::unique_ptr<RowWriter> fat_writer(Sqlite& database, std::int64_t rooms);

/// Journal, sync and caches as the server's writer has them; checkpoints by SQLite itself when the log has
/// the length at which the server's begin.
void set_pragmas(Sqlite& database);

}  // namespace bench
