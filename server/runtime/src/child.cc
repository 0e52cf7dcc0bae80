#include "child.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>

#include <base/log.h>
#include <runtime/sandbox.h>

namespace runtime {
namespace {

constexpr int kExitSoftware = 70;        // EX_SOFTWARE
constexpr int kExitCannotExecute = 127;  // as shells have it

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    out.reserve(texts.size() + 1);
    for (std::string& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

void set_up(const ChildSetup& setup) {
    // The parent may have died between fork and here; then the signal would never come.
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != setup.supervisor) ::_exit(kExitSoftware);
    ::setpgid(0, 0);
    ::sigprocmask(SIG_SETMASK, &setup.signal_mask, nullptr);
    const int nothing = ::open("/dev/null", O_RDONLY);
    if (nothing >= 0) {
        ::dup2(nothing, STDIN_FILENO);
        if (nothing > STDERR_FILENO) ::close(nothing);
    }
}

}  // namespace

pid_t fork_child(const ChildSetup& setup, const std::function<int()>& body) {
    std::fflush(nullptr);  // else both would write what is buffered
    const pid_t pid = ::fork();
    if (pid != 0) {
        if (pid < 0) base::log_error("supervisor.fork_failed", {{"error", std::strerror(errno)}});
        return pid;
    }
    set_up(setup);
    int code = kExitSoftware;
    try {
        code = body();
    } catch (const std::exception& fault) {
        base::log_error("supervisor.child_fault", {{"what", fault.what()}});
    }
    // Not exit(): what was registered to run at exit belongs to the supervisor.
    std::fflush(nullptr);
    ::_exit(code);
}

int exec_helper(const Helper& helper, int wire_fd) {
    if (wire_fd == kWireDescriptor) {
        ::fcntl(wire_fd, F_SETFD, 0);
    } else {
        ::dup2(wire_fd, kWireDescriptor);
    }
    close_descriptors_except(std::array{kWireDescriptor});

    std::vector<std::string> arguments{helper.executable.string()};
    arguments.insert(arguments.end(), helper.arguments.begin(), helper.arguments.end());
    if (helper.environment) {
        auto environment = *helper.environment;
        ::execve(helper.executable.c_str(), pointers(arguments).data(), pointers(environment).data());
    } else {
        ::execv(helper.executable.c_str(), pointers(arguments).data());
    }
    base::log_error("supervisor.cannot_execute", {{"child", helper.name},
                                                  {"executable", helper.executable.string()},
                                                  {"error", std::strerror(errno)}});
    return kExitCannotExecute;
}

std::string describe_end(int status) {
    if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
    return "exit " + std::to_string(WEXITSTATUS(status));
}

std::chrono::milliseconds restart_delay(Child& child, const Backoff& backoff, Child::Clock::time_point now) {
    if (now - child.started_at >= backoff.stable) child.failures = 0;
    ++child.failures;
    auto delay = backoff.first;
    for (int i = 1; i < child.failures && delay < backoff.longest; ++i) delay *= 2;
    return std::min(delay, backoff.longest);
}

}  // namespace runtime
