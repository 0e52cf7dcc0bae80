// lingxi-bench-gateway: stands where core stands, and calls a model server through the real lingxi-gateway
// and directly, in turns, at the same rate. The difference is the gateway's own.

#include "../load/connection.h"
#include "../load/latencies.h"
#include "../load/options.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include <base/crypto.h>
#include <egress/model.h>
#include <runtime/runtime.h>
#include <runtime/supervisor.h>
#include <runtime/task_group.h>
#include <wire/channel.h>

namespace bench {
namespace {

constexpr std::string_view kPrompt = "我们周六中午十二点半见，别忘了带上那本书，it is on the second shelf";
constexpr std::size_t kMostUnderWay = 200;

/// No two alike: what has been answered already is no call.
std::string prompt(std::uint64_t number) {
    return std::to_string(number) + ": " + std::string(kPrompt);
}

/// Starts lingxi-gateway as the supervisor does: its end of the wire is descriptor 3, and nothing else is
/// open.
pid_t start_gateway(const Options& options, int& wire_fd) {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) std::exit(1);
    const auto executable = options.text("gateway");
    const auto directory = options.text("directory");
    const auto config = options.text("config");
    const pid_t pid = ::fork();
    if (pid == 0) {
        if (pair[1] == runtime::kWireDescriptor) {
            ::fcntl(pair[1], F_SETFD, 0);
        } else {
            ::dup2(pair[1], runtime::kWireDescriptor);
        }
        ::execl(executable.c_str(), executable.c_str(), "--directory", directory.c_str(), "--config",
                config.c_str(), "--log-level", "error", nullptr);
        ::_exit(127);
    }
    ::close(pair[1]);
    wire_fd = pair[0];
    return pid;
}

struct Probe {
    Probe(const Options& options, int wire_fd)
        : peer(runtime),
          gateway(peer),
          group(runtime, "probe"),
          endpoint(loopback_endpoint(options.text("model"))),
          rate(options.real("rate", 1000)),
          slice(options.number("slice-ms", 500)),
          slices(static_cast<int>(options.number("slices", 10))) {
        peer.attach(wire_fd);
    }
    runtime::Runtime runtime;
    wire::Peer peer;
    egress::Gateway gateway;
    runtime::TaskGroup group;
    Endpoint endpoint;
    double rate;
    std::chrono::milliseconds slice;
    int slices;
    std::vector<std::shared_ptr<Connection>> free;
    Latencies through, direct;
    double direct_cpu_us = 0;  ///< of this process, while it calls directly
    std::uint64_t failed = 0, skipped = 0;
    std::size_t under_way = 0;
    std::uint64_t number = 0;
};

double cpu_us(const rusage& used) {
    const auto of = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
    };
    return of(used.ru_utime) + of(used.ru_stime);
}

double own_cpu_us() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    return cpu_us(used);
}

runtime::Task<void> call_through(Probe& probe, Clock::time_point due) {
    ++probe.under_way;
    const auto number = ++probe.number;
    egress::ModelRequest request{
        .call_id = egress::CallId("bench" + std::to_string(number)),
        .purpose = "translate",
        .messages = {{egress::PromptMessage::Role::system, "Translate into English."},
                     {egress::PromptMessage::Role::user, prompt(number)}},
        .deadline = Clock::now() + std::chrono::seconds(10)};
    bool finished = false;
    auto call = probe.gateway.begin(std::move(request));
    while (call && !finished) {
        auto event = co_await call->next();
        if (!event) break;
        if (std::holds_alternative<egress::Prepared>(*event)) {
            if (auto gone = co_await call->go(); !gone) break;
        }
        finished = std::holds_alternative<egress::Finished>(*event);
    }
    --probe.under_way;
    if (finished) {
        probe.through.add(Clock::now() - due);
    } else {
        ++probe.failed;
    }
}

