#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include <runtime/resolver_watch.h>
#include <runtime/runtime.h>

namespace runtime {

Task<void> resolver_file_lost(std::filesystem::path file, std::chrono::milliseconds interval) {
    for (;;) {
        const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
        if (fd < 0 && (errno == EACCES || errno == EPERM)) co_return;
        if (fd >= 0) ::close(fd);
        co_await sleep_for(interval);
    }
}

}  // namespace runtime
