#include "paths.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

namespace app {
namespace {

constexpr int kLockAttempts = 40;
constexpr std::chrono::milliseconds kLockPause{50};

std::unexpected<base::Error> unusable(const std::filesystem::path& path, const std::string& reason) {
    return base::fail(base::ErrorKind::unavailable, "app.data_directory",
                      "The data directory " + path.string() + " cannot be used: " + reason +
                          ". Lingxi must be able to write there; --data chooses another.");
}

/// " (process 123)", as the one that holds the lock wrote it.
std::string holder(int descriptor) {
    std::array<char, 16> digits{};
    const ssize_t read = ::pread(descriptor, digits.data(), digits.size(), 0);
    if (read <= 0) return {};
    return " (process " + std::string(digits.data(), static_cast<std::size_t>(read)) + ")";
}

}  // namespace

base::Result<Paths> prepare_paths(const std::filesystem::path& data) {
    std::error_code error;
    const std::filesystem::path root = std::filesystem::absolute(data, error);
    Paths paths{.data = root, .core = root / "core", .gateway = root / "gateway", .run = root / "run"};
    for (const auto& folder : {paths.data, paths.core, paths.gateway, paths.run}) {
        const bool made = std::filesystem::create_directories(folder, error);
        if (!error && made) std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
        if (error) {
            return unusable(root, error.message());
        }
    }
    return paths;
}

base::Result<void> take_data_directory(const Paths& paths) {
    const std::filesystem::path file = paths.run / "lock";
    // Never closed: it is the lock.
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) return unusable(paths.data, std::strerror(errno));
    for (int attempt = 1; ::flock(descriptor, LOCK_EX | LOCK_NB) != 0; ++attempt) {
        if (errno != EWOULDBLOCK) return unusable(paths.data, std::strerror(errno));
        if (attempt == kLockAttempts) {
            return base::fail(base::ErrorKind::conflict, "app.data_in_use",
                              "Another Lingxi" + holder(descriptor) + " is running on " +
                                  paths.data.string() +
                                  ": stop it, or choose another directory with --data.");
        }
        std::this_thread::sleep_for(kLockPause);
    }
    const std::string own = std::to_string(::getpid());
    if (::ftruncate(descriptor, 0) != 0 || ::pwrite(descriptor, own.data(), own.size(), 0) < 0)
        return unusable(paths.data, std::strerror(errno));
    return {};
}

}  // namespace app
