#pragma once

#include <chrono>
#include <utility>

#include <runtime/signal.h>
#include <runtime/task_group.h>

namespace assistant {

/// What one task does for all who ask for it meanwhile. However it ends, by a fault too, they are woken, and
/// it can be begun anew. I/O thread only; outlives the task.
class SharedWork {
  public:
    explicit SharedWork(runtime::Runtime& runtime) : ended_(runtime) {}

    /// Begins `make()` where it is not under way. False where no task can be had.
    template <class Make>
    bool begin(runtime::TaskGroup& tasks, Make make) {
        if (is_under_way_) return true;
        struct Begun {
            SharedWork& self;
            bool is_so = false;
            ~Begun() {
                if (!is_so) self.is_under_way_ = false;
            }
        } begun{*this};
        is_under_way_ = true;
        begun.is_so = tasks.spawn(run(*this, make())) != nullptr;
        return begun.is_so;
    }
    /// True when it has ended, false when `limit` passed.
    runtime::Task<bool> wait(std::chrono::steady_clock::duration limit) {
        if (!is_under_way_) co_return true;
        co_return co_await ended_.wait(limit);
    }
    bool is_under_way() const { return is_under_way_; }

  private:
    static runtime::Task<void> run(SharedWork& self, runtime::Task<void> work) {
        struct End {
            SharedWork& self;
            ~End() {
                self.is_under_way_ = false;
                self.ended_.notify();
            }
        } end{self};
        co_await std::move(work);
    }

    bool is_under_way_ = false;
    runtime::Notifier ended_;
};

}  // namespace assistant
