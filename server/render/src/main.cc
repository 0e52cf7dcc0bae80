// lingxi-render: decodes what people upload. Started by the supervisor, with its wire to core at
// descriptor 3.
#include <malloc.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <span>
#include <string_view>

#include <base/log.h>
#include <render/picture.h>
#include <render/service.h>
#include <runtime/log_sink.h>
#include <runtime/runtime.h>
#include <runtime/sandbox.h>
#include <runtime/signal.h>
#include <runtime/supervisor.h>
#include <runtime/task_group.h>
#include <wire/channel.h>

namespace {

constexpr int kExitUsage = 64;     // EX_USAGE
constexpr int kExitSoftware = 70;  // EX_SOFTWARE
constexpr int kExitOverrun = 75;   // EX_TEMPFAIL
constexpr int kNiceness = 10;      // after core and gateway, whatever is uploaded

struct Arguments {
    bool valid = true;
    base::LogLevel log_level = base::LogLevel::info;
    std::chrono::milliseconds job_limit = imaging::kJobLimit;
};

Arguments parse(std::span<char*> texts) {
    Arguments out;
    for (std::size_t i = 1; i + 1 < texts.size(); i += 2) {
        const std::string_view name = texts[i];
        const std::string_view value = texts[i + 1];
        if (name == "--log-level") {
            if (value == "debug") out.log_level = base::LogLevel::debug;
            if (value == "warning") out.log_level = base::LogLevel::warning;
            if (value == "error") out.log_level = base::LogLevel::error;
        } else if (name == "--job-limit-ms") {
            int ms = 0;
            const auto read = std::from_chars(value.data(), value.data() + value.size(), ms);
            out.valid = out.valid && read.ec == std::errc() && ms > 0;
            out.job_limit = std::chrono::milliseconds(ms);
        } else {
            out.valid = false;
        }
    }
    out.valid = out.valid && texts.size() % 2 == 1;
    return out;
}

/// Waits for core's first word: until then there is nothing to start libvips for. False when core has gone.
bool wait_for_work() {
    pollfd wire{runtime::kWireDescriptor, POLLIN, 0};
    while (::poll(&wire, 1, -1) < 0) {
    }
    return (wire.revents & POLLHUP) == 0;
}

runtime::Task<void> stop_on_signal(runtime::Runtime& runtime) {
    co_await runtime::wait_for_shutdown_signal();
    runtime.stop();
}

runtime::Task<void> stop_with_core(runtime::Runtime& runtime, wire::Channel& channel) {
    co_await channel.closed();
    runtime.stop();
}

}  // namespace

int main(int argc, char** argv) {
    const Arguments arguments = parse({argv, static_cast<std::size_t>(argc)});
    if (!arguments.valid) {
        std::fputs("lingxi-render is started by lingxi serve\n", stderr);
        return kExitUsage;
    }
    runtime::install_log_sink("render", arguments.log_level);
    ::mallopt(M_ARENA_MAX, 2);  // each reserves 64 MiB of the address space that is limited
    if (::setpriority(PRIO_PROCESS, 0, kNiceness) != 0) base::log_warning("render.not_nice");
    if (!wait_for_work()) return 0;
    if (!render::start_decoders()) {
        base::log_error("render.no_libvips");
        return kExitSoftware;
    }
    if (const auto locked = runtime::lock_down(runtime::render_allowances()); !locked) {
        base::log_error("render.not_locked", {{"error", locked.error().message}});
        return kExitSoftware;
    }

    runtime::Runtime runtime({.cpu_threads = 0});
    render::Service service(runtime,
                            {.job_limit = arguments.job_limit, .on_overrun = [] { ::_exit(kExitOverrun); }});
    wire::Channel channel(runtime, runtime::kWireDescriptor, service.wire_service());
    runtime::TaskGroup tasks(runtime, "render");
    tasks.spawn(stop_on_signal(runtime));
    tasks.spawn(stop_with_core(runtime, channel));
    runtime.run();
    // A decoder may be at work for seconds yet, for nobody.
    ::_exit(0);
}
