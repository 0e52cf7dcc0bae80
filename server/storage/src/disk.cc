#include "disk.h"

#include "page_residue.h"
#include "vfs_forward.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

#include <sqlite3.h>

namespace storage {

namespace {

constexpr const char* kName = "lingxi";
constexpr std::size_t kFirstPageHeaderAt = 100;
/// The header of a log and that of its first frame: within one sector.
/// https://www.sqlite.org/fileformat2.html#wal_file_format
constexpr std::int64_t kLogHeadBytes = 32 + 24;

/// What sqlite3_open_v2 gives us memory for. The file beneath lies in memory of its own, since the default
/// VFS may be another at the next opening.
struct File : sqlite3_file {
    sqlite3_file* inner;
    std::vector<std::uint8_t>* page;  ///< of a database file: where its pages are cleaned; else null
    const Pace* pace;
    std::int64_t bite;  ///< bytes since the last sync of the pace
};

File& file_of(sqlite3_file* file) {
    return *static_cast<File*>(file);
}

sqlite3_vfs* beneath() {
    return sqlite3_vfs_find(nullptr);
}

/// Writes of whole pages only; anything else SQLite never does to a database in WAL mode but for its header.
int write_page(File& file, const void* data, int bytes, sqlite3_int64 offset) {
    const auto* first = static_cast<const std::uint8_t*>(data);
    file.page->assign(first, first + bytes);
    clear_residue(*file.page, offset == 0 ? kFirstPageHeaderAt : 0);
    return file.inner->pMethods->xWrite(file.inner, file.page->data(), bytes, offset);
}

int keep_pace(File& file, int bytes) {
    if (file.pace == nullptr || file.pace->bite_bytes <= 0) return SQLITE_OK;
    file.bite += bytes;
    if (file.bite < file.pace->bite_bytes) return SQLITE_OK;
    file.bite = 0;
    const auto start = std::chrono::steady_clock::now();
    const int code = file.inner->pMethods->xSync(file.inner, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
    if (code == SQLITE_OK) file.pace->after_bite(std::chrono::steady_clock::now() - start);
    return code;
}

int file_close(sqlite3_file* file) {
    File& self = file_of(file);
    const int code = self.inner->pMethods->xClose(self.inner);
    delete self.page;
    sqlite3_free(self.inner);
    return code;
}

/// SQLite knows only ENOSPC for a full disk: a quota and a limit of the file's size are one to us, too.
int told_full(File& file, int code) {
    if (code != SQLITE_IOERR_WRITE) return code;
    int number = 0;
    file.inner->pMethods->xFileControl(file.inner, SQLITE_FCNTL_LAST_ERRNO, &number);
    return number == EFBIG || number == EDQUOT ? SQLITE_FULL : code;
}

int file_write(sqlite3_file* file, const void* data, int bytes, sqlite3_int64 offset) {
    File& self = file_of(file);
    if (self.page == nullptr || bytes < 512) {
        return told_full(self, self.inner->pMethods->xWrite(self.inner, data, bytes, offset));
    }
    const int code = told_full(self, write_page(self, data, bytes, offset));
    return code == SQLITE_OK ? keep_pace(self, bytes) : code;
}

constexpr sqlite3_io_methods kMethods = [] {
    auto methods = forwarding_methods<File>();
    methods.xClose = file_close;
    methods.xWrite = file_write;
    return methods;
}();

int vfs_open(sqlite3_vfs* /*vfs*/, const char* name, sqlite3_file* file, int flags, int* out_flags) {
    File& self = *new (file) File{};
    sqlite3_vfs* vfs = beneath();
    self.inner = static_cast<sqlite3_file*>(sqlite3_malloc(vfs->szOsFile));
    if (self.inner == nullptr) return SQLITE_NOMEM;
    std::memset(self.inner, 0, static_cast<std::size_t>(vfs->szOsFile));
    const int code = vfs->xOpen(vfs, name, self.inner, flags, out_flags);
    if (self.inner->pMethods == nullptr) {  // SQLite calls no method of a file without them
        sqlite3_free(self.inner);
        return code;
    }
    if ((flags & SQLITE_OPEN_MAIN_DB) != 0) self.page = new std::vector<std::uint8_t>();
    self.pMethods = &kMethods;
    return code;
}

int vfs_delete(sqlite3_vfs* /*vfs*/, const char* name, int sync_directory) {
    return beneath()->xDelete(beneath(), name, sync_directory);
}
int vfs_access(sqlite3_vfs* /*vfs*/, const char* name, int flags, int* result) {
    return beneath()->xAccess(beneath(), name, flags, result);
}
int vfs_full_pathname(sqlite3_vfs* /*vfs*/, const char* name, int bytes, char* out) {
    return beneath()->xFullPathname(beneath(), name, bytes, out);
}
int vfs_randomness(sqlite3_vfs* /*vfs*/, int bytes, char* out) {
    return beneath()->xRandomness(beneath(), bytes, out);
}
int vfs_sleep(sqlite3_vfs* /*vfs*/, int microseconds) {
    return beneath()->xSleep(beneath(), microseconds);
}
int vfs_current_time(sqlite3_vfs* /*vfs*/, double* julian_day) {
    return beneath()->xCurrentTime(beneath(), julian_day);
}
int vfs_last_error(sqlite3_vfs* /*vfs*/, int bytes, char* out) {
    return beneath()->xGetLastError(beneath(), bytes, out);
}
int vfs_current_time_ms(sqlite3_vfs* /*vfs*/, sqlite3_int64* julian_ms) {
    return beneath()->xCurrentTimeInt64(beneath(), julian_ms);
}

}  // namespace

const char* disk_vfs() {
    static sqlite3_vfs vfs{
        .iVersion = 2,
        .szOsFile = sizeof(File),
        .mxPathname = 1024,
        .zName = kName,
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_pathname,
        .xRandomness = vfs_randomness,
        .xSleep = vfs_sleep,
        .xCurrentTime = vfs_current_time,
        .xGetLastError = vfs_last_error,
        .xCurrentTimeInt64 = vfs_current_time_ms,
    };
    static std::once_flag once;
    std::call_once(once, [] { sqlite3_vfs_register(&vfs, 0); });
    return kName;
}

void set_pace(sqlite3* handle, const Pace* pace) {
    sqlite3_file* file = nullptr;
    if (sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, static_cast<void*>(&file)) ==
        SQLITE_OK) {
        file_of(file).pace = pace;
    }
}

LogFile::LogFile(sqlite3* handle) {
    if (sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, static_cast<void*>(&file_)) !=
            SQLITE_OK ||
        file_->pMethods == nullptr) {
        file_ = nullptr;
    }
}

