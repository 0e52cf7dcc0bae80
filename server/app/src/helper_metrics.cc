#include "helper_metrics.h"

#include <chrono>

#include <base/log.h>
#include <base/metrics_json.h>

namespace app {
namespace {

using namespace std::chrono_literals;

constexpr auto kAnswerLimit = 500ms;

runtime::Task<base::Result<std::string>> read_text(std::string name, wire::Peer& peer) {
    auto call = peer.call(base::kMetricsMethod, wire::Message{"{}", {}},
                          std::chrono::steady_clock::now() + kAnswerLimit);
    if (!call) co_return base::fail(std::move(call.error()));
    const auto answer = co_await (*call)->next();
    if (!answer) co_return base::fail(answer.error());
    const auto families = base::read_metrics(answer->text, name);
    if (!families) co_return base::fail(families.error());
    co_return base::metrics_text(*families);
}

}  // namespace

void HelperMetrics::add(std::string_view name, wire::Peer& peer) {
    helpers_.push_back({.name = std::string(name), .peer = peer});
}

/// One that has not been asked anything since it was started has nothing to tell, and render would load its
/// decoders for the question.
runtime::Task<void> HelperMetrics::ask(Helper& helper) {
    if (helper.is_asked) co_return;
    struct Asking {  // ends on every way out, a reader that hung up included
        bool& flag;
        explicit Asking(bool& f) : flag(f) { flag = true; }
        Asking(const Asking&) = delete;
        Asking& operator=(const Asking&) = delete;
        ~Asking() { flag = false; }
    };
    const Asking asking(helper.is_asked);
    std::string text;
    if (helper.peer.has_been_called()) {
        auto read = co_await read_text(helper.name, helper.peer);
        if (read) {
            text = std::move(*read);
        } else {
            base::log_info("core.no_helper_metrics", {{"helper", helper.name}, {"code", read.error().code}});
        }
    }
    helper.last = std::move(text);
}

runtime::Task<std::string> HelperMetrics::text() {
    for (Helper& helper : helpers_) {
        co_await ask(helper);
        own_.gauge("helper_up", "Whether a helper process is connected to core", {{"helper", helper.name}})
            .set(helper.peer.is_open() ? 1 : 0);
    }
    std::string text = own_.text();
    for (const Helper& helper : helpers_) text += helper.last;
    co_return text;
}

}  // namespace app
