#include "landlock.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

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

base::Result<void> add_rules(int ruleset, const Allowances& allowances, std::uint64_t handled) {
    for (const auto& path : allowances.readable) {
        if (auto added = allow(ruleset, path, kRead & handled, kReadFile & handled); !added) return added;
    }
    for (const auto& path : allowances.writable) {
        if (auto added = allow(ruleset, path, kWrite & handled, kWriteFile & handled); !added) return added;
    }
    return allow(ruleset, "/dev/null", kWriteFile & handled, kWriteFile & handled);
}

}  // namespace

base::Result<int> apply_landlock(const Allowances& allowances) {
    const auto version =
        static_cast<int>(::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION));
    if (version <= 0) return 0;

    RulesetAttributes attributes{.handled_access_fs = file_rights(version)};
    std::size_t size = sizeof attributes.handled_access_fs;
    if (version >= 4) {
        attributes.handled_access_net = kBindTcp | (allowances.connect ? 0 : kConnectTcp);
        size = offsetof(RulesetAttributes, scoped);
    }
    if (version >= 6) {
        attributes.scoped = kScopeAbstractUnix | kScopeSignal;
        size = sizeof attributes;
    }
    const auto ruleset = static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, size, 0));
    if (ruleset < 0) return failure("landlock_create_ruleset");
    const auto added = add_rules(ruleset, allowances, attributes.handled_access_fs);
    const bool bound = added.has_value() && ::syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    const int error = errno;
    ::close(ruleset);
    if (!added) return base::fail(added.error());
    errno = error;
    if (!bound) return failure("landlock_restrict_self");
    return version;
}

}  // namespace runtime
