#pragma once

#include <string>

#include <base/result.h>
#include <storage/database.h>

struct sqlite3;

namespace storage {

/// What the error `code` of SQLite means here. `handle` (may be null) adds the system's errno and a message.
/// Messages name tables and columns, never values.
Fault fault_of(sqlite3* handle, int code, std::string_view doing);

/// What a failed system call on a file of the database means here.
base::Error error_of_errno(int number, std::string_view doing);

base::Error error_of(const Fault& fault);

/// The exception that is being handled, as an Error; logs what is not a Fault.
base::Error error_of_current_exception();

}  // namespace storage
