#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <base/result.h>
#include <runtime/runtime.h>
#include <runtime/task_group.h>
#include <wire/channel.h>

namespace app {

/// The door for `lingxi admin` on this machine: a unix socket in the data directory that only its owner may
/// open. Bound before the process locks itself.
class AdminSocket {
  public:
    /// Errors: app.admin_socket (unavailable).
    static base::Result<AdminSocket> bind(const std::filesystem::path& path);
    AdminSocket(AdminSocket&& other) noexcept;
    AdminSocket& operator=(AdminSocket&&) = delete;
    ~AdminSocket();

    using Command =
        std::function<runtime::Task<base::Result<std::string>>(std::vector<std::string> arguments)>;
    /// Answers one command a connection until the group is cancelled.
    runtime::Task<void> serve(runtime::Runtime& runtime, runtime::TaskGroup& group, Command command);

  private:
    explicit AdminSocket(int descriptor) : descriptor_(descriptor) {}
    int descriptor_;
};

/// Asks a running server. Errors: app.not_running (unavailable) where nobody listens; what the command
/// answered.
base::Result<std::string> ask_running_server(const std::filesystem::path& path,
                                             std::vector<std::string> arguments);

}  // namespace app
