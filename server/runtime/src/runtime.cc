#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <runtime/runtime.h>

namespace runtime {

namespace asio = boost::asio;

Runtime::Runtime(Options options)
    : cpu_(std::make_unique<WorkerPool>("cpu", options.cpu_threads, options.cpu_queue_limit)) {}

Runtime::~Runtime() {
    cpu_->stop();
}

void Runtime::run() {
    const auto work = asio::make_work_guard(io_);
    io_.run();
}

void Runtime::stop() {
    io_.stop();
}

Task<void> sleep_for(std::chrono::steady_clock::duration duration) {
    asio::steady_timer timer(co_await asio::this_coro::executor, duration);
    boost::system::error_code ignored;  // only ever operation_aborted: the sleeper was cancelled
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

Task<void> await_callback(std::move_only_function<void(std::move_only_function<void()>)> start) {
    auto executor = co_await asio::this_coro::executor;
    co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(
        [executor, start = std::move(start)](auto handler) mutable {
            // Holds the I/O thread open until the handler has been posted back to it.
            auto shared = std::make_shared<decltype(handler)>(std::move(handler));
            auto guard = std::make_shared<asio::executor_work_guard<asio::any_io_executor>>(
                asio::make_work_guard(asio::any_io_executor(executor)));
            start([executor, shared, guard] {
                asio::post(executor, [shared, guard] { std::move (*shared)(); });
            });
        },
        asio::use_awaitable);
}

}  // namespace runtime
