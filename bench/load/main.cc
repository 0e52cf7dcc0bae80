// lingxi-bench-load: the bounded load generator of bench/run. Loopback only; one thread.

#include "commands.h"

#include <sys/resource.h>

#include <csignal>
#include <iostream>
#include <map>
#include <span>

int main(int argc, char** argv) {
    using Command = int (*)(const bench::Options&);
    static const std::map<std::string, Command> kCommands{
        {"furnish", bench::furnish},    {"send", bench::send_load}, {"pairs", bench::send_pairs},
        {"wake", bench::wake},          {"park", bench::park},      {"initial-sync", bench::initial_sync},
        {"assist", bench::assist_load}, {"storm", bench::storm},    {"fan-out", bench::fan_out},
    };
    const std::span<char*> arguments(argv, static_cast<std::size_t>(argc));
    const auto command = argc > 1 ? kCommands.find(argv[1]) : kCommands.end();
    if (command == kCommands.end()) {
        std::cerr << "usage: lingxi-bench-load COMMAND --name value...\n";
        for (const auto& [name, function] : kCommands) std::cerr << "  " << name << "\n";
        return 2;
    }
    std::signal(SIGPIPE, SIG_IGN);
    rlimit descriptors{};
    getrlimit(RLIMIT_NOFILE, &descriptors);
    descriptors.rlim_cur = descriptors.rlim_max;
    setrlimit(RLIMIT_NOFILE, &descriptors);
    return command->second(bench::Options(arguments.subspan(2)));
}
