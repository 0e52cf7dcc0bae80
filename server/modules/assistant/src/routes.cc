#include "endpoints.h"

namespace assistant {
namespace {

using Endpoint = Task<net::Response> (*)(Core&, net::Request);
using enum net::Method;
using net::Auth;
using net::RateClass;

constexpr std::size_t kNoBody = 0;
constexpr std::size_t kSmallBytes = 16 * 1024;
constexpr std::size_t kTextBytes = 64 * 1024;

struct Row {
    net::Method method;
    std::string_view path;
    std::string_view operation_id;
    Auth auth;
    RateClass rate;
    std::size_t body_limit_bytes;
    Endpoint endpoint;
    std::string_view summary;
    std::string_view asks = {};
    std::string_view answers = "application/json";
    std::string_view refuses = {};
};

constexpr std::string_view kEvents = "text/event-stream";
/// Of IM.LINGXI.CONSENT_NEEDED.
constexpr std::string_view kConsent = "users?:strings destination?:object model?:string";

constexpr Row kRows[] = {
    {get, "/_lingxi/client/v1/assist/status", "getAssistStatus", Auth::required, RateClass::read, kNoBody,
     get_assist_status, "Whether there is a model, what of the budget is used, who agreed in a room",
     "room_id?:string"},
    {get, "/_lingxi/client/v1/assist/label-key", "getLabelKey", Auth::none, RateClass::read, kNoBody,
     get_label_key, "The public key of the labels of AI texts"},
    {post, "/_lingxi/client/v1/assist/chips", "suggestChips", Auth::required, RateClass::read, kSmallBytes,
     suggest_chips, "Offline reply suggestions for a message: never a model",
     "room_id:string event_id:string"},
    {post, "/_lingxi/client/v1/assist/suggestions", "suggestReplies", Auth::required, RateClass::assist,
     kSmallBytes, suggest_replies,
     "Three reply suggestions of a model, as server-sent events: prepared, suggestion, done, error",
     "room_id:string event_ids:strings language?:string automatic?:boolean", kEvents, kConsent},
    {post, "/_lingxi/client/v1/assist/translations", "translate", Auth::required, RateClass::assist,
     kTextBytes, translate,
     "A translation of a message or of a draft, as server-sent events: prepared, delta, done, error",
     "room_id:string event_id?:string text?:string target_language:string", kEvents, kConsent},
    {get, "/_lingxi/client/v1/assist/receipts", "listReceipts", Auth::required, RateClass::read, kNoBody,
     list_receipts,
     "What was told to leave in one's own name, and whether it did (left: yes, no, unknown), newest first",
     "from?:integer limit?:integer"},
    {del, "/_lingxi/client/v1/assist/receipts", "deleteReceipts", Auth::required, RateClass::write,
     kSmallBytes, delete_receipts, "Erases one's receipts"},
    {get,
     "/_lingxi/client/v1/assist/receipts/export",
     "exportReceipts",
     Auth::required,
     RateClass::read,
     kNoBody,
     export_receipts,
     "All of one's receipts, a JSON object a line",
     {},
     "application/x-ndjson"},
    {get, "/_lingxi/client/v1/assist/receipts/{callId}", "getReceipt", Auth::required, RateClass::read,
     kNoBody, get_receipt, "One receipt"},
    {get, "/_lingxi/admin/v1/budget", "getBudget", Auth::admin, RateClass::read, kNoBody, get_budget,
     "The caps, and what is used today"},
    {put, "/_lingxi/admin/v1/budget", "setBudget", Auth::admin, RateClass::write, kSmallBytes, set_budget,
     "Sets the caps, the zone of the server's days and the switch",
     "ai_enabled?:boolean person_tokens_per_day?:integer server_tokens_per_day?:integer time_zone?:string"},
    {get, "/_lingxi/admin/v1/models", "listModels", Auth::admin, RateClass::read, kNoBody, list_models,
     "Model servers in order of preference"},
    {put, "/_lingxi/admin/v1/models", "orderModels", Auth::admin, RateClass::write, kSmallBytes, order_models,
     "Sets the order of preference", "order:strings"},
    {post, "/_lingxi/admin/v1/models/discover", "discoverModels", Auth::admin, RateClass::write, kSmallBytes,
     discover_models, "Looks for model servers on this machine"},
    {put, "/_lingxi/admin/v1/models/{id}", "putModel", Auth::admin, RateClass::write, kSmallBytes, put_model,
     "Adds or changes a model server; the key is handed through and never comes back",
     "name?:string base_url?:string model?:string api_key?:string enabled?:boolean max_concurrent?:integer "
     "input_price_micros_per_million?:integer output_price_micros_per_million?:integer currency?:string"},
    {del, "/_lingxi/admin/v1/models/{id}", "deleteModel", Auth::admin, RateClass::write, kSmallBytes,
     delete_model, "Removes a model server"},
    {post, "/_lingxi/admin/v1/models/{id}/test", "testModel", Auth::admin, RateClass::write, kSmallBytes,
     test_model, "Sends one small request to a model server"},
};

}  // namespace

std::vector<net::Route> Assistant::routes() {
    std::vector<net::Route> routes;
    for (const Row& row : kRows) {
        routes.push_back(
            {.method = row.method,
             .path = row.path,
             .operation_id = row.operation_id,
             .auth = row.auth,
             .rate = row.rate,
             .body_limit_bytes = row.body_limit_bytes,
             .streams_body = false,
             .handler = [core = core_.get(), endpoint = row.endpoint](
                            net::Request request) { return endpoint(*core, std::move(request)); },
             .summary = row.summary,
             .asks = row.asks,
             .answers = row.answers,
             .refuses = row.refuses});
    }
    return routes;
}

}  // namespace assistant
