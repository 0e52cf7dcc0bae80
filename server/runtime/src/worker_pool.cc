#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <runtime/runtime.h>

namespace runtime {

struct WorkerPool::State {
    std::string name;
    std::size_t queue_limit;
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<std::move_only_function<void()>> queue;
    bool stopping = false;
    std::vector<std::thread> threads;

    void work() {
        pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
        for (;;) {
            std::move_only_function<void()> next;
            {
                std::unique_lock lock(mutex);
                wake.wait(lock, [this] { return stopping || !queue.empty(); });
                if (queue.empty()) return;
                next = std::move(queue.front());
                queue.pop_front();
            }
            next();
        }
    }
};

WorkerPool::WorkerPool(std::string name, std::size_t threads, std::size_t queue_limit)
    : state_(std::make_unique<State>()) {
    state_->name = std::move(name);
    state_->queue_limit = queue_limit;
    for (std::size_t i = 0; i < threads; ++i) state_->threads.emplace_back([this] { state_->work(); });
}

WorkerPool::~WorkerPool() {
    stop();
}

bool WorkerPool::post(std::move_only_function<void()> work) {
    {
        const std::lock_guard lock(state_->mutex);
        if (state_->stopping || state_->queue.size() >= state_->queue_limit) return false;
        state_->queue.push_back(std::move(work));
    }
    state_->wake.notify_one();
    return true;
}

void WorkerPool::stop() {
    {
        const std::lock_guard lock(state_->mutex);
        state_->stopping = true;
    }
    state_->wake.notify_all();
    for (std::thread& thread : state_->threads) {
        if (thread.joinable()) thread.join();
    }
}

}  // namespace runtime
