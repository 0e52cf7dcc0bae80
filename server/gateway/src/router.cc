#include "router.h"

#include <algorithm>

namespace gateway {
namespace {

using namespace std::chrono_literals;

constexpr int kFailuresToOpen = 3;
constexpr auto kFirstPause = 5s;
constexpr auto kLongestPause = 120s;

/// Waiting calls a lane holds, and how long one may wait: whoever waits longer is better told so.
constexpr std::array<std::size_t, 3> kLaneLimit{32, 64, 128};
constexpr std::array<std::chrono::seconds, 3> kLaneWait{10s, 30s, 120s};

}  // namespace

base::Result<std::vector<StoredProvider>> Router::candidates(const egress::ModelRequest& request) const {
    std::vector<StoredProvider> fitting;
    bool any_enabled = false;
    for (const StoredProvider& stored : store_.all()) {
        if (!stored.shown.enabled) continue;
        any_enabled = true;
        if (!request.provider_id.empty() && stored.shown.id != request.provider_id) continue;
        if (request.this_machine_only && !stored.shown.on_this_machine) continue;
        if (circuit_open(stored.shown.id)) continue;
        fitting.push_back(stored);
    }
    if (!fitting.empty()) return fitting;
    if (!any_enabled) {
        return base::fail(base::ErrorKind::unavailable, "model.none_configured",
                          "No model server is set up on this server.");
    }
    return base::fail(base::ErrorKind::unavailable, "model.none_available",
                      "No model server that may be used answers at the moment.");
}

Router::Queue& Router::queue_of(const std::string& provider_id) {
    Queue& queue = queues_[provider_id];
    if (!queue.freed) queue.freed = std::make_shared<runtime::Notifier>(runtime_);
    return queue;
}

runtime::Task<base::Result<Router::Place>> Router::enter(StoredProvider provider, egress::Lane lane,
                                                         std::chrono::steady_clock::time_point deadline) {
    const std::string id = provider.shown.id;
    const int places = provider.shown.max_concurrent;
    const auto index = static_cast<std::size_t>(lane);
    Queue& queue = queue_of(id);  // map nodes stay where they are
    const auto earlier_lanes_wait = [&] {
        return std::any_of(queue.waiting.begin(), queue.waiting.begin() + static_cast<std::ptrdiff_t>(index),
                           [](std::size_t n) { return n > 0; });
    };
    if (queue.running < places && !earlier_lanes_wait() && queue.waiting[index] == 0) {
        ++queue.running;
        co_return Place(*this, id);
    }
    const auto busy = [] {
        return base::fail(base::ErrorKind::unavailable, "model.busy",
                          "Too many calls are waiting for the model; try again later.");
    };
    if (queue.waiting[index] >= kLaneLimit[index]) co_return busy();

    struct Waiting {
        std::size_t& count;
        explicit Waiting(std::size_t& c) : count(c) { ++count; }
        ~Waiting() { --count; }
    } waiting(queue.waiting[index]);
    const auto patience = std::chrono::steady_clock::now() + kLaneWait[index];
    const auto freed = queue.freed;
    while (queue.running >= places || earlier_lanes_wait()) {
        const auto now = std::chrono::steady_clock::now();
        if (now >= deadline) {
            co_return base::fail(base::ErrorKind::timeout, "model.timeout",
                                 "The model did not get to it in time.");
        }
        if (now >= patience) co_return busy();
        co_await freed->wait(std::min(deadline, patience) - now);
    }
    ++queue.running;
    co_return Place(*this, id);
}

Router::Place::~Place() {
    if (router_ == nullptr) return;
    Queue& queue = router_->queue_of(provider_id_);
    --queue.running;
    queue.freed->notify();
}

void Router::succeeded(const std::string& provider_id) {
    health_.erase(provider_id);
}

void Router::failed(const std::string& provider_id) {
    Health& health = health_[provider_id];
    if (++health.failures_in_a_row < kFailuresToOpen) return;
    // Doubles with each failure after the circuit opened; one call is let through when the pause is over.
    const int doublings = std::min(health.failures_in_a_row - kFailuresToOpen, 5);
    const auto pause =
        std::min<std::chrono::steady_clock::duration>(kFirstPause * (1 << doublings), kLongestPause);
    health.open_until = clock_.steady_now() + pause;
}

bool Router::circuit_open(const std::string& provider_id) const {
    const auto found = health_.find(provider_id);
    return found != health_.end() && clock_.steady_now() < found->second.open_until;
}

}  // namespace gateway
