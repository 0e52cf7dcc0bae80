#include "discovery.h"

#include "provider_store.h"

#include <array>
#include <optional>

#include <base/json.h>
#include <runtime/task_group.h>

namespace gateway {
namespace {

namespace json = base::json;
using namespace std::chrono_literals;

struct Known {
    std::string_view kind;
    int port;
};
constexpr std::array kKnown{Known{"ollama", 11434}, Known{"llama-server", 8080}, Known{"vllm", 8000},
                            Known{"lm-studio", 1234}};
constexpr auto kLimit = 200ms;
constexpr std::size_t kAnswerLimitBytes = 256 * 1024;

/// The names in an OpenAI `GET /v1/models` answer, but for those that Ollama only passes on: what is offered
/// here is offered as of this machine. Nothing where it is something else.
std::optional<std::vector<std::string>> model_names(std::string_view body) {
    auto value = base::parse_json(body, kAnswerLimitBytes);
    if (!value || !value->is_object()) return std::nullopt;
    const json::array* data = base::get_array(value->get_object(), "data");
    if (data == nullptr) return std::nullopt;
    std::vector<std::string> names;
    for (const json::value& item : *data) {
        const json::object* model = item.if_object();
        const auto id = model == nullptr ? std::nullopt : base::get_string(*model, "id");
        if (id && names.size() < 50 && id->size() <= 200 && !is_cloud_model(*id)) names.emplace_back(*id);
    }
    return names;
}

runtime::Task<void> look(HttpClient& http, Known known, std::optional<egress::Found>& found) {
    const std::string base_url = "http://127.0.0.1:" + std::to_string(known.port) + "/v1";
    const auto deadline = std::chrono::steady_clock::now() + kLimit;
    auto transfer = http.start({.url = base_url + "/models",
                                .method = "GET",
                                .connect_timeout = kLimit,
                                .deadline = deadline,
                                .use_proxy = false});
    const auto status = co_await transfer->status(deadline);
    if (!status || *status != 200) co_return;
    std::string body;
    for (;;) {
        auto piece = co_await transfer->read(deadline);
        if (!piece || body.size() + piece->size() > kAnswerLimitBytes) co_return;
        if (piece->empty()) break;
        body += *piece;
    }
    if (auto names = model_names(body))
        found = egress::Found{std::string(known.kind), base_url, std::move(*names)};
}

}  // namespace

runtime::Task<std::vector<egress::Found>> discover(runtime::Runtime& runtime, HttpClient& http) {
    std::array<std::optional<egress::Found>, kKnown.size()> answers;
    runtime::TaskGroup looks(runtime, "discovery");
    for (std::size_t i = 0; i < kKnown.size(); ++i) looks.spawn(look(http, kKnown[i], answers[i]));
    co_await looks.wait(5s);
    co_await looks.stop();
    std::vector<egress::Found> found;
    for (auto& answer : answers) {
        if (answer) found.push_back(std::move(*answer));
    }
    co_return found;
}

}  // namespace gateway
