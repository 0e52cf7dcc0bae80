#pragma once

#include "provider_store.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <base/clock.h>
#include <egress/model.h>
#include <runtime/runtime.h>
#include <runtime/signal.h>

namespace gateway {

/// Which provider a call may use and when it may go: order of preference, circuit breakers, lanes.
class Router {
  public:
    using TimePoint = std::chrono::steady_clock::time_point;

    Router(runtime::Runtime& runtime, const base::Clock& clock, const ProviderStore& store)
        : runtime_(runtime), clock_(clock), store_(store) {}

    /// Enabled providers that fit the request, best first, whatever their circuit; for a trial the one that
    /// it names, enabled or not. Errors: model.none_configured, model.none_available (unavailable).
    base::Result<std::vector<StoredProvider>> fitting(const egress::ModelRequest& request) const;
    /// Whether a provider of fitting() is still set up as it was: neither removed nor, unless this is a
    /// trial, switched off, and nothing of it changed that a receipt names or that says where words go.
    bool still_stands(const StoredProvider& offered, bool is_trial) const;

    /// A place among a provider's concurrent calls; freed when it goes.
    class Place {
      public:
        Place(Router& router, std::string provider_id, bool is_probe)
            : router_(&router), provider_id_(std::move(provider_id)), is_probe_(is_probe) {}
        Place(Place&& other) noexcept
            : router_(std::exchange(other.router_, nullptr)),
              provider_id_(std::move(other.provider_id_)),
              is_probe_(other.is_probe_) {}
        Place& operator=(Place&&) = delete;
        ~Place();

      private:
        Router* router_;
        std::string provider_id_;
        bool is_probe_;  ///< the one call that may see whether a failed provider is back
    };
    /// Waits in the request's lane for a place: first come, first served, earlier lanes before later ones.
    /// `is_given_up` is asked whenever wake() is called.
    /// Errors: model.busy (unavailable: the lane is full, or slower than it may be), model.none_available
    /// (unavailable: the circuit is open), model.timeout (timeout), wire.cancelled (cancelled).
    runtime::Task<base::Result<Place>> enter(const StoredProvider& provider, egress::Lane lane,
                                             TimePoint deadline, std::function<bool()> is_given_up);
    /// Lets those who wait for this provider look again.
    void wake(const std::string& provider_id);

    void succeeded(const std::string& provider_id);
    void failed(const std::string& provider_id);
    /// It did not want the least that it can be asked for. Once says nothing about the server; again and
    /// again, with nothing answered between, is a server that is set up wrongly: a failure.
    void refused(const std::string& provider_id);
    /// The provider itself asked for a pause (Retry-After).
    void rest(const std::string& provider_id, std::chrono::seconds pause);
    /// Whether no call may go to it now.
    bool circuit_open(const std::string& provider_id) const;
    /// How many servers are in which state, and how many calls run and wait, into the metrics.
    void measure(base::Metrics& metrics) const;

  private:
    struct Health {
        int failures_in_a_row = 0;
        int refusals_in_a_row = 0;
        TimePoint open_until{};
        bool is_probed = false;
    };
    struct Queue {
        int running = 0;
        std::array<std::list<TimePoint>, 3> waiting;  ///< since when, of each lane
        std::shared_ptr<runtime::Notifier> freed;
    };

    Queue& queue_of(const std::string& provider_id);
    base::Result<Place> take(const std::string& provider_id, Queue& queue);
    bool has_failed(const Health& health) const;

    runtime::Runtime& runtime_;
    const base::Clock& clock_;
    const ProviderStore& store_;
    std::map<std::string, Health> health_;
    std::map<std::string, Queue> queues_;
};

}  // namespace gateway
