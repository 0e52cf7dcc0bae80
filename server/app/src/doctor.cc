#include "doctor.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <net/server.h>
#include <runtime/supervisor.h>

namespace app {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kRoomWantedMib = 1024;
constexpr rlim_t kDescriptorsWanted = 4096;
constexpr int kModelServerLimitMs = 200;

struct LocalModelServer {
    std::string_view name;
    std::uint16_t port;
};
/// Where model servers listen as they come; the gateway looks at the same places.
constexpr std::array kLocalModelServers{LocalModelServer{"Ollama", 11434},
                                        LocalModelServer{"llama-server", 8080},
                                        LocalModelServer{"vLLM", 8000}, LocalModelServer{"LM Studio", 1234}};

/// What was found, a line each.
class Findings {
  public:
    void good(const std::string& text) { std::printf("ok      %s\n", text.c_str()); }
    void note(const std::string& text) { std::printf("note    %s\n", text.c_str()); }
    void bad(const std::string& text, const std::string& what_to_do) {
        std::printf("WRONG   %s\n        %s\n", text.c_str(), what_to_do.c_str());
        faultless_ = false;
    }
    bool faultless() const { return faultless_; }

  private:
    bool faultless_ = true;
};

/// The directory itself or, before the first start, the nearest one that is there.
fs::path nearest_existing(fs::path path) {
    std::error_code error;
    while (!fs::exists(path, error) && path.has_relative_path()) path = path.parent_path();
    return path;
}

/// Whether a running server holds the directory (see take_data_directory).
bool is_in_use(const fs::path& data) {
    const int descriptor = ::open((data / "run" / "lock").c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return false;
    const bool held = ::flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    ::close(descriptor);
    return held;
}

void examine_directory(Findings& findings, const fs::path& data, bool in_use) {
    const fs::path there = nearest_existing(data);
    if (::access(there.c_str(), R_OK | W_OK | X_OK) != 0) {
        findings.bad(
            "The data directory " + data.string() + " cannot be written.",
            "Give " + there.string() + " to the user that runs Lingxi, or choose another with --data.");
        return;
    }
    findings.good("Data directory " + data.string() +
                  (in_use             ? ", in use by a running Lingxi"
                   : fs::exists(data) ? ""
                                      : ", made at the first start"));
    struct statvfs room{};
    if (::statvfs(there.c_str(), &room) != 0) return;
    const std::uint64_t free_mib = room.f_bavail * room.f_frsize / (1024 * 1024);
    if (free_mib < kRoomWantedMib) {
        findings.bad(
            "Only " + std::to_string(free_mib) + " MiB are free on its disk.",
            "Make room: when the disk is full, reading goes on and sending fails until there is some.");
    } else {
        findings.good(std::to_string(free_mib) + " MiB free on its disk");
    }
}

void examine_ports(Findings& findings, const base::Settings& settings, bool in_use) {
    for (const std::string_view name : {"listen", "metrics-listen"}) {
        const std::string& address = settings.text(name);
        if (address.empty()) continue;
        auto listener = net::bind_listener(address);
        if (listener) {
            ::close(listener->descriptor);
            findings.good("--" + std::string(name) + " " + address + " is free");
        } else if (in_use) {
            findings.good("--" + std::string(name) + " " + address +
                          " is taken, by the running Lingxi as it seems");
        } else {
            findings.bad(listener.error().message, "Or start with another --" + std::string(name) + ".");
        }
    }
}

void examine_installation(Findings& findings, const base::Settings& settings) {
    for (const std::string_view name : {"lingxi-gateway", "lingxi-render"}) {
        const fs::path path = runtime::beside_own_executable(name);
        if (::access(path.c_str(), X_OK) == 0) continue;
        findings.bad(path.string() + " is missing.", "Build all executables: scripts/build native release.");
    }
    const std::string& root = settings.text("web-root");
    if (root.empty()) {
        findings.note("No web client is served: set --web-root (./run does) or use other clients.");
    } else if (!fs::exists(fs::path(root) / "index.html")) {
        findings.bad("There is no built web client in " + root + ".", "Build it: scripts/build web.");
    } else {
        findings.good("Web client in " + root);
    }
    rlimit descriptors{};
    if (::getrlimit(RLIMIT_NOFILE, &descriptors) == 0 && descriptors.rlim_max < kDescriptorsWanted) {
        findings.bad("Only " + std::to_string(descriptors.rlim_max) + " open files are allowed.",
                     "Each client is one: raise the limit (ulimit -n, LimitNOFILE= in the systemd unit).");
    }
}

void examine_clock(Findings& findings) {
    timex state{};
    if (::adjtimex(&state) == TIME_ERROR) {
        findings.note(
            "The clock is not set by anybody (NTP): links and invitations expire by it. "
            "apt install systemd-timesyncd");
    } else {
        findings.good("The clock is kept in time");
    }
}

bool answers_on_loopback(std::uint16_t port) {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return false;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool begun =
        ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
        errno == EINPROGRESS;
    pollfd wait{.fd = descriptor, .events = POLLOUT, .revents = 0};
    int error = ETIMEDOUT;
    socklen_t size = sizeof error;
    if (begun && ::poll(&wait, 1, kModelServerLimitMs) == 1)
        ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
    ::close(descriptor);
    return error == 0;
}

void examine_models(Findings& findings, const base::Settings& settings, const fs::path& data) {
    const std::string& given = settings.text("gateway-config");
    const fs::path file = given.empty() ? data / "gateway" / "gateway.toml" : fs::path(given);
    std::error_code error;
    if (fs::exists(file, error)) {
        findings.good("Model servers are listed in " + file.string() +
                      "; the administrator's page tries them");
        return;
    }
    std::string found;
    for (const LocalModelServer& server : kLocalModelServers) {
        if (!answers_on_loopback(server.port)) continue;
        found += (found.empty() ? "" : ", ") + std::string("port ") + std::to_string(server.port) + " (" +
                 std::string(server.name) + " as a rule)";
    }
    findings.note(
        "No model server is set up, and none is needed: chat and offline suggestions work." +
        (found.empty() ? "" : " Something answers on " + found + ": the administrator's page offers it."));
}

}  // namespace

int examine(const base::Settings& settings) {
    Findings findings;
    const fs::path data = fs::absolute(settings.text("data"));
    const bool in_use = is_in_use(data);
    examine_directory(findings, data, in_use);
    examine_ports(findings, settings, in_use);
    examine_installation(findings, settings);
    examine_clock(findings);
    examine_models(findings, settings, data);
    return findings.faultless() ? 0 : 1;
}

}  // namespace app
