#pragma once

#include "provider_store.h"

#include <array>
#include <chrono>
#include <cstddef>
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
    Router(runtime::Runtime& runtime, const base::Clock& clock, const ProviderStore& store)
        : runtime_(runtime), clock_(clock), store_(store) {}

    /// Providers that fit the request, best first; those whose circuit is open are left out.
    /// Errors: model.none_configured, model.none_available (unavailable).
    base::Result<std::vector<StoredProvider>> candidates(const egress::ModelRequest& request) const;

    /// A place among a provider's concurrent calls; freed when it goes.
    class Place {
      public:
        Place(Router& router, std::string provider_id)
            : router_(&router), provider_id_(std::move(provider_id)) {}
        Place(Place&& other) noexcept
            : router_(std::exchange(other.router_, nullptr)), provider_id_(std::move(other.provider_id_)) {}
        Place& operator=(Place&&) = delete;
        ~Place();

      private:
        Router* router_;
        std::string provider_id_;
    };
    /// Waits in the request's lane for a place. Errors: model.busy (unavailable: the lane is full, or the
    /// wait was longer than the lane allows), model.timeout (timeout).
    runtime::Task<base::Result<Place>> enter(StoredProvider provider, egress::Lane lane,
                                             std::chrono::steady_clock::time_point deadline);

    void succeeded(const std::string& provider_id);
    void failed(const std::string& provider_id);
    bool circuit_open(const std::string& provider_id) const;

  private:
    struct Health {
        int failures_in_a_row = 0;
        std::chrono::steady_clock::time_point open_until{};
    };
    struct Queue {
        int running = 0;
        std::array<std::size_t, 3> waiting{};
        std::shared_ptr<runtime::Notifier> freed;
    };

    Queue& queue_of(const std::string& provider_id);

    runtime::Runtime& runtime_;
    const base::Clock& clock_;
    const ProviderStore& store_;
    std::map<std::string, Health> health_;
    std::map<std::string, Queue> queues_;
};

}  // namespace gateway