void call_directly(Probe& probe, Clock::time_point due) {
    if (probe.free.empty()) {
        probe.free.push_back(std::make_shared<Connection>(probe.runtime.io(), probe.endpoint));
        if (!probe.free.back()->open()) {
            ++probe.failed;
            probe.free.pop_back();
            return;
        }
    }
    auto connection = std::move(probe.free.back());
    probe.free.pop_back();
    ++probe.under_way;
    const auto body =
        R"({"model":"bench","messages":[{"role":"system","content":"Translate into English."},)"
        R"({"role":"user","content":")" +
        prompt(++probe.number) +
        R"("}],"stream":true,"stream_options":{"include_usage":true},"max_tokens":512,"temperature":0.7})";
    auto* raw = connection.get();
    raw->ask(request_text("POST", "/v1/chat/completions", "", body),
             [&probe, connection = std::move(connection), due](const Answer& answer) {
                 --probe.under_way;
                 if (answer.status != 200 || answer.body.find("[DONE]") == std::string_view::npos) {
                     ++probe.failed;
                     return;
                 }
                 probe.direct.add(Clock::now() - due);
                 probe.free.push_back(connection);
             });
}

runtime::Task<void> run(Probe& probe) {
    // The first call of each waits for connections; it is not counted.
    co_await call_through(probe, Clock::now());
    call_directly(probe, Clock::now());
    co_await runtime::sleep_for(std::chrono::milliseconds(100));
    probe.through = {};
    probe.direct = {};
    for (int slice = 0; slice < 2 * probe.slices; ++slice) {
        const auto start = Clock::now();
        const auto cpu_before_us = own_cpu_us();
        for (std::uint64_t sent = 0;; ++sent) {
            const auto due =
                start + std::chrono::duration_cast<Clock::duration>(
                            std::chrono::duration<double>(static_cast<double>(sent) / probe.rate));
            if (due - start >= probe.slice) break;
            // Even where it is late: what came in must have its turn.
            co_await runtime::sleep_for(std::max(due - Clock::now(), Clock::duration::zero()));
            if (probe.under_way >= kMostUnderWay) {
                ++probe.skipped;
            } else if (slice % 2 == 0) {
                probe.group.spawn(call_through(probe, due));
            } else {
                call_directly(probe, due);
            }
        }
        while (probe.under_way > 0) co_await runtime::sleep_for(std::chrono::milliseconds(1));
        if (slice % 2 != 0) probe.direct_cpu_us += own_cpu_us() - cpu_before_us;
    }
    for (const auto& connection : probe.free) connection->close();
    co_await probe.peer.stop();
    probe.runtime.stop();
}

int probe_gateway(const Options& options) {
    int wire_fd = -1;
    const pid_t child = start_gateway(options, wire_fd);
    Latencies through, direct;
    std::uint64_t failed = 0, skipped = 0;
    double direct_cpu_us = 0;
    {
        Probe probe(options, wire_fd);
        runtime::TaskGroup main(probe.runtime, "main");
        main.spawn(run(probe));
        probe.runtime.run();
        through = std::move(probe.through);
        direct = std::move(probe.direct);
        direct_cpu_us = probe.direct_cpu_us;
        failed = probe.failed;
        skipped = probe.skipped;
    }
    ::kill(child, SIGTERM);
    rusage used{};
    ::wait4(child, nullptr, 0, &used);
    const auto a_call = [](double us, const Latencies& calls) {
        return us / static_cast<double>(std::max<std::size_t>(1, calls.count()));
    };
    std::printf(
        R"({"failed":%llu,"skipped":%llu,"cpu_us":%.1f,"direct_cpu_us":%.1f,"through":{%s},"direct":{%s}})"
        "\n",
        static_cast<unsigned long long>(failed), static_cast<unsigned long long>(skipped),
        a_call(cpu_us(used), through), a_call(direct_cpu_us, direct), through.json().c_str(),
        direct.json().c_str());
    return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    base::initialise_crypto();
    return bench::probe_gateway(bench::Options(std::span(argv, static_cast<std::size_t>(argc)).subspan(1)));
}
