#include "landlock.h"
#include "seccomp_filter.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

#include <base/log.h>
#include <runtime/sandbox.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LINGXI_HAS_SANITIZER_RUNTIME 1
#endif
#endif

namespace runtime {
namespace {

#ifdef LINGXI_HAS_SANITIZER_RUNTIME
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

bool locked = false;

std::unexpected<base::Error> failure(const char* what) {
    return base::fail(base::ErrorKind::internal, "runtime.lock_failed",
                      std::string(what) + ": " + std::strerror(errno));
}

base::Result<void> limit(int resource, std::size_t value, const char* name) {
    rlimit limits{};
    if (::getrlimit(static_cast<__rlimit_resource_t>(resource), &limits) != 0) return failure(name);
    limits.rlim_cur = limits.rlim_max = std::min<rlim_t>(value, limits.rlim_max);
    if (::setrlimit(static_cast<__rlimit_resource_t>(resource), &limits) != 0) return failure(name);
    return {};
}

/// Started by root, a process keeps one power of root: to reach its folder where that belongs to somebody
/// else. `hands_on`: what it starts by exec keeps it too.
base::Result<void> drop_capabilities(bool keeps_folder, bool hands_on) {
    for (int number = 0; ::prctl(PR_CAPBSET_READ, number) >= 0; ++number) {
        if (hands_on && number == CAP_DAC_OVERRIDE) continue;
        if (::prctl(PR_CAPBSET_DROP, number) != 0 && errno != EPERM)
            return failure("capability bounding set");
    }
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    std::array<__user_cap_data_struct, 2> held{};
    if (::syscall(SYS_capget, &header, held.data()) != 0) return failure("capget");
    const std::uint32_t kept = keeps_folder ? held[0].effective & (1U << CAP_DAC_OVERRIDE) : 0;
    held[0] = {.effective = kept, .permitted = kept, .inheritable = 0};
    held[1] = {};
    if (::syscall(SYS_capset, &header, held.data()) != 0) return failure("capset");
    return {};
}

base::Result<void> check_single_thread() {
    std::error_code error;
    const auto threads = std::distance(std::filesystem::directory_iterator("/proc/self/task", error),
                                       std::filesystem::directory_iterator());
    if (threads > 1 && !kSanitized) {  // a sanitizer may have one of its own
        return base::fail(base::ErrorKind::internal, "runtime.lock_after_threads",
                          "The process has threads already, which Landlock would leave free.");
    }
    return {};
}

/// Nobody looks into the process, and no set-user-id program gives it powers.
base::Result<void> close_memory() {
    if (auto limited = limit(RLIMIT_CORE, 0, "core dumps"); !limited) return limited;
    if (::prctl(PR_SET_DUMPABLE, 0) != 0) return failure("dumpable");
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failure("no_new_privs");
    return {};
}

LockReport report(std::string_view role, int landlock_version) {
    locked = true;
    base::log_info("runtime.locked",
                   {{"role", role}, {"seccomp", true}, {"landlock_version", landlock_version}});
    return {.landlock_version = landlock_version};
}

}  // namespace

base::Result<LockReport> lock_down(const Allowances& allowances) {
    if (auto single = check_single_thread(); !single) return base::fail(single.error());
    if (allowances.memory_limit_bytes > 0 && !kSanitized) {
        if (auto limited = limit(RLIMIT_AS, allowances.memory_limit_bytes, "memory"); !limited) {
            return base::fail(limited.error());
        }
    }
    ::signal(SIGXFSZ, SIG_IGN);  // a write over a limit of ours or the operator's fails instead
    if (allowances.file_limit_bytes > 0) {
        if (auto limited = limit(RLIMIT_FSIZE, allowances.file_limit_bytes, "file size"); !limited) {
            return base::fail(limited.error());
        }
    }
    if (allowances.processor_limit_seconds > 0) {
        if (auto limited = limit(RLIMIT_CPU, allowances.processor_limit_seconds, "processor time");
            !limited) {
            return base::fail(limited.error());
        }
    }
    if (auto closed = close_memory(); !closed) return base::fail(closed.error());
    const auto version = apply_landlock(allowances);  // before seccomp, which forbids its calls
    if (!version) return base::fail(version.error());
    if (auto dropped = drop_capabilities(!allowances.writable.empty(), false); !dropped)
        return base::fail(dropped.error());
    if (auto filtered = apply_seccomp(allowances); !filtered) return base::fail(filtered.error());
    return report(allowances.role, *version);
}

base::Result<LockReport> lock_supervisor(const SupervisorAllowances& allowances) {
    if (auto single = check_single_thread(); !single) return base::fail(single.error());
    if (auto closed = close_memory(); !closed) return base::fail(closed.error());
    const auto version = apply_supervisor_landlock(allowances);
    if (!version) return base::fail(version.error());
    if (auto dropped = drop_capabilities(true, true); !dropped) return base::fail(dropped.error());
    if (auto filtered = apply_supervisor_seccomp(); !filtered) return base::fail(filtered.error());
    return report("supervisor", *version);
}

void close_descriptors_except(std::span<const int> kept) {
    std::vector<int> sorted(kept.begin(), kept.end());
    std::ranges::sort(sorted);
    unsigned next = 3;
    for (const int fd : sorted) {
        if (fd < 0 || static_cast<unsigned>(fd) < next) continue;
        if (static_cast<unsigned>(fd) > next) ::close_range(next, static_cast<unsigned>(fd) - 1, 0);
        next = static_cast<unsigned>(fd) + 1;
    }
    ::close_range(next, ~0U, 0);
}

}  // namespace runtime

#ifdef LINGXI_HAS_SANITIZER_RUNTIME
// The leak checker looks at a process from a second one with ptrace, which a locked process may not, nor one
// that a locked one started.
extern "C" int __lsan_is_turned_off();
extern "C" int __lsan_is_turned_off() {
    constexpr pid_t kNobody = -1;
    const bool may_trace = ::ptrace(PTRACE_DETACH, kNobody, nullptr, nullptr) == 0 || errno != EPERM;
    return runtime::locked || !may_trace ? 1 : 0;
}
#endif
