#include <list>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include <base/log.h>
#include <runtime/signal.h>
#include <runtime/task_group.h>

namespace runtime {

namespace asio = boost::asio;

struct TaskGroup::State : std::enable_shared_from_this<TaskGroup::State> {
    explicit State(Runtime& r, std::string n) : runtime(r), name(std::move(n)), emptied(r) {}

    Runtime& runtime;
    std::string name;
    std::list<asio::cancellation_signal> running;
    bool stopping = false;
    Notifier emptied;
};

namespace {

/// How a task that was told to stop leaves the loop in which it waited.
bool is_cancellation(const std::exception& error) {
    const auto* of_system = dynamic_cast<const boost::system::system_error*>(&error);
    return of_system != nullptr && of_system->code() == asio::error::operation_aborted;
}

}  // namespace

TaskGroup::TaskGroup(Runtime& runtime, std::string name)
    : state_(std::make_shared<State>(runtime, std::move(name))) {}

TaskGroup::~TaskGroup() {
    state_->stopping = true;
    cancel();
}

asio::cancellation_signal* TaskGroup::spawn(Task<void> task) {
    if (state_->stopping) return nullptr;
    const auto place = state_->running.emplace(state_->running.end());
    asio::co_spawn(
        state_->runtime.executor(), std::move(task),
        asio::bind_cancellation_slot(place->slot(), [state = state_, place](const std::exception_ptr& fault) {
            if (fault) {
                try {
                    std::rethrow_exception(fault);
                } catch (const std::exception& error) {
                    if (!state->stopping || !is_cancellation(error))
                        base::log_error("runtime.task_fault",
                                        {{"group", state->name}, {"what", error.what()}});
                }
            }
            // The slot must outlive this handler's own use of it: erase in a turn of its own.
            asio::post(state->runtime.executor(), [state, place] {
                state->running.erase(place);
                if (state->running.empty()) state->emptied.notify();
            });
        }));
    return &*place;
}

std::size_t TaskGroup::size() const {
    return state_->running.size();
}

void TaskGroup::cancel() {
    asio::post(state_->runtime.executor(), [state = state_] {
        // What ends by this leaves the list in a later turn.
        for (auto& live : state->running) live.emit(asio::cancellation_type::all);
    });
}

Task<void> TaskGroup::stop() {
    auto state = state_;
    state->stopping = true;
    cancel();
    while (!state->running.empty()) co_await state->emptied.wait(std::chrono::seconds(1));
}

Task<bool> TaskGroup::wait(std::chrono::steady_clock::duration limit) {
    auto state = state_;
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!state->running.empty()) {
        const auto left = end - std::chrono::steady_clock::now();
        if (left <= std::chrono::steady_clock::duration::zero()) co_return false;
        co_await state->emptied.wait(left);
    }
    co_return true;
}

}  // namespace runtime
