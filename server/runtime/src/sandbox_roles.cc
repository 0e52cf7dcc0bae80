#include <sys/socket.h>

#include <runtime/sandbox.h>

namespace runtime {
namespace {

/// What the C library itself reads now and then.
const std::vector<std::filesystem::path> kCommonReadable = {
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/dev/urandom",
    "/dev/null",
    "/proc/self",  // its own memory and descriptors, for metrics
    "/sys/devices/system/cpu",
};

std::vector<std::filesystem::path> with_common(std::vector<std::filesystem::path> paths) {
    paths.insert(paths.end(), kCommonReadable.begin(), kCommonReadable.end());
    return paths;
}

}  // namespace

Allowances core_allowances(const std::filesystem::path& core_directory,
                           std::vector<std::filesystem::path> readable) {
    return {
        .role = "core",
        .readable = with_common(std::move(readable)),
        .writable = {core_directory},
        .socket_families = {AF_UNIX},
        .accept = true,
    };
}

Allowances gateway_allowances(const std::filesystem::path& gateway_directory,
                              std::vector<std::filesystem::path> readable) {
    for (const char* path :
         {"/etc/ssl", "/usr/lib/ssl", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
          "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf",
          "/etc/services", "/etc/protocols", "/etc/ld.so.cache", "/usr/lib", "/lib"}) {
        readable.emplace_back(path);
    }
    // systemd-resolved and others keep the real file in a folder of their own, and replace it there.
    std::error_code error;
    const auto resolver = std::filesystem::canonical("/etc/resolv.conf", error);
    if (!error && resolver.parent_path() != "/etc") readable.push_back(resolver.parent_path());
    return {
        .role = "gateway",
        .readable = with_common(std::move(readable)),
        .writable = {gateway_directory},
        // The resolver asks the kernel over netlink which addresses it has; no unix sockets, so no other
        // service here.
        .socket_families = {AF_INET, AF_INET6, AF_NETLINK},
        .connect = true,
        .map_code = true,
    };
}

Allowances render_allowances() {
    return {
        .role = "render",
        .open_files = false,
        .memory_limit_bytes = std::size_t{1024} * 1024 * 1024,
        .file_limit_bytes = std::size_t{32} * 1024 * 1024,
        .processor_limit_seconds = 3600,  // a picture that took it over does not keep it
    };
}

}  // namespace runtime
