#include "seccomp_filter.h"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <memory>

namespace runtime {
namespace {

// A list of what is allowed, not of what is forbidden: what a later kernel adds is refused until someone has
// looked. What is not listed answers ENOSYS, for which libraries have a way round; what is an attack answers
// EPERM.

constexpr std::initializer_list<const char*> kAllowed = {
    // Memory
    "brk",
    "madvise",
    "mincore",
    "mlock",
    "mremap",
    "msync",
    "munlock",
    "munmap",
    // Threads, signals, time
    "arch_prctl",
    "clock_getres",
    "clock_gettime",
    "clock_nanosleep",
    "exit",
    "exit_group",
    "futex",
    "futex_waitv",
    "get_robust_list",
    "getpid",
    "getppid",
    "gettid",
    "gettimeofday",
    "membarrier",
    "nanosleep",
    "restart_syscall",
    "rseq",
    "rt_sigaction",
    "rt_sigpending",
    "rt_sigprocmask",
    "rt_sigreturn",
    "rt_sigsuspend",
    "rt_sigtimedwait",
    "sched_getaffinity",
    "sched_getparam",
    "sched_getscheduler",
    "sched_yield",
    "set_robust_list",
    "set_tid_address",
    "sigaltstack",
    "time",
    // Descriptors
    "close",
    "close_range",
    "copy_file_range",
    "dup",
    "dup2",
    "dup3",
    "epoll_create1",
    "epoll_ctl",
    "epoll_pwait",
    "epoll_pwait2",
    "epoll_wait",
    "eventfd2",
    "fadvise64",
    "fallocate",
    "fdatasync",
    "flock",
    "fstat",
    "fstatfs",
    "fsync",
    "ftruncate",
    "getdents64",
    "lseek",
    "pipe",
    "pipe2",
    "poll",
    "ppoll",
    "pread64",
    "preadv",
    "preadv2",
    "pselect6",
    "pwrite64",
    "pwritev",
    "pwritev2",
    "read",
    "readv",
    "select",
    "sendfile",
    "signalfd4",
    "splice",
    "sync_file_range",
    "timerfd_create",
    "timerfd_gettime",
    "timerfd_settime",
    "write",
    "writev",
    // Sockets that are there
    "getpeername",
    "getsockname",
    "getsockopt",
    "recvfrom",
    "recvmmsg",
    "recvmsg",
    "setsockopt",
    "shutdown",
    // Looking; Landlock does not hide names, only contents
    "access",
    "faccessat",
    "faccessat2",
    "getcwd",
    "lstat",
    "newfstatat",
    "readlink",
    "readlinkat",
    "stat",
    "statfs",
    "statx",
    // Itself
    "capget",
    "getegid",
    "geteuid",
    "getgid",
    "getgroups",
    "getpgrp",
    "getpriority",
    "getrandom",
    "getresgid",
    "getresuid",
    "getrlimit",
    "getrusage",
    "getsid",
    "getuid",
    "sysinfo",
    "times",
    "umask",
    "uname",
};

/// Where Landlock decides which.
constexpr std::initializer_list<const char*> kFiles = {
    "creat",  "fchmod", "fchown",   "link",      "linkat", "mkdir",  "mkdirat",  "open",
    "openat", "rename", "renameat", "renameat2", "rmdir",  "unlink", "unlinkat",
};

/// Where it does not: it never looks at modes and times, and at lengths only from Linux 6.2 on. What a
/// process has opened it changes by descriptor.
constexpr std::initializer_list<const char*> kByPath = {"chmod", "fchmodat", "truncate", "utimensat"};

/// Of fcntl(), what concerns the descriptor itself. F_SETOWN and F_SETSIG would send any signal to any
/// process.
constexpr std::initializer_list<int> kDescriptorCommands = {
    F_DUPFD,      F_DUPFD_CLOEXEC, F_GETFD,     F_SETFD,     F_GETFL,     F_SETFL,
    F_GETLK,      F_SETLK,         F_SETLKW,    F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW,
    F_GETPIPE_SZ, F_SETPIPE_SZ,    F_GET_SEALS, F_GETOWN,    F_GETOWN_EX,
};
constexpr std::initializer_list<int> kOwnerCommands = {F_SETOWN, F_SETOWN_EX, F_SETSIG};

/// What a process needs to start others, and those to begin: nobody who is locked in for good.
constexpr std::initializer_list<const char*> kBeginnings = {
    "capset",
    "execve",
    "fork",
    "kill",
    "landlock_add_rule",
    "landlock_create_ruleset",
    "landlock_restrict_self",
    "prlimit64",
    "seccomp",
    "setpgid",
    "setpriority",
    "setrlimit",
    "tgkill",
    "vfork",
    "wait4",
    "waitid",
};

constexpr std::initializer_list<const char*> kForbidden = {
    "execveat",
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "pidfd_getfd",
    "pidfd_open",
    "pidfd_send_signal",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "bpf",
    "userfaultfd",
    "perf_event_open",
    "keyctl",
    "add_key",
    "request_key",
    "mount",
    "umount2",
    "pivot_root",
    "chroot",
    "setns",
    "unshare",
    "init_module",
    "finit_module",
    "kexec_load",
    "reboot",
    "swapon",
    "open_by_handle_at",
    "memfd_create",
    "memfd_secret",
    "personality",
    "setuid",
    "setgid",
    "setresuid",
    "setresgid",
    "setreuid",
    "setregid",
};

constexpr std::uint64_t kSocketTypeMask = 0xf;

class Filter {
  public:
    Filter() : context_(seccomp_init(SCMP_ACT_ERRNO(ENOSYS)), seccomp_release) {
        note(context_ ? 0 : -ENOMEM);
        note(seccomp_attr_set(context_.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(EPERM)));
        note(seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_TSYNC, 1));
        // A binary tree of the system calls: a chain of two hundred comparisons would show in every request.
        note(seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2));
    }

