#include "serve.h"

#include "core.h"
#include "paths.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include <boost/url/parse.hpp>

#include <base/log.h>
#include <net/server.h>
#include <runtime/log_sink.h>
#include <runtime/supervisor.h>

namespace app {
namespace {

int refuse_to_start(const base::Error& error) {
    std::fprintf(stderr, "lingxi: %s\n  (%s)\n", error.message.c_str(), error.code.c_str());
    return runtime::kExitMisconfigured;
}

std::unexpected<base::Error> bad_setting(std::string message) {
    return base::fail(base::ErrorKind::invalid, "app.bad_setting", std::move(message));
}

/// What one row cannot tell: values that have a form, and settings that need each other.
base::Result<void> check_settings(const base::Settings& settings) {
    if (const std::string& text = settings.text("public-url"); !text.empty()) {
        const auto url = boost::urls::parse_uri(text);
        const bool web = url && (url->scheme() == "http" || url->scheme() == "https") && !url->host().empty();
        if (!web || url->has_query() || url->has_fragment() || url->has_userinfo() ||
            (!url->path().empty() && url->path() != "/")) {
            return bad_setting(
                "--public-url takes http:// or https:// and a host, as https://chat.example.org, not '" +
                text + "'.");
        }
    }
    if (const std::string& text = settings.text("support-page"); !text.empty()) {
        const auto url = boost::urls::parse_uri(text);
        if (!url || (url->scheme() != "http" && url->scheme() != "https") || url->host().empty()) {
            return bad_setting("--support-page takes a web page, as https://example.org/help, not '" + text +
                               "'.");
        }
    }
    if (settings.text("tls-certificate").empty() != settings.text("tls-key").empty())
        return bad_setting("--tls-certificate and --tls-key go together: one of them is missing.");
    for (const std::string_view name : {"tls-certificate", "tls-key", "gateway-config"}) {
        if (const std::string& file = settings.text(name);
            !file.empty() && ::access(file.c_str(), R_OK) != 0) {
            return bad_setting("--" + std::string(name) + ": the file " + file +
                               " cannot be read: " + std::strerror(errno) + ".");
        }
    }
    if (const std::string& root = settings.text("web-root");
        !root.empty() && !std::filesystem::is_directory(root)) {
        return bad_setting("--web-root: there is no directory " + root +
                           "; `scripts/build web` makes web/dist.");
    }
    return {};
}

std::vector<std::string> gateway_arguments(const base::Settings& settings, const Paths& paths) {
    std::vector<std::string> arguments{"--directory", paths.gateway.string(), "--log-level",
                                       settings.text("log-level")};
    if (const std::string& file = settings.text("gateway-config"); !file.empty()) {
        arguments.insert(arguments.end(), {"--config", std::filesystem::absolute(file).string()});
    }
    return arguments;
}

/// Each client and each parked long-poll is a descriptor, and shells allow 1,024: as many as the system lets
/// this process have. What cannot be raised bounds the connections, and no more.
void raise_descriptor_limit() {
    rlimit descriptors{};
    if (::getrlimit(RLIMIT_NOFILE, &descriptors) != 0 || descriptors.rlim_cur == descriptors.rlim_max) return;
    descriptors.rlim_cur = descriptors.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &descriptors) != 0) base::log_warning("serve.descriptor_limit_kept");
}

/// The links of a note in bold.
std::string with_bold_links(std::string_view note) {
    std::string out;
    for (std::size_t link = note.find("http"); link != std::string_view::npos; link = note.find("http")) {
        const std::size_t end = std::min(note.find_first_of(" \n", link), note.size());
        out.append(note.substr(0, link)).append("\x1b[1m").append(note.substr(link, end - link));
        out.append("\x1b[0m");
        note.remove_prefix(end);
    }
    return out.append(note);
}

/// Core's note, one line a fact, is printed as it came: it knows the links. At a terminal they stand out.
void print_note(std::string_view note) {
    const std::string text = ::isatty(STDOUT_FILENO) == 1 ? with_bold_links(note) : std::string(note);
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

/// A connection is a descriptor, and what a shell or a service manager allows at first (1,024) is few.
void allow_many_descriptors() {
    rlimit limits{};
    if (::getrlimit(RLIMIT_NOFILE, &limits) != 0) return;
    limits.rlim_cur = std::max(limits.rlim_cur, std::min(limits.rlim_max, rlim_t{65'536}));
    std::ignore = ::setrlimit(RLIMIT_NOFILE, &limits);  // core counts with what there is
}

}  // namespace

int serve(const base::Settings& settings) {
    allow_many_descriptors();
    if (auto sound = check_settings(settings); !sound) return refuse_to_start(sound.error());
    auto paths = prepare_paths(settings.text("data"));
    if (!paths) return refuse_to_start(paths.error());
    if (auto taken = take_data_directory(*paths); !taken) return refuse_to_start(taken.error());

    runtime::SupervisorPlan plan;
    std::vector<std::string> addresses;
    for (const std::string_view name : {"listen", "metrics-listen"}) {
        if (settings.text(name).empty()) continue;
        auto listener = net::bind_listener(settings.text(name));
        if (!listener) return refuse_to_start(listener.error());
        plan.listeners.push_back(listener->descriptor);
        addresses.push_back(listener->address);
    }
    plan.core = [&](runtime::CoreStart start) {
        return run_core(settings, *paths, addresses, std::move(start));
    };
    plan.helpers = {{.name = "gateway",
                     .executable = runtime::beside_own_executable("lingxi-gateway"),
                     .arguments = gateway_arguments(settings, *paths),
                     .environment = std::nullopt},
                    {.name = "render",
                     .executable = runtime::beside_own_executable("lingxi-render"),
                     .arguments = {"--log-level", settings.text("log-level")},
                     .environment = std::vector<std::string>{}}};
    plan.run_directory = paths->run;
    plan.writable = {paths->data};
    plan.on_ready = print_note;
    runtime::install_log_sink("supervisor", log_level_of(settings));
    raise_descriptor_limit();
    return runtime::supervise(std::move(plan));
}

}  // namespace app
