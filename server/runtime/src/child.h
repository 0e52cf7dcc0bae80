#pragma once

#include <signal.h>
#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>

#include <runtime/supervisor.h>

namespace runtime {

/// One child of the supervisor, across its restarts.
struct Child {
    using Clock = std::chrono::steady_clock;

    std::string name;
    pid_t pid = -1;
    Clock::time_point started_at;
    int failures = 0;                           ///< in a row, none of them after a stable run
    std::optional<Clock::time_point> start_at;  ///< while it does not run
    std::optional<Clock::time_point> kill_at;   ///< told to end: from then on it is made to
    bool told_to_end = false;

    bool is_running() const { return pid > 0; }
};

/// What a child inherits or must not.
struct ChildSetup {
    pid_t supervisor = -1;
    sigset_t signal_mask{};  ///< as it was before the supervisor blocked its own
};

/// Forks; the child dies with its parent, leads its own process group (so that a terminal's Ctrl-C reaches
/// the supervisor alone, which knows the order) and reads nothing from standard input. Then it runs `body`
/// and never returns.
pid_t fork_child(const ChildSetup& setup, const std::function<int()>& body);

/// Replaces the process by a helper whose wire is `wire_fd`. Returns only when that fails: the exit code.
int exec_helper(const Helper& helper, int wire_fd);

/// How it ended, for the log: "exit 3", "signal 9".
std::string describe_end(int status);

/// When to start a child again that has just ended.
std::chrono::milliseconds restart_delay(Child& child, const Backoff& backoff, Child::Clock::time_point now);

}  // namespace runtime
