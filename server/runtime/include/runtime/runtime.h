#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <base/metrics.h>
#include <base/result.h>
#include <runtime/task.h>

namespace runtime {

/// A pool of threads with a bounded queue. Work over the bound is refused, never piled up.
class WorkerPool {
  public:
    WorkerPool(std::string name, std::size_t threads, std::size_t queue_limit);
    ~WorkerPool();
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    /// False when the queue is full or the pool is stopping.
    [[nodiscard]] bool post(std::move_only_function<void()> work);
    void stop();  ///< Finishes what is queued, then joins. Idempotent.

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// The I/O thread and the pools of one process. Construct first, destroy last.
class Runtime {
  public:
    struct Options {
        std::size_t cpu_threads = 2;
        std::size_t cpu_queue_limit = 1024;
    };
    Runtime() : Runtime(Options{}) {}
    explicit Runtime(Options options);
    ~Runtime();
    Runtime(const Runtime&) = delete;
    Runtime& operator=(const Runtime&) = delete;

    boost::asio::io_context& io() { return io_; }
    boost::asio::any_io_executor executor() { return io_.get_executor(); }
    WorkerPool& cpu() { return *cpu_; }
    base::Metrics& metrics() { return metrics_; }

    /// Runs the I/O thread (the caller's) until stop() or until nothing is left to do.
    void run();
    void stop();

    /// Runs `work` on the CPU pool and resumes on the I/O thread with its result.
    /// Errors: runtime.busy (unavailable) when the pool's queue is full.
    template <class F, class R = std::invoke_result_t<F>>
    Task<base::Result<R>> on_cpu(F work) {
        co_return co_await on_pool<R>(*cpu_, std::move(work));
    }
    template <class R, class F>
    Task<base::Result<R>> on_pool(WorkerPool& pool, F work);

  private:
    boost::asio::io_context io_{1};
    base::Metrics metrics_;
    std::unique_ptr<WorkerPool> cpu_;
};

/// Suspends for `duration`; ends early (without an error) when the task is cancelled.
Task<void> sleep_for(std::chrono::steady_clock::duration duration);

/// Runs `start(resume)`, where `resume` may be called once from any thread, and waits on the I/O thread for
/// it. The bridge from threads to coroutines. Not cancellable: what was started is awaited.
Task<void> await_callback(std::move_only_function<void(std::move_only_function<void()>)> start);

template <class R, class F>
Task<base::Result<R>> Runtime::on_pool(WorkerPool& pool, F work) {
    struct Shared {
        F work;
        std::conditional_t<std::is_void_v<R>, std::monostate, std::optional<R>> value;
        std::exception_ptr fault;
        bool refused = false;
    };
    auto shared = std::make_shared<Shared>(Shared{std::move(work), {}, nullptr, false});
    co_await await_callback([shared, &pool](std::move_only_function<void()> resume) {
        auto resume_shared = std::make_shared<std::move_only_function<void()>>(std::move(resume));
        const bool accepted = pool.post([shared, resume_shared] {
            try {
                if constexpr (std::is_void_v<R>) {
                    shared->work();
                } else {
                    shared->value.emplace(shared->work());
                }
            } catch (...) {
                shared->fault = std::current_exception();
            }
            (*resume_shared)();
        });
        if (!accepted) {
            shared->refused = true;
            (*resume_shared)();
        }
    });
    if (shared->refused) {
        co_return base::fail(base::ErrorKind::unavailable, "runtime.busy",
                             "Too much work is waiting; try again.");
    }
    if (shared->fault) std::rethrow_exception(shared->fault);
    if constexpr (std::is_void_v<R>) {
        co_return base::Result<R>{};
    } else {
        co_return std::move(*shared->value);
    }
}

}  // namespace runtime
