#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include <runtime/runtime.h>
#include <runtime/task.h>

namespace runtime {

/// Core's end of its supervisor. I/O thread only.
class SupervisorLink {
  public:
    /// Takes `socket_fd` over: from now on it carries the wire to that helper. Called for each at the
    /// beginning, and again whenever the helper was restarted.
    using OnPeer = std::function<void(std::string_view helper, int socket_fd)>;

    /// Takes `supervisor_fd` over.
    SupervisorLink(Runtime& runtime, int supervisor_fd, OnPeer on_peer);
    ~SupervisorLink();
    SupervisorLink(const SupervisorLink&) = delete;
    SupervisorLink& operator=(const SupervisorLink&) = delete;

    /// Says that core serves; `note` (at most 4,000 bytes) is for the person who started it.
    void ready(std::string_view note);
    /// Resolves when the supervisor has gone: then nobody would restart the helpers, and core should end too.
    /// Not by stop(): that is our own doing.
    Task<void> gone();
    Task<void> stop();

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace runtime
