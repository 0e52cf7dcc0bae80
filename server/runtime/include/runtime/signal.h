#pragma once

#include <chrono>
#include <list>
#include <memory>

#include <runtime/runtime.h>
#include <runtime/task.h>

namespace runtime {

/// Wakes the tasks that wait for news: the in-process signal that may be lost, never the authority.
/// A waiter checks its condition, then waits, then checks again; all on the I/O thread, so nothing slips
/// between.
class Notifier {
  public:
    explicit Notifier(Runtime& runtime);
    ~Notifier();
    Notifier(const Notifier&) = delete;
    Notifier& operator=(const Notifier&) = delete;

    /// Wakes all current waiters.
    void notify();
    /// True when notified, false when `limit` passed or the task was cancelled.
    Task<bool> wait(std::chrono::steady_clock::duration limit);
    std::size_t waiters() const { return waiters_; }

  private:
    struct Waiter;
    Runtime& runtime_;
    std::list<Waiter*> list_;
    std::size_t waiters_ = 0;
};

/// Resolves with the number of the first of SIGINT and SIGTERM.
Task<int> wait_for_shutdown_signal();

}  // namespace runtime
