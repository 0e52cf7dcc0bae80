#include "router.h"

#include <algorithm>
#include <tuple>

namespace gateway {
namespace {

using namespace std::chrono_literals;

constexpr int kFailuresToOpen = 3;
/// More, since it may be one person's requests that a server that is well does not want.
constexpr int kRefusalsToOpen = 5;
constexpr auto kFirstPause = 5s;
constexpr auto kLongestPause = 120s;

/// Of each lane: how many may wait, and how long one may. Whoever would wait longer is better told so at
/// once: where the first in the lane has stood there for half of it already, nobody joins any more.
struct LaneLimits {
    std::size_t waiting;
    std::chrono::seconds patience;
};
constexpr std::array<LaneLimits, 3> kLanes{LaneLimits{32, 10s}, LaneLimits{64, 30s}, LaneLimits{128, 120s}};

/// In the order of egress::Lane.
constexpr std::array<std::string_view, 3> kLaneNames{"interactive", "user_async", "background"};

std::unexpected<base::Error> busy() {
    return base::fail(base::ErrorKind::unavailable, "model.busy",
                      "Too many calls are waiting for the model; try again later.");
}

std::unexpected<base::Error> none_available() {
    return base::fail(base::ErrorKind::unavailable, "model.none_available",
                      "No model server that may be used answers at the moment.");
}

}  // namespace

base::Result<std::vector<StoredProvider>> Router::fitting(const egress::ModelRequest& request) const {
    std::vector<StoredProvider> found;
    bool any_enabled = false;
    for (const StoredProvider& stored : store_.all()) {
        if (!stored.shown.enabled && !request.is_trial) continue;
        any_enabled = true;
        if (!request.provider_id.empty() && stored.shown.id != request.provider_id) continue;
        if (request.this_machine_only && !stored.shown.on_this_machine) continue;
        if (!request.provider_name.empty() && stored.shown.name != request.provider_name) continue;
        found.push_back(stored);
    }
    if (!found.empty()) return found;
    if (any_enabled) return none_available();
    return base::fail(base::ErrorKind::unavailable, "model.none_configured",
                      "No model server is set up on this server.");
}

bool Router::still_stands(const StoredProvider& offered, bool is_trial) const {
    const StoredProvider* now = store_.find(offered.shown.id);
    if (now == nullptr || (!now->shown.enabled && !is_trial)) return false;
    const auto where_and_for_what = [](const StoredProvider& stored) {
        const egress::Provider& shown = stored.shown;
        return std::tie(shown.base_url, stored.api_key, shown.name, shown.model,
                        shown.input_price_micros_per_million, shown.output_price_micros_per_million,
                        shown.currency);
    };
    return where_and_for_what(*now) == where_and_for_what(offered);
}

Router::Queue& Router::queue_of(const std::string& provider_id) {
    Queue& queue = queues_[provider_id];
    if (!queue.freed) queue.freed = std::make_shared<runtime::Notifier>(runtime_);
    return queue;
}

base::Result<Router::Place> Router::take(const std::string& provider_id, Queue& queue) {
    if (circuit_open(provider_id)) return none_available();  // it may have opened during the wait
    const auto health = health_.find(provider_id);
    const bool is_probe = health != health_.end() && has_failed(health->second);
    if (is_probe) health->second.is_probed = true;
    ++queue.running;
    return Place(*this, provider_id, is_probe);
}

runtime::Task<base::Result<Router::Place>> Router::enter(const StoredProvider& provider, egress::Lane lane,
                                                         TimePoint deadline,
                                                         std::function<bool()> is_given_up) {
    const std::string id = provider.shown.id;
    const int places = provider.shown.max_concurrent;
    const auto index = static_cast<std::size_t>(lane);
    const LaneLimits limits = kLanes.at(index);
    Queue& queue = queue_of(id);  // map nodes stay where they are
    auto& own_lane = queue.waiting.at(index);
    if (circuit_open(id)) co_return none_available();

    const auto began = clock_.steady_now();
    const auto first_has_waited = own_lane.empty() ? 0s : began - own_lane.front();
    if (own_lane.size() >= limits.waiting || first_has_waited > limits.patience / 2) co_return busy();
    struct Waiting {
        Queue& queue;
        std::list<TimePoint>& lane;
        std::list<TimePoint>::iterator place;
        ~Waiting() {
            lane.erase(place);
            queue.freed->notify();  // the next in line may stand in front now
        }
    };
    const Waiting waiting{queue, own_lane, own_lane.insert(own_lane.end(), began)};
    const auto is_first = [&] {
        return waiting.place == own_lane.begin() &&
               std::all_of(queue.waiting.begin(), queue.waiting.begin() + static_cast<std::ptrdiff_t>(index),
                           [](const auto& earlier) { return earlier.empty(); });
    };
    const auto patience = began + limits.patience;
    const auto freed = queue.freed;
    while (queue.running >= places || !is_first()) {
        const auto now = clock_.steady_now();
        if (is_given_up())
            co_return base::fail(base::ErrorKind::cancelled, "wire.cancelled", "The call was given up.");
        if (now >= deadline)
            co_return base::fail(base::ErrorKind::timeout, "model.timeout",
                                 "The model did not get to it in time.");
        if (now >= patience) co_return busy();
        co_await freed->wait(std::min(deadline, patience) - now);
    }
    co_return take(id, queue);
}

void Router::wake(const std::string& provider_id) {
    queue_of(provider_id).freed->notify();
}

Router::Place::~Place() {
    if (router_ == nullptr) return;
    if (is_probe_) {
        const auto health = router_->health_.find(provider_id_);
        if (health != router_->health_.end()) health->second.is_probed = false;
    }
    Queue& queue = router_->queue_of(provider_id_);
    --queue.running;
    queue.freed->notify();
}

void Router::succeeded(const std::string& provider_id) {
    health_.erase(provider_id);
}

void Router::failed(const std::string& provider_id) {
    Health& health = health_[provider_id];
    // What was under way when the circuit opened says nothing new.
    if (clock_.steady_now() < health.open_until) return;
    if (++health.failures_in_a_row < kFailuresToOpen) return;
    // Doubles with each failed look after the circuit opened.
    const int doublings = std::min(health.failures_in_a_row - kFailuresToOpen, 5);
    const auto pause =
        std::min<std::chrono::steady_clock::duration>(kFirstPause * (1 << doublings), kLongestPause);
    health.open_until = clock_.steady_now() + pause;
}

void Router::refused(const std::string& provider_id) {
    Health& health = health_[provider_id];
    if (++health.refusals_in_a_row < kRefusalsToOpen) return;
    health.failures_in_a_row = std::max(health.failures_in_a_row, kFailuresToOpen - 1);
    failed(provider_id);
}

void Router::rest(const std::string& provider_id, std::chrono::seconds pause) {
    Health& health = health_[provider_id];
    health.failures_in_a_row = std::max(health.failures_in_a_row, kFailuresToOpen);
    health.open_until = std::max(
        health.open_until, clock_.steady_now() + std::clamp<std::chrono::seconds>(pause, 1s, kLongestPause));
}

void Router::measure(base::Metrics& metrics) const {
    std::map<std::string_view, int> servers{{"ready", 0}, {"resting", 0}, {"off", 0}};
    for (const StoredProvider& stored : store_.all()) {
        const bool rests = circuit_open(stored.shown.id);
        ++servers[!stored.shown.enabled ? "off" : rests ? "resting" : "ready"];
    }
    for (const auto& [state, count] : servers) {
        metrics
            .gauge("gateway_model_servers",
                   "Model servers by what may be sent to them: resting is an open circuit.",
                   {{"state", std::string(state)}})
            .set(count);
    }
    int running = 0;
    std::array<std::size_t, kLaneNames.size()> waiting{};
    for (const auto& [id, queue] : queues_) {
        running += queue.running;
        for (std::size_t lane = 0; lane < waiting.size(); ++lane)
            waiting.at(lane) += queue.waiting.at(lane).size();
    }
    metrics.gauge("gateway_calls_running", "Calls that hold a place at a model server.").set(running);
    for (std::size_t lane = 0; lane < waiting.size(); ++lane) {
        metrics
            .gauge("gateway_calls_waiting", "Calls that wait for a place, in each lane.",
                   {{"lane", std::string(kLaneNames.at(lane))}})
            .set(static_cast<double>(waiting.at(lane)));
    }
}

bool Router::has_failed(const Health& health) const {
    return health.failures_in_a_row >= kFailuresToOpen;
}

bool Router::circuit_open(const std::string& provider_id) const {
    const auto found = health_.find(provider_id);
    if (found == health_.end() || !has_failed(found->second)) return false;
    return clock_.steady_now() < found->second.open_until || found->second.is_probed;
}

}  // namespace gateway
