#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace runtime {

/// Where a helper finds its end of the wire to core. Nothing else is open in it but the standard three.
constexpr int kWireDescriptor = 3;

/// Exit code (EX_CONFIG) of a core that would fail again and again: bad configuration, or data that it must
/// not touch. It is not restarted; the supervisor ends with the same code.
constexpr int kExitMisconfigured = 78;

/// What core finds when it begins: see SupervisorLink.
struct CoreStart {
    std::vector<int> listeners;  ///< the plan's, same order
    int supervisor_fd = -1;
    /// Whether what it says when it serves is passed on (SupervisorPlan::on_ready): none served before it.
    bool is_heard = true;
};

/// A process beside core, connected to it by a socket: an executable of its own, so that it links what it
/// needs alone.
struct Helper {
    std::string name;  ///< "gateway", "render": in the log, in processes.json, and for core
    std::filesystem::path executable;
    std::vector<std::string> arguments;
    /// "NAME=value" each; nothing: the supervisor's own. A process that reads hostile files needs no secrets
    /// of ours.
    std::optional<std::vector<std::string>> environment;
};

/// A child that ends is started again after `first`, then twice as long each time; as new once it has run
/// `stable`.
struct Backoff {
    std::chrono::milliseconds first{50};
    std::chrono::milliseconds longest{5000};
    std::chrono::milliseconds stable{10'000};
};

struct SupervisorPlan {
    /// Runs in a fork of the supervisor; what it returns is the exit code of that process.
    std::function<int(CoreStart)> core;
    std::vector<Helper> helpers;
    std::vector<int>
        listeners;  ///< bound and listening: they stay open across restarts of core, so nobody is refused
    std::filesystem::path run_directory;  ///< processes.json; none when empty
    /// Where it and its children may write, with all beneath; see lock_supervisor.
    std::vector<std::filesystem::path> writable;
    /// Called in the supervisor the first time that core says it serves, with what it says.
    std::function<void(std::string_view note)> on_ready;
    Backoff backoff;
    std::chrono::milliseconds core_stop_limit{15'000};  ///< to finish what is under way, then SIGKILL
    std::chrono::milliseconds helper_stop_limit{2000};
    int attempts_limit = 5;  ///< starts of a core that has never served, until it is given up
};

/// Starts core and its helpers, restarts each when it ends, and ends when it is told to (SIGTERM, SIGINT,
/// SIGHUP unless ignored): core first, then the helpers. Every child dies with it, `kill -9` included. To be
/// called with one thread: it locks the process for good (lock_supervisor). Returns the exit code for the
/// process: 0, kExitMisconfigured (it could not be locked, too), or 70 (EX_SOFTWARE) when core never served.
int supervise(SupervisorPlan plan);

/// The path of an executable in the folder of the running one.
std::filesystem::path beside_own_executable(std::string_view name);

}  // namespace runtime
