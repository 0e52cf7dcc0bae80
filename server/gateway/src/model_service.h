#pragma once

#include "answer_cache.h"
#include "http_client.h"
#include "outcomes.h"
#include "provider_store.h"
#include "redaction.h"
#include "router.h"

#include <map>
#include <string>
#include <string_view>

#include <base/clock.h>
#include <egress/model.h>
#include <runtime/runtime.h>
#include <wire/channel.h>

namespace gateway {

/// How much of the dialect a request uses. Servers that refuse what they do not know (LM Studio a JSON object
/// as the answer's form, Mistral the wish for a count) are asked for less, and answer all the same.
enum class BodyForm : std::uint8_t { whole, without_format, least };

/// Serves one model call: redact ▸ known already? ▸ choose ▸ prepare ▸ wait for go ▸ stream ▸ restore.
class ModelService {
  public:
    ModelService(runtime::Runtime& runtime, const base::Clock& clock, HttpClient& http, Router& router);

    runtime::Task<base::Result<void>> call(wire::Message request, wire::ServedCall& call);
    /// After a change of a provider.
    void forget(std::string_view provider_id);

  private:
    struct Offer;
    struct Attempt;
    enum class Tried : std::uint8_t { answered, failed_before_content, wants_less };

    runtime::Task<base::Result<void>> serve(egress::ModelRequest request, Attempt& attempt,
                                            wire::ServedCall& call);
    runtime::Task<base::Result<void>> serve_known(const Offer& offer, AnswerCache::Answer answer,
                                                  wire::ServedCall& call);
    runtime::Task<base::Result<Tried>> try_provider(const egress::ModelRequest& request, Offer& offer,
                                                    Attempt& attempt, wire::ServedCall& call);
    runtime::Task<base::Result<Tried>> try_in_forms(const egress::ModelRequest& request, Offer& offer,
                                                    Attempt& attempt, wire::ServedCall& call);
    runtime::Task<base::Result<Tried>> stream(const egress::ModelRequest& request, Offer& offer,
                                              Attempt& attempt, std::shared_ptr<HttpTransfer> transfer,
                                              wire::ServedCall& call);
    base::Result<Tried> fail(const egress::ModelRequest& request, const Offer& offer, Attempt& attempt,
                             const wire::ServedCall& call, base::Error error);

    const base::Clock& clock_;
    HttpClient& http_;
    Router& router_;
    Outcomes calls_;
    Outcomes attempts_;  ///< one request to one model server; a call may be several
    base::Histogram& call_seconds_;
    AnswerCache cache_;
    std::map<std::string, BodyForm, std::less<>> forms_;  ///< of providers that take less than the whole
};

/// The body of a streamed chat completion in OpenAI's form.
std::string completion_body(const StoredProvider& provider, const egress::ModelRequest& request,
                            Redaction& redaction, BodyForm form = BodyForm::whole);

}  // namespace gateway
