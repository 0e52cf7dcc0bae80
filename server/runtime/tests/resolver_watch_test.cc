#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

#include <runtime/resolver_watch.h>
#include <runtime/runtime.h>
#include <runtime/sandbox.h>
#include <runtime/task_group.h>

namespace runtime {
namespace {

using namespace std::chrono_literals;

constexpr int kLost = 0;
constexpr int kLostTooEarly = 1;
constexpr int kNoLandlock = 2;
constexpr int kNotLocked = 3;

Task<void> watch(Runtime& runtime, std::filesystem::path file) {
    co_await resolver_file_lost(std::move(file), 2ms);
    runtime.stop();
}

Task<void> say_still_there(int pipe_fd, bool& said) {
    co_await sleep_for(30ms);
    said = ::write(pipe_fd, "x", 1) == 1;
}

/// In a process that may read `file` as it is now.
int locked_watcher(const std::filesystem::path& file, int pipe_fd) {
    const auto locked = lock_down({.role = "test", .readable = {file}});
    if (!locked) return kNotLocked;
    if (locked->landlock_version == 0) return kNoLandlock;
    Runtime runtime;
    TaskGroup group(runtime, "test");
    bool said = false;
    group.spawn(watch(runtime, file));
    group.spawn(say_still_there(pipe_fd, said));
    runtime.run();
    return said ? kLost : kLostTooEarly;
}

TEST(ResolverWatch, sees_that_the_file_was_replaced_by_one_that_the_lock_does_not_know) {
    char name[] = "/tmp/lingxi_resolver_XXXXXX";
    const std::filesystem::path folder = ::mkdtemp(name);
    std::ofstream(folder / "resolv.conf") << "nameserver 127.0.0.1\n";
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const pid_t child = ::fork();
    if (child == 0) ::_exit(locked_watcher(folder / "resolv.conf", ends[1]));
    ::close(ends[1]);
    char byte = 0;
    if (::read(ends[0], &byte, 1) == 1) {
        std::ofstream(folder / "new") << "nameserver 127.0.0.2\n";
        std::filesystem::rename(folder / "new", folder / "resolv.conf");
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ::close(ends[0]);
    std::filesystem::remove_all(folder);
    ASSERT_TRUE(WIFEXITED(status));
    if (WEXITSTATUS(status) == kNoLandlock) GTEST_SKIP() << "this kernel has no Landlock: nothing is lost";
    EXPECT_EQ(WEXITSTATUS(status), kLost);
}

}  // namespace
}  // namespace runtime
