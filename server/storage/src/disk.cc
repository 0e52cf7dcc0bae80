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

/// So much of what is written to the log is gathered at most.
constexpr std::size_t kGatherBytes = 64 << 10;

/// What was written to the log, in one piece from `at` on, and is not in the file yet.
struct Gathered {
    std::int64_t at = 0;
    std::vector<std::uint8_t> bytes;
    std::int64_t end() const { return at + static_cast<std::int64_t>(bytes.size()); }
};

/// What sqlite3_open_v2 gives us memory for. The file beneath lies in memory of its own, since the default
/// VFS may be another at the next opening.
struct File : sqlite3_file {
    sqlite3_file* inner;
    std::vector<std::uint8_t>* page;  ///< of a database file: where its pages are cleaned; else null
    Gathered* gathered;               ///< of a log whose writes are gathered; else null
    const Pace* pace;
    /// Of a database file: where it was written at the pace since its last sync.
    std::vector<sqlite3_int64>* bite;
    bool is_bite_lost;  ///< a sync of it failed
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

/// Makes the pages of a bite be written once more by the next sync.
int write_bite_again(File& file) {
    std::ranges::sort(*file.bite);
    file.bite->erase(std::ranges::unique(*file.bite).begin(), file.bite->end());
    const auto bytes = static_cast<int>(file.page->size());
    for (const sqlite3_int64 offset : *file.bite) {
        int code = file.inner->pMethods->xRead(file.inner, file.page->data(), bytes, offset);
        if (code == SQLITE_OK)
            code = file.inner->pMethods->xWrite(file.inner, file.page->data(), bytes, offset);
        if (code != SQLITE_OK) return code;
    }
    return SQLITE_OK;
}

/// Where a sync fails, the kernel may take the pages for written, and SQLite has counted those of the bite as
/// moved.
int sync_database(File& file, int flags) {
    int code = file.is_bite_lost ? write_bite_again(file) : SQLITE_OK;
    if (code == SQLITE_OK) code = file.inner->pMethods->xSync(file.inner, flags);
    file.is_bite_lost = code != SQLITE_OK && !file.bite->empty();
    if (code == SQLITE_OK) file.bite->clear();
    return code;
}

int sync_bite(File& file) {
    return sync_database(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
}

int keep_pace(File& file, int bytes, sqlite3_int64 offset) {
    if (file.pace == nullptr || file.pace->bite_bytes <= 0) return SQLITE_OK;
    file.bite->push_back(offset);
    if (std::ssize(*file.bite) * bytes < file.pace->bite_bytes) return SQLITE_OK;
    const auto start = std::chrono::steady_clock::now();
    const int code = sync_bite(file);
    if (code == SQLITE_OK) file.pace->after_bite(std::chrono::steady_clock::now() - start);
    return code;
}

int file_close(sqlite3_file* file) {
    File& self = file_of(file);
    const int code = self.inner->pMethods->xClose(self.inner);
    delete self.page;
    delete self.bite;
    delete self.gathered;  // whatever a commit stands on was synced
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
    return code == SQLITE_OK ? keep_pace(self, bytes, offset) : code;
}

int file_sync(sqlite3_file* file, int flags) {
    File& self = file_of(file);
    return self.bite == nullptr ? self.inner->pMethods->xSync(self.inner, flags) : sync_database(self, flags);
}

/// Where that fails it stays gathered: SQLite counts on it until the transaction is rolled back.
int write_gathered(File& file) {
    if (file.gathered == nullptr || file.gathered->bytes.empty()) return SQLITE_OK;
    auto& [at, bytes] = *file.gathered;
    const int code =
        file.inner->pMethods->xWrite(file.inner, bytes.data(), static_cast<int>(bytes.size()), at);
    if (code == SQLITE_OK) bytes.clear();
    return told_full(file, code);
}

/// Frames of a commit are never among what is gathered: whoever reads those needs no room on the disk.
int log_read(sqlite3_file* file, void* data, int bytes, sqlite3_int64 offset) {
    File& self = file_of(file);
    if (self.gathered != nullptr && offset < self.gathered->end() && offset + bytes > self.gathered->at) {
        if (const int code = write_gathered(self); code != SQLITE_OK) return code;
    }
    return self.inner->pMethods->xRead(self.inner, data, bytes, offset);
}

int log_write(sqlite3_file* file, const void* data, int bytes, sqlite3_int64 offset) {
    File& self = file_of(file);
    const auto count = static_cast<std::size_t>(bytes);
    if (self.gathered == nullptr || count > kGatherBytes) return file_write(file, data, bytes, offset);
    Gathered& gathered = *self.gathered;
    if (offset != gathered.end() || gathered.bytes.size() + count > kGatherBytes) {
        if (const int code = write_gathered(self); code != SQLITE_OK) return code;
    }
    if (gathered.bytes.empty()) gathered.at = offset;
    const auto* first = static_cast<const std::uint8_t*>(data);
    gathered.bytes.insert(gathered.bytes.end(), first, first + count);
    return SQLITE_OK;
}

/// A method of a log that first puts into the file what was gathered.
template <auto Method>
struct AfterGathered;
template <class... Arguments, int (*sqlite3_io_methods::*Method)(sqlite3_file*, Arguments...)>
struct AfterGathered<Method> {
    static int call(sqlite3_file* file, Arguments... arguments) {
        const int code = write_gathered(file_of(file));
        return code == SQLITE_OK ? Forward<File, Method>::call(file, arguments...) : code;
    }
};

constexpr sqlite3_io_methods kMethods = [] {
    auto methods = forwarding_methods<File>();
    methods.xClose = file_close;
    methods.xWrite = file_write;
    methods.xSync = file_sync;
    return methods;
}();

constexpr sqlite3_io_methods kLogMethods = [] {
    auto methods = kMethods;
    methods.xRead = log_read;
    methods.xWrite = log_write;
    methods.xTruncate = AfterGathered<&sqlite3_io_methods::xTruncate>::call;
    methods.xSync = AfterGathered<&sqlite3_io_methods::xSync>::call;
    methods.xFileSize = AfterGathered<&sqlite3_io_methods::xFileSize>::call;
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
    if ((flags & SQLITE_OPEN_MAIN_DB) != 0) {
        self.page = new std::vector<std::uint8_t>();
        self.bite = new std::vector<sqlite3_int64>();
    }
    self.pMethods = (flags & SQLITE_OPEN_WAL) != 0 ? &kLogMethods : &kMethods;
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

/// Null where none was opened.
sqlite3_file* database_of(sqlite3* handle) {
    sqlite3_file* file = nullptr;
    const int code =
        sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, static_cast<void*>(&file));
    return code == SQLITE_OK ? file : nullptr;
}

/// Null where none was opened.
sqlite3_file* log_of(sqlite3* handle) {
    sqlite3_file* file = nullptr;
    const int code =
        sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, static_cast<void*>(&file));
    return code == SQLITE_OK && file->pMethods != nullptr ? file : nullptr;
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
    if (sqlite3_file* file = database_of(handle); file != nullptr) file_of(file).pace = pace;
}

int end_bite(sqlite3* handle) {
    sqlite3_file* file = database_of(handle);
    return file == nullptr || file_of(file).bite->empty() ? SQLITE_OK : sync_bite(file_of(file));
}

void gather_log_writes(sqlite3* handle) {
    sqlite3_file* file = log_of(handle);
    // Without it SQLite would fill sectors up with frames that it does not sync.
    const bool overwrites_safely = file != nullptr && (file->pMethods->xDeviceCharacteristics(file) &
                                                       SQLITE_IOCAP_POWERSAFE_OVERWRITE) != 0;
    if (!overwrites_safely || file->pMethods != &kLogMethods) return;
    file_of(file).gathered = new Gathered();
    file_of(file).gathered->bytes.reserve(kGatherBytes);
}

void forget_gathered(sqlite3* handle) {
    sqlite3_file* file = log_of(handle);
    if (file == nullptr || file->pMethods != &kLogMethods) return;
    if (Gathered* gathered = file_of(file).gathered; gathered != nullptr) gathered->bytes.clear();
}

bool nobody_reads(sqlite3* handle) {
    // As the start of a new log asks it. https://www.sqlite.org/walformat.html#wal_locks
    constexpr int kFirstReadLock = 3;
    constexpr int kReadLocks = 5;
    sqlite3_file* file = database_of(handle);
    const auto lock = [file](int how) {
        return file->pMethods->xShmLock(file, kFirstReadLock, kReadLocks, how | SQLITE_SHM_EXCLUSIVE);
    };
    const int code = lock(SQLITE_SHM_LOCK);
    if (code == SQLITE_OK) lock(SQLITE_SHM_UNLOCK);
    return code != SQLITE_BUSY;
}

LogFile::LogFile(sqlite3* handle) : file_(log_of(handle)) {}

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
