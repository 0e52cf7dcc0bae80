#include "serve.h"

#include "core.h"
#include "paths.h"

#include <unistd.h>

#include <cstdio>
#include <string>

#include <net/server.h>
#include <runtime/log_sink.h>
#include <runtime/supervisor.h>

namespace app {
namespace {

int refuse_to_start(const base::Error& error) {
    std::fprintf(stderr, "lingxi: %s\n  (%s)\n", error.message.c_str(), error.code.c_str());
    return runtime::kExitMisconfigured;
}

std::vector<std::string> gateway_arguments(const base::Settings& settings, const Paths& paths) {
    std::vector<std::string> arguments{"--directory", paths.gateway.string(), "--log-level",
                                       settings.text("log-level")};
    if (const std::string& file = settings.text("gateway-config"); !file.empty()) {
        arguments.insert(arguments.end(), {"--config", std::filesystem::absolute(file).string()});
    }
    return arguments;
}

/// Core's note, one line a fact, is printed as it came: it knows the links.
void print_note(std::string_view note) {
    std::fwrite(note.data(), 1, note.size(), stdout);
    std::fflush(stdout);
}

}  // namespace

int serve(const base::Settings& settings) {
    auto paths = prepare_paths(settings.text("data"));
    if (!paths) return refuse_to_start(paths.error());

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
    plan.on_ready = print_note;
    runtime::install_log_sink("supervisor", log_level_of(settings));
    return runtime::supervise(std::move(plan));
}

}  // namespace app
