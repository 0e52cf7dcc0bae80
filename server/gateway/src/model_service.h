#pragma once

#include "http_client.h"
#include "provider_store.h"
#include "redaction.h"
#include "router.h"

#include <base/clock.h>
#include <egress/model.h>
#include <runtime/runtime.h>
#include <wire/channel.h>

namespace gateway {

/// Serves one model call: redact ▸ choose ▸ prepare ▸ wait for go ▸ stream ▸ restore.
class ModelService {
  public:
    ModelService(runtime::Runtime& runtime, const base::Clock& clock, HttpClient& http, Router& router);

    runtime::Task<base::Result<void>> call(wire::Message request, wire::ServedCall& call);
    /// One small request to a provider, to see whether it answers.
    runtime::Task<egress::ProbeResult> probe(StoredProvider provider);

  private:
    enum class Tried : std::uint8_t { answered, failed_before_content };
    runtime::Task<base::Result<Tried>> try_provider(const egress::ModelRequest& request,
                                                    const StoredProvider& provider, bool is_last,
                                                    wire::ServedCall& call);

    const base::Clock& clock_;
    HttpClient& http_;
    Router& router_;
    base::Metrics& metrics_;
};

/// The body of a streamed chat completion in OpenAI's form.
std::string completion_body(const StoredProvider& provider, const egress::ModelRequest& request,
                            Redaction& redaction);

}  // namespace gateway
