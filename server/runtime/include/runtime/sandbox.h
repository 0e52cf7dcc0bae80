#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <base/result.h>

namespace runtime {

/// What a process may still do once it is locked: data, so that a role can be read at a glance, logged and
/// tested. Nothing here can be taken back. Whatever the role: no new process, no exec, no ptrace or other
/// people's memory, no signal to another process, no io_uring, no new privileges, no core dump.
struct Allowances {
    std::string role;  ///< stands in the log

    /// Files, or folders with all beneath. A file that is replaced by another of its name is another file to
    /// the kernel: allow its folder where that happens (certificates).
    std::vector<std::filesystem::path> readable;
    std::vector<std::filesystem::path> writable;
    /// Whether open() may be called at all. A process that gets its files handed over needs no path.
    bool open_files = true;

    std::vector<int> socket_families;  ///< AF_*: socket() refuses all others, whatever would be done with it
    bool connect = false;
    bool accept = false;
    /// Whether memory may become executable: needed to load libraries after the lock (name service modules).
    bool map_code = false;

    // 0 for none.
    std::size_t memory_limit_bytes = 0;  ///< address space; ignored in sanitized builds (they reserve TiB)
    std::size_t file_limit_bytes = 0;    ///< of a file that it writes
    std::size_t processor_limit_seconds = 0;  ///< in all; then the process is killed, and begins anew
};

/// Core: its own folder, what it serves, and connections that came to it. It reaches out to nothing.
Allowances core_allowances(const std::filesystem::path& core_directory,
                           std::vector<std::filesystem::path> readable);
/// Gateway: its own folder, certificate authorities, the resolver's files, and the way out.
Allowances gateway_allowances(const std::filesystem::path& gateway_directory,
                              std::vector<std::filesystem::path> readable);
/// Render: the descriptors that it is handed, memory and processor time.
Allowances render_allowances();

/// Which locks this kernel has put in force. no_new_privs and seccomp always are, or lock_down fails.
struct LockReport {
    int landlock_version = 0;  ///< 0: this kernel has none, and seccomp stands alone
};

/// Locks the calling process for good. To be called while it has one thread: Landlock binds threads one by
/// one. Paths that do not exist are left out. Errors: runtime.lock_failed, runtime.lock_after_threads
/// (internal).
base::Result<LockReport> lock_down(const Allowances& allowances);

/// What the supervisor may still do once it is locked. Locks are inherited: what it may not do none of its
/// children may, so it keeps what any of them needs until it has its own lock, the way out to the network
/// among it. It may start no program but these, write nowhere but here, and has no power over the machine,
/// nor over the memory of another process.
struct SupervisorAllowances {
    std::vector<std::filesystem::path> executables;
    std::vector<std::filesystem::path> writable;
};

/// Locks the supervisor, before it starts a child. Errors: as lock_down.
base::Result<LockReport> lock_supervisor(const SupervisorAllowances& allowances);

/// Closes every descriptor above standard error but these.
void close_descriptors_except(std::span<const int> kept);

}  // namespace runtime
