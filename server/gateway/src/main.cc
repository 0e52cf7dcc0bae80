// lingxi-gateway: started by the supervisor with its end of the wire to core at kWireDescriptor.

#include "http_client.h"
#include "provider_store.h"
#include "router.h"
#include "service.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include <base/clock.h>
#include <base/crypto.h>
#include <base/log.h>
#include <base/setting.h>
#include <runtime/log_sink.h>
#include <runtime/resolver_watch.h>
#include <runtime/runtime.h>
#include <runtime/sandbox.h>
#include <runtime/signal.h>
#include <runtime/supervisor.h>
#include <runtime/task_group.h>

namespace {

constexpr int kNiceness = 5;  // after core, whatever models are asked

constexpr base::Setting kRows[] = {
    {"directory", base::SettingType::path, "", "", "", false,
     "The gateway's own folder in the data directory."},
    {"config", base::SettingType::path, "", "", "", false, "A file of model servers that is only read."},
    {"log-level", base::SettingType::choice, "info", "", "debug|info|warning|error", false,
     "Least important events."},
};

base::LogLevel level_of(const std::string& name) {
    if (name == "debug") return base::LogLevel::debug;
    if (name == "warning") return base::LogLevel::warning;
    if (name == "error") return base::LogLevel::error;
    return base::LogLevel::info;
}

// Ends the process when core has gone (the supervisor then starts a new pair) or a signal came. The calls
// under way end first: they hold on to what main() owns.

runtime::Task<void> until_core_is_gone(runtime::Runtime& runtime, wire::Channel& channel) {
    co_await channel.closed();
    co_await channel.stop();
    runtime.stop();
}

runtime::Task<void> until_told_to_end(runtime::Runtime& runtime, wire::Channel& channel) {
    co_await runtime::wait_for_shutdown_signal();
    co_await channel.stop();
    runtime.stop();
}

/// Another network has come with other name servers: a process that is locked anew may read of them.
runtime::Task<void> until_resolver_is_lost(runtime::Runtime& runtime, wire::Channel& channel) {
    co_await runtime::resolver_file_lost();
    base::log_info("gateway.resolver_replaced");
    co_await channel.stop();
    runtime.stop();
}

int refuse_to_start(const base::Error& error) {
    base::log_error("gateway.cannot_start", {{"code", error.code}, {"what", error.message}});
    return runtime::kExitMisconfigured;
}

int serve(const base::Settings& settings) {
    const std::filesystem::path directory = settings.text("directory");
    const bool read_only = !settings.text("config").empty();
    const std::filesystem::path file =
        read_only ? std::filesystem::path(settings.text("config")) : directory / "gateway.toml";

    std::vector<std::filesystem::path> readable;
    if (read_only) readable.push_back(file);
    if (auto locked = runtime::lock_down(runtime::gateway_allowances(directory, readable)); !locked)
        return refuse_to_start(locked.error());

    auto store = gateway::ProviderStore::open(file, read_only);
    if (!store) return refuse_to_start(store.error());

    runtime::Runtime runtime;
    const base::SystemClock clock;
    gateway::HttpClient http(runtime);
    gateway::Router router(runtime, clock, *store);
    gateway::Service service(runtime, clock, *store, http, router);
    wire::Channel channel(runtime, runtime::kWireDescriptor,
                          [&service](std::string method, wire::Message request, wire::ServedCall& call) {
                              return service.serve(std::move(method), std::move(request), call);
                          });
    runtime::TaskGroup group(runtime, "gateway");
    group.spawn(until_core_is_gone(runtime, channel));
    group.spawn(until_told_to_end(runtime, channel));
    group.spawn(until_resolver_is_lost(runtime, channel));
    base::log_info("gateway.serving", {{"providers", store->all().size()}});
    runtime.run();
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    base::initialise_crypto();
    base::Settings settings(kRows);
    std::vector<std::string> rest;
    const std::vector<std::string_view> arguments(argv + 1, argv + argc);
    if (auto applied = settings.apply_arguments(arguments, rest); !applied) {
        std::fprintf(stderr, "lingxi-gateway: %s\n", applied.error().message.c_str());
        return runtime::kExitMisconfigured;
    }
    runtime::install_log_sink("gateway", level_of(settings.text("log-level")));
    // Where the processor is short, chat goes first.
    if (::setpriority(PRIO_PROCESS, 0, kNiceness) != 0) base::log_warning("gateway.not_nice");
    return serve(settings);
}
