#include "landlock.h"

#include <fcntl.h>
#include <link.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace runtime {
namespace {

// Debian 12's header knows version 2; the kernel may know more. Names and numbers are those of
// linux/landlock.h.
constexpr std::uint64_t kTruncate = 1ULL << 14U;          // 3
constexpr std::uint64_t kIoctlDevice = 1ULL << 15U;       // 5
constexpr std::uint64_t kBindTcp = 1ULL << 0U;            // 4
constexpr std::uint64_t kConnectTcp = 1ULL << 1U;         // 4
constexpr std::uint64_t kScopeAbstractUnix = 1ULL << 0U;  // 6
constexpr std::uint64_t kScopeSignal = 1ULL << 1U;        // 6

struct RulesetAttributes {
    std::uint64_t handled_access_fs = 0;
    std::uint64_t handled_access_net = 0;
    std::uint64_t scoped = 0;
};

constexpr std::uint64_t kExecute = LANDLOCK_ACCESS_FS_EXECUTE;
constexpr std::uint64_t kReadFile = LANDLOCK_ACCESS_FS_READ_FILE;
constexpr std::uint64_t kRead = kReadFile | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kWriteFile = kReadFile | LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate;
constexpr std::uint64_t kWrite = kRead | kWriteFile | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                                 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
                                 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
                                 LANDLOCK_ACCESS_FS_REFER;

/// Every right that this version can withhold.
std::uint64_t file_rights(int version) {
    std::uint64_t rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1U) - 1;
    if (version >= 2) rights |= LANDLOCK_ACCESS_FS_REFER;
    if (version >= 3) rights |= kTruncate;
    if (version >= 5) rights |= kIoctlDevice;
    return rights;
}

std::unexpected<base::Error> failure(const char* what) {
    return base::fail(base::ErrorKind::internal, "runtime.lock_failed",
                      std::string(what) + ": " + std::strerror(errno));
}

base::Result<void> allow(int ruleset, const std::filesystem::path& path, std::uint64_t rights,
                         std::uint64_t file_only) {
    const int fd = ::open(path.c_str(), O_PATH | O_CLOEXEC);
    if (fd < 0) return {};  // what is not there needs no rule
    struct stat status{};
    const bool is_folder = ::fstat(fd, &status) == 0 && S_ISDIR(status.st_mode);
    landlock_path_beneath_attr rule{};
    rule.parent_fd = fd;
    rule.allowed_access = is_folder ? rights : rights & file_only;
    const auto added = ::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    ::close(fd);
    if (added != 0) return failure("landlock_add_rule");
    return {};
}

struct Rule {
    std::filesystem::path path;
    std::uint64_t rights = 0;
    std::uint64_t file_rights = 0;  ///< of them, where the path is a file
};

/// 0 where the kernel has no Landlock.
int kernel_version() {
    const auto version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return version > 0 ? static_cast<int>(version) : 0;
}

base::Result<void> bind_thread(int version, const RulesetAttributes& attributes,
                               const std::vector<Rule>& rules) {
    std::size_t size = sizeof attributes.handled_access_fs;
    if (version >= 4) size = offsetof(RulesetAttributes, scoped);
    if (version >= 6) size = sizeof attributes;
    const auto ruleset = static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, size, 0));
    if (ruleset < 0) return failure("landlock_create_ruleset");
    base::Result<void> added;
    for (const Rule& rule : rules) {
        const std::uint64_t handled = attributes.handled_access_fs;
        if (added) added = allow(ruleset, rule.path, rule.rights & handled, rule.file_rights & handled);
    }
    const bool bound = added && ::syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    const int error = errno;
    ::close(ruleset);
    if (!added) return added;
    errno = error;
    if (!bound) return failure("landlock_restrict_self");
    return {};
}

/// The program that the kernel starts for a dynamic one, as this one names it (PT_INTERP): the loader.
std::filesystem::path own_loader() {
    std::filesystem::path loader;
    ::dl_iterate_phdr(
        [](dl_phdr_info* program, std::size_t, void* out) {
            for (int i = 0; i < program->dlpi_phnum; ++i) {
                const auto& part = program->dlpi_phdr[i];
                if (part.p_type != PT_INTERP) continue;
                *static_cast<std::filesystem::path*>(out) =
                    reinterpret_cast<const char*>(program->dlpi_addr + part.p_vaddr);
            }
            return 1;  // the first is the program itself
        },
        &loader);
    return loader;
}

}  // namespace

base::Result<int> apply_landlock(const Allowances& allowances) {
    const int version = kernel_version();
    if (version == 0) return 0;
    RulesetAttributes attributes{.handled_access_fs = file_rights(version)};
    attributes.handled_access_net = kBindTcp | (allowances.connect ? 0 : kConnectTcp);
    attributes.scoped = kScopeAbstractUnix | kScopeSignal;
    std::vector<Rule> rules{{"/dev/null", kWriteFile, kWriteFile}};
    for (const auto& path : allowances.readable) rules.push_back({path, kRead, kReadFile});
    for (const auto& path : allowances.writable) rules.push_back({path, kWrite, kWriteFile});
    if (auto bound = bind_thread(version, attributes, rules); !bound) return base::fail(bound.error());
    return version;
}

base::Result<int> apply_supervisor_landlock(const SupervisorAllowances& allowances) {
    const int version = kernel_version();
    if (version == 0) return 0;
    // Devices stay free: a helper may look at its terminal before it is locked.
    RulesetAttributes attributes{.handled_access_fs = file_rights(version) & ~kRead & ~kIoctlDevice};
    attributes.handled_access_net = kBindTcp;
    attributes.scoped = kScopeAbstractUnix | kScopeSignal;
    std::vector<Rule> rules{{"/dev/null", kWriteFile, kWriteFile}};
    for (const auto& path : allowances.executables) rules.push_back({path, kExecute, kExecute});
    if (!allowances.executables.empty()) rules.push_back({own_loader(), kExecute, kExecute});
    for (const auto& path : allowances.writable) rules.push_back({path, kWrite, kWriteFile});
    if (auto bound = bind_thread(version, attributes, rules); !bound) return base::fail(bound.error());
    return version;
}

}  // namespace runtime
