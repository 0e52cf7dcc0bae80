#include "test_disk.h"

#include "vfs_forward.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <new>
#include <random>

namespace storage::test {

namespace {

constexpr std::size_t kSectorBytes = 512;

bool is_shared_memory_free(int flags) {
    return (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
}

std::string content_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void put(std::string& content, std::size_t offset, std::string_view bytes) {
    if (content.size() < offset + bytes.size()) content.resize(offset + bytes.size(), '\0');
    content.replace(offset, bytes.size(), bytes);
}

/// Each sector of a write by itself comes to the disk or does not.
void put_some_sectors(std::string& content, std::size_t offset, std::string_view bytes,
                      std::mt19937_64& luck) {
    for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t to_sector_end = kSectorBytes - (offset + at) % kSectorBytes;
        const std::string_view part = bytes.substr(at, to_sector_end);
        if (luck() % 2 == 0) put(content, offset + at, part);
        at += part.size();
    }
}

int failure(int number, int code) {
    errno = number;
    return code;
}

}  // namespace

struct TestDisk::File : sqlite3_file {
    sqlite3_file* inner;
    TestDisk* disk;
    const std::string* path;  ///< null: not a file whose fate is followed
};

struct TestDisk::Methods {
    static File& file_of(sqlite3_file* file) { return *static_cast<File*>(file); }

    static int close(sqlite3_file* file) {
        File& self = file_of(file);
        const int code = self.inner->pMethods->xClose(self.inner);
        sqlite3_free(self.inner);
        delete self.path;
        return code;
    }

    static int write(sqlite3_file* file, const void* data, int bytes, sqlite3_int64 offset) {
        File& self = file_of(file);
        TestDisk& disk = *self.disk;
        if (self.path == nullptr) return self.inner->pMethods->xWrite(self.inner, data, bytes, offset);
        const std::lock_guard lock(disk.mutex_);
        sqlite3_int64 size = 0;
        self.inner->pMethods->xFileSize(self.inner, &size);
        if (const int code = disk.begin(*self.path, true, std::max<std::int64_t>(0, offset + bytes - size));
            code != SQLITE_OK) {
            return code;
        }
        disk.images_[*self.path].pending.push_back(
            {offset, std::string(static_cast<const char*>(data), static_cast<std::size_t>(bytes))});
        return self.inner->pMethods->xWrite(self.inner, data, bytes, offset);
    }

    static int truncate(sqlite3_file* file, sqlite3_int64 bytes) {
        File& self = file_of(file);
        TestDisk& disk = *self.disk;
        if (self.path == nullptr) return self.inner->pMethods->xTruncate(self.inner, bytes);
        const std::lock_guard lock(disk.mutex_);
        if (const int code = disk.begin(*self.path, false, 0); code != SQLITE_OK) return code;
        disk.images_[*self.path].pending.push_back({bytes, {}, true});
        return self.inner->pMethods->xTruncate(self.inner, bytes);
    }

    static int sync(sqlite3_file* file, int flags) {
        File& self = file_of(file);
        TestDisk& disk = *self.disk;
        if (self.path == nullptr) return self.inner->pMethods->xSync(self.inner, flags);
        std::unique_lock lock(disk.mutex_);
        ++disk.held_syncs_;
        disk.released_.wait(lock, [&disk, &self] {
            return disk.held_suffix_.empty() || !self.path->ends_with(disk.held_suffix_) ||
                   disk.opened_last_[*self.path] != &self;
        });
        --disk.held_syncs_;
        if (const int code = disk.begin(*self.path, false, 0); code != SQLITE_OK) return code;
        if (disk.lies_) return SQLITE_OK;
        Image& image = disk.images_[*self.path];
        if (!disk.lost_suffix_.empty() && self.path->ends_with(disk.lost_suffix_)) {
            image.pending.clear();
            ++disk.lost_syncs_;
            return failure(EIO, SQLITE_IOERR_FSYNC);
        }
        for (const Change& change : image.pending) {
            const auto offset = static_cast<std::size_t>(change.offset);
            if (change.is_truncation) {
                image.durable.resize(offset, '\0');
            } else {
                put(image.durable, offset, change.bytes);
            }
        }
        image.pending.clear();
        image.is_entered = true;
        return SQLITE_OK;  // the test's own machine keeps its power: nothing is to be waited for
    }

    static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
        auto& disk = *static_cast<TestDisk*>(vfs->pAppData);
        File& self = *new (file) File{};
        self.disk = &disk;
        self.inner = static_cast<sqlite3_file*>(sqlite3_malloc(disk.beneath_->szOsFile));
        std::memset(self.inner, 0, static_cast<std::size_t>(disk.beneath_->szOsFile));
        const bool existed = name != nullptr && std::filesystem::exists(name);
        if (!existed && disk.is_cut()) {
            sqlite3_free(self.inner);
            return failure(EIO, SQLITE_CANTOPEN);
        }
        const int code = disk.beneath_->xOpen(disk.beneath_, name, self.inner, flags, out_flags);
        if (self.inner->pMethods == nullptr) {
            sqlite3_free(self.inner);
            return code;
        }
        if (name != nullptr && is_shared_memory_free(flags)) {
            self.path = new std::string(name);
            disk.opened(*self.path, existed);
            const std::lock_guard lock(disk.mutex_);
            disk.opened_last_[*self.path] = &self;
        }
        static constexpr sqlite3_io_methods kMethods = [] {
            auto methods = forwarding_methods<File>();
            methods.xClose = close;
            methods.xWrite = write;
            methods.xTruncate = truncate;
            methods.xSync = sync;
            return methods;
        }();
        self.pMethods = &kMethods;
        return code;
    }

