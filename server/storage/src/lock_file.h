#pragma once

#include <filesystem>

#include <base/result.h>

namespace storage {

/// Keeps other processes off the same data for as long as it lives; the kernel lets go of it when the process
/// dies.
class LockFile {
  public:
    /// Errors: storage.locked (conflict), storage.read_only, storage.io (unavailable).
    static base::Result<LockFile> take(const std::filesystem::path& path);
    LockFile(LockFile&& other) noexcept;
    LockFile& operator=(LockFile&&) = delete;
    ~LockFile();

  private:
    explicit LockFile(int descriptor) : descriptor_(descriptor) {}
    int descriptor_;
};

}  // namespace storage
