#include "file_lock.h"

#include "fault.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string_view>
#include <utility>

namespace storage {

namespace {

/// A file descriptor that is closed when it goes.
class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int number() const { return number_; }

  private:
    int number_;
};

std::filesystem::path beside(const std::filesystem::path& database, std::string_view suffix) {
    std::filesystem::path path = database;
    path += suffix;
    return path;
}

base::Result<void> corrupt(std::string message) {
    return base::fail(base::ErrorKind::internal, "storage.corrupt", std::move(message));
}

}  // namespace

base::Result<FileLock> FileLock::take(const std::filesystem::path& database) {
    const int number = ::open(beside(database, ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (number < 0) return base::fail(error_of_errno(errno, "open the lock file"));
    FileLock lock(number);
    if (::flock(number, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return base::fail(error_of_errno(errno, "lock"));
        return base::fail(
            base::ErrorKind::conflict, "storage.locked",
            "Another Lingxi is running on this data directory: stop it, or choose another with --data.");
    }
    return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock::~FileLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

base::Result<void> create_private_file(const std::filesystem::path& database) {
    const Descriptor file(::open(database.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (file.number() < 0) return base::fail(error_of_errno(errno, "open the database"));
    // SQLite syncs the file alone: its name must outlast a power cut too.
    const Descriptor directory(::open(std::filesystem::absolute(database).parent_path().c_str(),
                                      O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory.number() < 0)
        return base::fail(error_of_errno(errno, "open the directory of the database"));
    if (::fsync(directory.number()) != 0) {
        return base::fail(error_of_errno(errno, "sync the directory of the database"));
    }
    return {};
}

base::Result<void> check_header(const std::filesystem::path& database) {
    // https://www.sqlite.org/fileformat2.html#the_database_header
    constexpr std::size_t kHeaderBytes = 100;
    constexpr std::string_view kMagic("SQLite format 3\0", 16);

    const Descriptor file(::open(database.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.number() < 0) return base::fail(error_of_errno(errno, "open the database"));
    struct stat status{};
    if (::fstat(file.number(), &status) != 0) return base::fail(error_of_errno(errno, "stat the database"));
    if (status.st_size == 0) return {};

    std::array<unsigned char, kHeaderBytes> header{};
    const ssize_t got = ::pread(file.number(), header.data(), header.size(), 0);
    if (got < 0) return base::fail(error_of_errno(errno, "read the database"));
    if (static_cast<std::size_t>(got) < kHeaderBytes) return corrupt("The database file is cut short.");
    if (std::string_view(reinterpret_cast<const char*>(header.data()), kMagic.size()) != kMagic) {
        return corrupt("The database file is not one of SQLite.");
    }

    const auto number_at = [&header](std::size_t at) {
        return std::uint32_t{header[at]} << 24 | std::uint32_t{header[at + 1]} << 16 |
               std::uint32_t{header[at + 2]} << 8 | std::uint32_t{header[at + 3]};
    };
    std::int64_t page_bytes = header[16] << 8 | header[17];
    if (page_bytes == 1) page_bytes = 65536;
    if (page_bytes < 512 || (page_bytes & (page_bytes - 1)) != 0) {
        return corrupt("The database file has a damaged header.");
    }
    // While a WAL waits, pages may still stand in it that the file does not have yet.
    std::error_code ignored;  // no such file: size -1
    const auto wal_bytes = std::filesystem::file_size(beside(database, "-wal"), ignored);
    const bool has_wal = !ignored && wal_bytes > 0;
    const std::int64_t pages = number_at(28);
    const bool pages_valid = number_at(24) == number_at(92);
    if (!has_wal && pages_valid && status.st_size < pages * page_bytes) {
        return corrupt("The database file is cut short.");
    }
    return {};
}

}  // namespace storage
