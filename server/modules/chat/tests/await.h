#pragma once

#include <exception>
#include <optional>
#include <utility>

#include <boost/asio/co_spawn.hpp>

#include <runtime/runtime.h>
#include <runtime/task.h>

namespace chat {

/// Runs the task to its end on this thread, and everything else of the loop meanwhile; what it throws is
/// thrown.
inline void await(runtime::Runtime& runtime, runtime::Task<void> task) {
    bool done = false;
    std::exception_ptr fault;
    boost::asio::co_spawn(runtime.io(), std::move(task), [&](std::exception_ptr error) {
        fault = error;
        done = true;
    });
    while (!done) runtime.io().run_one();
    if (fault) std::rethrow_exception(fault);
}

template <class T>
T await(runtime::Runtime& runtime, runtime::Task<T> task) {
    std::optional<T> result;
    const auto keep = [](runtime::Task<T> made, std::optional<T>& kept) -> runtime::Task<void> {
        kept.emplace(co_await std::move(made));
    };
    await(runtime, keep(std::move(task), result));
    return *std::move(result);
}

}  // namespace chat
