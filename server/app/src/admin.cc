#include "admin.h"

#include "admin_socket.h"

#include <cstdio>
#include <filesystem>

#include <runtime/supervisor.h>

namespace app {

int administer(const base::Settings& settings, const std::vector<std::string>& arguments) {
    if (arguments.empty()) {
        std::fprintf(stderr,
                     "lingxi admin: name a command; there is: setup-link (a new one-use link that makes the "
                     "administrator)\n");
        return runtime::kExitMisconfigured;
    }
    const auto socket = std::filesystem::absolute(settings.text("data")) / "core" / "admin.sock";
    auto answer = ask_running_server(socket, arguments);
    if (!answer) {
        std::fprintf(stderr, "lingxi admin: %s\n", answer.error().message.c_str());
        return 1;
    }
    std::printf("%s\n", answer->c_str());
    return 0;
}

}  // namespace app
