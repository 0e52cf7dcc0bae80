#include "fault.h"

#include <cerrno>
#include <cstring>

#include <base/log.h>
#include <sqlite3.h>

namespace storage {

namespace {

using base::ErrorKind;

struct Meaning {
    ErrorKind kind;
    const char* code;
    const char* words;
};

constexpr Meaning kDiskFull{ErrorKind::unavailable, "storage.disk_full", "The disk is full"};
constexpr Meaning kReadOnly{ErrorKind::unavailable, "storage.read_only", "The database cannot be written to"};
constexpr Meaning kCorrupt{ErrorKind::internal, "storage.corrupt", "The database file is damaged"};
constexpr Meaning kIo{ErrorKind::unavailable, "storage.io", "The disk reported an error"};
constexpr Meaning kBusy{ErrorKind::unavailable, "storage.busy", "The database is busy"};
constexpr Meaning kConstraint{ErrorKind::conflict, "storage.constraint", "It contradicts what is stored"};
constexpr Meaning kTooLarge{ErrorKind::too_large, "storage.too_large", "A value is too large to store"};
constexpr Meaning kTimeout{ErrorKind::timeout, "storage.timeout", "Reading took too long"};
constexpr Meaning kInternal{ErrorKind::internal, "storage.internal", "The database refused a statement"};

Meaning meaning_of_errno(int number) {
    switch (number) {
        case ENOSPC:
        case EDQUOT:
        case EFBIG:
            return kDiskFull;
        case EROFS:
        case EACCES:
        case EPERM:
            return kReadOnly;
        default:
            return kIo;
    }
}

Meaning meaning_of(sqlite3* handle, int code) {
    switch (code & 0xff) {
        case SQLITE_FULL:
            return kDiskFull;
        case SQLITE_READONLY:
            return kReadOnly;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return kCorrupt;
        case SQLITE_IOERR:
            if (code == SQLITE_IOERR_CORRUPTFS || code == SQLITE_IOERR_DATA) return kCorrupt;
            if (code == SQLITE_IOERR_NOMEM) return kInternal;
            return meaning_of_errno(handle != nullptr ? sqlite3_system_errno(handle) : EIO);
        case SQLITE_CANTOPEN:
            return meaning_of_errno(handle != nullptr ? sqlite3_system_errno(handle) : EIO);
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_PROTOCOL:
            return kBusy;
        case SQLITE_CONSTRAINT:
            return kConstraint;
        case SQLITE_TOOBIG:
            return kTooLarge;
        case SQLITE_INTERRUPT:
            return kTimeout;
        default:
            return kInternal;
    }
}

}  // namespace

Fault fault_of(sqlite3* handle, int code, std::string_view doing) {
    const Meaning meaning = meaning_of(handle, code);
    std::string message = meaning.words;
    message += " (";
    message += doing;
    message += ": ";
    message += handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
    message += ", SQLite ";
    message += std::to_string(code);
    message += ").";
    return {meaning.kind, meaning.code, message};
}

base::Error error_of_errno(int number, std::string_view doing) {
    const Meaning meaning = meaning_of_errno(number);
    std::string message = meaning.words;
    message += " (";
    message += doing;
    message += ": ";
    message += std::strerror(number);
    message += ").";
    return {meaning.kind, meaning.code, std::move(message)};
}

base::Error error_of(const Fault& fault) {
    return {fault.kind, fault.code, fault.what()};
}

base::Error error_of_current_exception() {
    try {
        throw;
    } catch (const Fault& fault) {
        if (fault.kind == ErrorKind::internal) {
            base::log_error("storage.job_fault", {{"code", fault.code}, {"what", fault.what()}});
        }
        return error_of(fault);
    } catch (const std::exception& error) {
        base::log_error("storage.job_fault", {{"code", "storage.internal"}, {"what", error.what()}});
        return {ErrorKind::internal, "storage.internal", error.what()};
    } catch (...) {  // a thread of ours must not end because a job threw something odd
        base::log_error("storage.job_fault", {{"code", "storage.internal"}, {"what", "not an exception"}});
        return {ErrorKind::internal, "storage.internal", "A job failed for an unknown reason."};
    }
}

}  // namespace storage