    void allow(const char* name, std::initializer_list<scmp_arg_cmp> when = {}) {
        rule(SCMP_ACT_ALLOW, name, when);
    }
    void refuse(const char* name, int error, std::initializer_list<scmp_arg_cmp> when = {}) {
        rule(SCMP_ACT_ERRNO(static_cast<unsigned>(error)), name, when);
    }
    int load() {
        if (error_ == 0) error_ = seccomp_load(context_.get());
        return -error_;
    }

  private:
    void rule(std::uint32_t action, const char* name, std::initializer_list<scmp_arg_cmp> when) {
        const int number = seccomp_syscall_resolve_name(name);
        if (number == __NR_SCMP_ERROR) return;  // newer than libseccomp, or of another machine: stays refused
        note(seccomp_rule_add_array(context_.get(), action, number, static_cast<unsigned>(when.size()),
                                    when.begin()));
    }
    void note(int result) {
        if (error_ == 0 && result != 0) error_ = result;
    }

    std::unique_ptr<void, decltype(&seccomp_release)> context_;
    int error_ = 0;
};

scmp_arg_cmp equals(unsigned argument, std::uint64_t value) {
    return {argument, SCMP_CMP_EQ, value, 0};
}
/// Of the lower 32 bits, those of `mask` are `value`.
scmp_arg_cmp masked(unsigned argument, std::uint64_t mask, std::uint64_t value) {
    return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

void add_descriptors(Filter& filter) {
    for (const int command : kDescriptorCommands) {
        filter.allow("fcntl", {masked(1, 0xffffffff, static_cast<std::uint64_t>(command))});
    }
    for (const int command : kOwnerCommands) {
        filter.refuse("fcntl", EPERM, {masked(1, 0xffffffff, static_cast<std::uint64_t>(command))});
    }
    // Typing into the terminal that started us.
    filter.refuse("ioctl", EPERM, {masked(1, 0xffffffff, TIOCSTI)});
    filter.refuse("ioctl", EPERM, {masked(1, 0xffffffff, TIOCLINUX)});
    for (const auto request : {FIONBIO, FIONREAD, FIOCLEX, FIONCLEX, TCGETS, TIOCGWINSZ, TIOCOUTQ}) {
        filter.allow("ioctl", {masked(1, 0xffffffff, static_cast<std::uint64_t>(request))});
    }
}

void add_processes(Filter& filter) {
    for (const char* name : kForbidden) filter.refuse(name, EPERM);
    for (const char* name : {"capset", "execve", "fork", "vfork"}) filter.refuse(name, EPERM);
    // Threads, but no processes. clone3 hides its flags behind a pointer: the C library then asks again with
    // clone.
    filter.allow("clone", {masked(0, CLONE_THREAD, CLONE_THREAD)});
    filter.refuse("clone", EPERM, {masked(0, CLONE_THREAD, 0)});
    // abort() and pthread_kill() reach ourselves only.
    const auto self = static_cast<std::uint64_t>(::getpid());
    filter.allow("tgkill", {equals(0, self)});
    filter.allow("kill", {equals(0, self)});
    for (const char* name : {"tgkill", "kill"}) {
        filter.refuse(name, EPERM, {scmp_arg_cmp{0, SCMP_CMP_NE, self, 0}});
    }
    for (const char* name : {"tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"}) filter.refuse(name, EPERM);
    for (const int option : {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_CAPBSET_READ, PR_SET_VMA}) {
        filter.allow("prctl", {equals(0, static_cast<std::uint64_t>(option))});
    }
    filter.allow("prlimit64", {equals(0, 0)});
    filter.allow("setrlimit");
    add_descriptors(filter);
}

/// Processes, but no namespaces; locks, but none that are opened again.
void add_supervision(Filter& filter) {
    for (const char* name : kForbidden) filter.refuse(name, EPERM);
    for (const char* name : kBeginnings) filter.allow(name);
    constexpr std::uint64_t kNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                          CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
    filter.allow("clone", {masked(0, kNamespaces, 0)});
    for (const int option :
         {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_CAPBSET_READ, PR_CAPBSET_DROP, PR_SET_VMA,
          PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, PR_SET_SECCOMP, PR_GET_SECCOMP}) {
        filter.allow("prctl", {equals(0, static_cast<std::uint64_t>(option))});
    }
    filter.allow("prctl", {equals(0, PR_SET_DUMPABLE), equals(1, 0)});
    add_descriptors(filter);
}

void add_memory(Filter& filter, const Allowances& allowances) {
    if (allowances.map_code) {
        filter.allow("mmap");
        filter.allow("mprotect");
        return;
    }
    for (const char* name : {"mmap", "mprotect"}) {
        filter.allow(name, {masked(2, PROT_EXEC, 0)});
        filter.refuse(name, EPERM, {masked(2, PROT_EXEC, PROT_EXEC)});
    }
}

void add_sockets(Filter& filter, const Allowances& allowances) {
    // Refused by family and not by connect(): UDP's sendto and TCP Fast Open reach out without one.
    const auto& families = allowances.socket_families;
    for (const int family : families) {
        const auto number = static_cast<std::uint64_t>(family);
        if (family == AF_NETLINK) {
            filter.allow("socket", {equals(0, number), equals(2, 0)});  // NETLINK_ROUTE
            continue;
        }
        for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {          // never SOCK_RAW, whoever we run as
            if (family == AF_UNIX && type == SOCK_DGRAM) continue;  // sendmsg would reach the log and systemd
            filter.allow("socket",
                         {equals(0, number), masked(1, kSocketTypeMask, static_cast<std::uint64_t>(type))});
        }
    }
    // The rest of the families, one rule each: what is not named here answers ENOSYS, which is as final.
    for (int family = 0; family < AF_MAX; ++family) {
        if (std::ranges::find(families, family) == families.end()) {
            filter.refuse("socket", EACCES, {equals(0, static_cast<std::uint64_t>(family))});
        }
    }
    filter.allow("socketpair", {equals(0, AF_UNIX)});

    if (allowances.connect) {
        for (const char* name : {"connect", "bind", "sendto", "sendmsg", "sendmmsg"}) filter.allow(name);
    } else {
        // A connection that we have can be cut and connected anew, the listener after shutdown() too.
        filter.refuse("connect", EACCES);
        filter.allow("sendto", {masked(3, MSG_FASTOPEN, 0), equals(4, 0)});
        filter.refuse("sendto", EACCES, {masked(3, MSG_FASTOPEN, MSG_FASTOPEN)});
        filter.refuse("sendto", EACCES, {scmp_arg_cmp{4, SCMP_CMP_NE, 0, 0}});
        filter.allow("sendmsg", {masked(2, MSG_FASTOPEN, 0)});
        filter.refuse("sendmsg", EACCES, {masked(2, MSG_FASTOPEN, MSG_FASTOPEN)});
        filter.allow("sendmmsg", {masked(3, MSG_FASTOPEN, 0)});
        filter.refuse("sendmmsg", EACCES, {masked(3, MSG_FASTOPEN, MSG_FASTOPEN)});
    }
    if (allowances.accept) {
        filter.allow("accept");
        filter.allow("accept4");
        filter.allow("listen");
        if (!allowances.connect) filter.allow("bind");
    }
}

void add_files(Filter& filter, const Allowances& allowances) {
    for (const char* name : kByPath) filter.refuse(name, EACCES);
    for (const char* name : kFiles) {
        if (allowances.open_files) {
            filter.allow(name);
        } else {
            filter.refuse(name, EACCES);
        }
    }
}

base::Result<void> load(Filter& filter) {
    if (const int error = filter.load(); error != 0) {
        return base::fail(base::ErrorKind::internal, "runtime.lock_failed",
                          std::string("seccomp: ") + std::strerror(error));
    }
    return {};
}

}  // namespace

base::Result<void> apply_seccomp(const Allowances& allowances) {
    Filter filter;
    for (const char* name : kAllowed) filter.allow(name);
    add_processes(filter);
    add_memory(filter, allowances);
    add_sockets(filter, allowances);
    add_files(filter, allowances);
    return load(filter);
}

base::Result<void> apply_supervisor_seccomp() {
    // Together what each of its children may do.
    const Allowances all{.role = "supervisor",
                         .socket_families = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK},
                         .connect = true,
                         .accept = true,
                         .map_code = true};
    Filter filter;
    for (const char* name : kAllowed) filter.allow(name);
    add_supervision(filter);
    add_memory(filter, all);
    add_sockets(filter, all);
    add_files(filter, all);
    return load(filter);
}

}  // namespace runtime
