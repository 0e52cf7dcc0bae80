#include "lock_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace storage {

base::Result<LockFile> LockFile::take(const std::filesystem::path& path) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) {
        const bool read_only = errno == EACCES || errno == EROFS || errno == EPERM;
        return base::fail(base::ErrorKind::unavailable, read_only ? "storage.read_only" : "storage.io",
                          "The data directory cannot be written: " + std::string(std::strerror(errno)) + ".");
    }
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        ::close(descriptor);
        return base::fail(
            base::ErrorKind::conflict, "storage.locked",
            "Another Lingxi is running on this data directory: stop it, or choose another with --data.");
    }
    return LockFile(descriptor);
}

LockFile::LockFile(LockFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

LockFile::~LockFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace storage
