#pragma once

#include "budget.h"
#include "consent.h"
#include "pace.h"
#include "refusal.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <assistant/assistant.h>
#include <runtime/signal.h>

namespace assistant {

/// A call that somebody wants: what would go out, who pays, and what must still hold when it goes.
struct CallWish {
    /// Its call_id is the reservation's; `known_only` where the server that would be asked rests.
    egress::ModelRequest request;
    identity::UserNumber user;
    std::string room_id;
    Purpose purpose = Purpose::suggest_replies;
    std::vector<identity::UserNumber> whose;
    /// Asked in the job that lets the call go: whether everybody still agrees to this destination. Touches
    /// nothing but the transaction.
    std::function<Answered<void>(storage::Transaction&, const Destination&)> still_allowed;
};

/// How a call ended.
struct RunEnd {
    std::optional<Refusal> refusal;  ///< nothing: it went well
    Usage usage;
    std::string failure;  ///< of the model server or the gateway (egress::ModelCall::next's codes), else ""
    bool is_retracted = false;  ///< the model server took back what it had sent
    bool is_cut = false;        ///< the answer reached the limit of its tokens before its end
};

/// One call of a model, from the reservation to its settlement: reserve ▸ prepared ▸ receipt ▸ go ▸ text ▸
/// settle. It runs as a task of its own, so that it is settled whatever becomes of whoever reads it. I/O
/// thread only.
class ModelRun : public std::enable_shared_from_this<ModelRun> {
  public:
    using Duration = std::chrono::steady_clock::duration;

    ModelRun(Assistant::Core& core, CallWish wish);

    /// What has been told to go. Errors: whatever kept it from going; model unavailable after `limit`.
    runtime::Task<Answered<egress::Prepared>> prepared(Duration limit);
    /// The next text; empty where nothing came within `limit` or the call has ended.
    runtime::Task<std::string> next_text(Duration limit);
    bool has_ended() const { return end_.has_value() && text_.empty(); }
    /// What was told to go last; only after prepared(). It changes when the gateway tries another model
    /// server.
    const egress::Prepared& latest() const { return *prepared_; }
    /// How often it was told to go.
    int attempts() const { return prepared_count_; }
    /// Only when it has ended.
    const RunEnd& end() const { return *end_; }
    /// The id under which the model that answers has its receipt.
    const egress::CallId& call_id() const { return call_id_; }
    /// Nobody reads any more: the call is cancelled and settled.
    void give_up();

  private:
    friend class ModelRuns;
    runtime::Task<void> drive();
    runtime::Task<Answered<void>> reserve_first();
    runtime::Task<Refusal> no_budget();
    std::optional<egress::Finished> what_came() const;
    bool is_out_of_turn(const egress::ModelEvent& event) const;
    runtime::Task<std::optional<Refusal>> let_go(egress::Prepared prepared);
    /// How a call is to be settled.
    struct Ending {
        std::optional<Refusal> refusal = std::nullopt;
        CallState outcome = CallState::failed;
        std::optional<egress::Finished> finished = std::nullopt;  ///< nothing: nobody knows
        egress::Left left = egress::Left::unknown;
    };
    runtime::Task<Ending> hear(egress::ModelCall& call);
    runtime::Task<std::optional<Ending>> let_go_or_end(egress::ModelCall& call, egress::Prepared prepared);
    runtime::Task<Ending> when_failed(base::Error error, egress::Fate fate);
    Ending when_given_up(egress::Fate fate) const;
    egress::Left left_if(egress::Left said) const;
    runtime::Task<void> end_with(Ending ending);
    runtime::Task<void> end_after_fault();

    Assistant::Core& core_;
    CallWish wish_;
    egress::CallId call_id_;
    int attempts_ = 0;               ///< receipts committed
    int prepared_count_ = 0;         ///< of those, how many went
    std::string asked_provider_id_;  ///< of the last one
    int servers_ = 1;
    int forms_ = 1;                  ///< in which that one was asked
    bool is_out_of_budget_ = false;  ///< only what is known already can be had
    egress::ModelCall* call_ = nullptr;
    bool given_up_ = false;
    bool is_heard_out_ = false;  ///< given up, and the gateway still says what became of it
    bool text_came_ = false;
    std::int64_t received_bytes_ = 0;  ///< by the gateway's count
    std::optional<egress::Prepared> prepared_;
    std::string text_;
    std::optional<RunEnd> end_;
    std::string failure_;
    runtime::Notifier changed_;
};

/// Holds a run for whoever reads it; dropping it gives the run up.
class RunReader {
  public:
    explicit RunReader(std::shared_ptr<ModelRun> run) : run_(std::move(run)) {}
    ~RunReader() {
        if (run_) run_->give_up();
    }
    RunReader(RunReader&&) noexcept = default;
    RunReader& operator=(RunReader&&) = delete;
    ModelRun* operator->() const { return run_.get(); }

  private:
    std::shared_ptr<ModelRun> run_;
};

/// The runs under way: bounded, and ended by stop().
class ModelRuns {
  public:
    explicit ModelRuns(Assistant::Core& core);
    ~ModelRuns();
    /// Errors: IM.LINGXI.MODEL_UNAVAILABLE where too many are under way.
    Answered<RunReader> start(CallWish wish);
    /// Gives up all, and begins no other.
    void release();
    runtime::Task<void> stop();

  private:
    static runtime::Task<void> drive(ModelRuns& runs, std::shared_ptr<ModelRun> run);

    /// A call is three durable jobs and some ten turns of the I/O thread, which chat needs too: more than
    /// these no model server of one machine would answer anyway. What waits is bounded with the runs: half a
    /// second.
    static constexpr std::int64_t kStartsASecond = 500;
    static constexpr std::int64_t kStartsAtOnce = 16;

    Assistant::Core& core_;
    Pace pace_{kStartsASecond, kStartsAtOnce};
    std::vector<std::shared_ptr<ModelRun>> running_;
    bool stopping_ = false;
};

/// The most tokens that these messages can be, before the gateway has counted: no token is shorter than a
/// byte.
std::int64_t prompt_bound_bytes(const std::vector<egress::PromptMessage>& messages);

}  // namespace assistant