int LogFile::size(std::int64_t& bytes) {
    sqlite3_int64 size = 0;
    const int code = file_ == nullptr ? SQLITE_OK : file_->pMethods->xFileSize(file_, &size);
    bytes = size;
    return code;
}

int LogFile::fill_with_zeros(std::int64_t from, std::int64_t to) {
    static constexpr std::array<std::uint8_t, 65536> kZeros{};
    while (from < to) {
        const auto bytes = static_cast<int>(std::min<std::int64_t>(to - from, kZeros.size()));
        if (const int code = file_->pMethods->xWrite(file_, kZeros.data(), bytes, from); code != SQLITE_OK) {
            return code;
        }
        from += bytes;
    }
    return SQLITE_OK;
}

int LogFile::sync() {
    return file_->pMethods->xSync(file_, SQLITE_SYNC_NORMAL);
}

int LogFile::truncate(std::int64_t bytes) {
    return file_->pMethods->xTruncate(file_, bytes);
}

int LogFile::invalidate() {
    std::int64_t bytes = 0;
    if (const int code = size(bytes); code != SQLITE_OK || bytes == 0) return code;
    const int code = fill_with_zeros(0, std::min(bytes, kLogHeadBytes));
    return code == SQLITE_OK ? sync() : code;
}

}  // namespace storage
