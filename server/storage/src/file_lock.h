#pragma once

#include <filesystem>

#include <base/result.h>

namespace storage {

/// The exclusive right to one database, held by a lock file beside it. Ends with the process, however that
/// ends.
class FileLock {
  public:
    /// Errors: storage.locked (conflict), storage.read_only, storage.disk_full, storage.io.
    static base::Result<FileLock> take(const std::filesystem::path& database);
    ~FileLock();
    FileLock(FileLock&& other) noexcept;
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;
    FileLock& operator=(FileLock&&) = delete;

  private:
    explicit FileLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_;
};

/// Creates the file for its owner alone, where it is missing; SQLite gives its other files the same mode.
base::Result<void> create_private_file(const std::filesystem::path& database);

/// A quick look at the first page, before SQLite touches anything: is this a whole SQLite file?
/// Errors: storage.corrupt (internal), storage.read_only, storage.io.
base::Result<void> check_header(const std::filesystem::path& database);

}  // namespace storage
