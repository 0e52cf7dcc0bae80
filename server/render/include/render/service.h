#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include <imaging/protocol.h>
#include <runtime/runtime.h>
#include <runtime/signal.h>
#include <wire/channel.h>

namespace render {

/// Serves core's calls, one picture at a time: so when a picture ends the process, it is known which it was.
class Service {
  public:
    struct Options {
        std::chrono::milliseconds job_limit = imaging::kJobLimit;
        /// What happens when a job overruns: the process ends, since a decoder cannot be interrupted.
        std::function<void()> on_overrun;
    };
    Service(runtime::Runtime& runtime, Options options);

    /// Lives no longer than this object.
    wire::Service wire_service();

  private:
    struct Turn;
    runtime::Task<base::Result<void>> serve(std::string method, wire::Message request,
                                            wire::ServedCall& call);
    runtime::Task<base::Result<void>> tell_metrics(wire::ServedCall& call);
    void count(std::string_view method, std::string_view outcome);
    runtime::Task<base::Result<std::string>> run(std::function<base::Result<std::string>()> job);

    runtime::Runtime& runtime_;
    Options options_;
    runtime::WorkerPool decoder_;
    std::deque<std::uint64_t> turns_;  ///< the first is at work
    std::uint64_t last_turn_ = 0;
    runtime::Notifier turn_passed_;
};

}  // namespace render
