#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include <boost/asio/cancellation_signal.hpp>

#include <runtime/runtime.h>
#include <runtime/task.h>

namespace runtime {

/// The only way to start a task that nobody awaits. Every task belongs to a group; stop() cancels and awaits
/// all. I/O thread only.
class TaskGroup {
  public:
    /// `name` stands in the log when a task ends with a fault.
    TaskGroup(Runtime& runtime, std::string name);
    ~TaskGroup();
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    /// Starts `task`; a fault that escapes it is logged. Refused (dropped, null) once the group is stopping.
    /// What it returns cancels this one task, and is valid until the task has ended.
    boost::asio::cancellation_signal* spawn(Task<void> task);
    std::size_t size() const;

    /// Asks every task to end (Asio total cancellation).
    void cancel();
    /// Cancels, then waits until each has ended.
    Task<void> stop();
    /// Waits until no task is left, at most `limit`. False when some still run.
    Task<bool> wait(std::chrono::steady_clock::duration limit);

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace runtime
