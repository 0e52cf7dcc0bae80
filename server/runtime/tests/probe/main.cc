// A helper process for the supervisor's tests. Arguments: the file to note events in, then a mode:
//   serve          says its pid over the wire, then waits for the end of it
//   report         as serve, and notes its descriptors and environment
//   fail CODE      exits at once
//   stubborn       says its pid, then ignores SIGTERM and the end of the wire
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>

namespace {

constexpr int kWire = 3;

void note(const char* file, const std::string& line) {
    const int fd = ::open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const std::string text = line + "\n";
    if (::write(fd, text.data(), text.size()) < 0) ::_exit(1);
    ::close(fd);
}

void report(const char* file) {
    std::set<int> open;
    for (int fd = 0; fd < 256; ++fd) {
        if (::fcntl(fd, F_GETFD) >= 0) open.insert(fd);
    }
    std::string text = "descriptors";
    for (const int fd : open) text += " " + std::to_string(fd);
    note(file, text);
    text = "environment";
    for (char** variable = environ; *variable != nullptr; ++variable) text += " " + std::string(*variable);
    note(file, text);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    const std::string mode = argv[2];
    if (mode == "fail") {
        note(argv[1], "helper failed");
        return std::atoi(argv[3]);
    }
    if (mode == "report") report(argv[1]);
    if (mode == "stubborn") std::signal(SIGTERM, SIG_IGN);
    const std::string hello = std::to_string(::getpid()) + "\n";
    if (::write(kWire, hello.data(), hello.size()) < 0) return 1;
    char byte = 0;
    while (::read(kWire, &byte, 1) > 0) {
    }
    while (mode == "stubborn") ::pause();
    note(argv[1], "helper ended");
    return 0;
}