    static int remove(sqlite3_vfs* vfs, const char* name, int sync_directory) {
        auto& disk = *static_cast<TestDisk*>(vfs->pAppData);
        const std::lock_guard lock(disk.mutex_);
        if (const int code = disk.begin(name, false, 0); code != SQLITE_OK) return code;
        disk.images_[name].is_removed = true;
        if (sync_directory != 0) disk.images_.erase(name);
        return disk.beneath_->xDelete(disk.beneath_, name, 0);
    }
};

TestDisk::TestDisk() : beneath_(sqlite3_vfs_find(nullptr)) {
    vfs_ = *beneath_;
    vfs_.iVersion = 2;
    vfs_.pNext = nullptr;
    vfs_.szOsFile = sizeof(File);
    vfs_.zName = "test-disk";
    vfs_.pAppData = this;
    vfs_.xOpen = Methods::open;
    vfs_.xDelete = Methods::remove;
    sqlite3_vfs_register(&vfs_, 1);
}

TestDisk::~TestDisk() {
    sqlite3_vfs_unregister(&vfs_);
    sqlite3_vfs_register(beneath_, 1);
}

void TestDisk::opened(const std::string& path, bool existed) {
    const std::lock_guard lock(mutex_);
    const auto [place, is_new] = images_.try_emplace(path);
    Image& image = place->second;
    if (is_new && existed) {
        image.durable = content_of(path);
        image.is_entered = true;
    }
    if (!is_new && !existed) image = {};  // removed and made anew
}

/// Whether an operation may happen; counts it. The mutex is held.
int TestDisk::begin(const std::string& path, bool counts_growth, std::int64_t growth) {
    ++operations_;
    if (cut_at_ != 0 && operations_ >= cut_at_) is_cut_ = true;
    if (is_cut_) return failure(EIO, SQLITE_IOERR);
    if (!broken_suffix_.empty() && path.ends_with(broken_suffix_)) return failure(EIO, SQLITE_IOERR);
    if (!counts_growth || room_ < 0) return SQLITE_OK;
    if (growth > room_) return failure(ENOSPC, SQLITE_FULL);
    room_ -= growth;
    return SQLITE_OK;
}

void TestDisk::leave_room(std::int64_t bytes) {
    const std::lock_guard lock(mutex_);
    room_ = bytes;
}

void TestDisk::break_files(std::string_view suffix) {
    const std::lock_guard lock(mutex_);
    broken_suffix_ = suffix;
}

void TestDisk::hold_syncs(std::string_view suffix) {
    const std::lock_guard lock(mutex_);
    held_suffix_ = suffix;
    released_.notify_all();
}

bool TestDisk::holds_a_sync() const {
    const std::lock_guard lock(mutex_);
    return held_syncs_ > 0;
}

bool TestDisk::is_dirty(std::string_view suffix) const {
    const std::lock_guard lock(mutex_);
    return std::ranges::any_of(images_, [suffix](const auto& entry) {
        return entry.first.ends_with(suffix) && !entry.second.pending.empty();
    });
}

void TestDisk::lose_syncs(std::string_view suffix) {
    const std::lock_guard lock(mutex_);
    lost_suffix_ = suffix;
}

int TestDisk::lost_syncs() const {
    const std::lock_guard lock(mutex_);
    return lost_syncs_;
}

void TestDisk::cut_after(std::uint64_t operations) {
    const std::lock_guard lock(mutex_);
    cut_at_ = operations_ + operations;
}

bool TestDisk::is_cut() const {
    const std::lock_guard lock(mutex_);
    return is_cut_;
}

std::uint64_t TestDisk::operations() const {
    const std::lock_guard lock(mutex_);
    return operations_;
}

void TestDisk::lie_about_syncs(bool lie) {
    const std::lock_guard lock(mutex_);
    lies_ = lie;
}

void TestDisk::restore(const std::filesystem::path& directory, std::uint64_t seed) const {
    const std::lock_guard lock(mutex_);
    std::mt19937_64 luck(seed);
    for (const auto& [path, image] : images_) {
        const bool name_is_there = image.is_entered || luck() % 2 == 0;
        if (!name_is_there || (image.is_removed && luck() % 2 == 0)) continue;
        std::string content = image.durable;
        const auto kept_of_8 = luck() % 9;
        for (const Change& change : image.pending) {
            const auto offset = static_cast<std::size_t>(change.offset);
            if (luck() % 8 >= kept_of_8) continue;
            if (change.is_truncation) {
                content.resize(offset, '\0');
            } else if (luck() % 4 == 0) {
                put_some_sectors(content, offset, change.bytes, luck);
            } else {
                put(content, offset, change.bytes);
            }
        }
        std::ofstream(directory / std::filesystem::path(path).filename(), std::ios::binary) << content;
    }
}

}  // namespace storage::test
