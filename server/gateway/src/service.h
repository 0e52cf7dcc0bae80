#pragma once

#include "model_service.h"
#include "provider_store.h"

#include <string>

#include <base/json.h>
#include <runtime/runtime.h>
#include <wire/channel.h>

namespace gateway {

/// What the gateway answers over the wire: model calls, the administrator's list of model servers, its
/// metrics.
class Service {
  public:
    Service(runtime::Runtime& runtime, const base::Clock& clock, ProviderStore& store, HttpClient& http,
            Router& router)
        : runtime_(runtime),
          store_(store),
          http_(http),
          router_(router),
          models_(runtime, clock, http, router) {}

    runtime::Task<base::Result<void>> serve(std::string method, wire::Message request,
                                            wire::ServedCall& call);

  private:
    runtime::Task<base::Result<void>> administer(std::string method, base::json::object request,
                                                 wire::ServedCall& call);

    runtime::Runtime& runtime_;
    ProviderStore& store_;
    HttpClient& http_;
    Router& router_;
    ModelService models_;
};

}  // namespace gateway
