#include "model_run.h"

#include "backoff.h"
#include "core.h"
#include "settlement.h"

#include <algorithm>

#include <boost/asio/this_coro.hpp>

#include <base/log.h>
#include <identity/users.h>

namespace assistant {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kRunsLimit = 256;
constexpr std::size_t kTextLimitBytes = 512 * 1024;
/// Words go to so many servers at most; to each in as many forms as the gateway knows, one request after the
/// other.
constexpr int kServersLimit = 4;
constexpr int kFormsLimit = 3;
constexpr auto kStopLimit = 5s;
constexpr auto kLastWordsLimit = 1s;

storage::OrderKey order() {
    return {kBudgetOrder};
}

/// Whoever is deactivated while a call is under way has words and receipts no more.
Answered<void> check_account(storage::Transaction& tx, identity::UserNumber user) {
    if (!identity::is_active(tx, user)) return refuse(account_gone());
    return {};
}

}  // namespace

std::int64_t prompt_bound_bytes(const std::vector<egress::PromptMessage>& messages) {
    constexpr std::int64_t kEnvelopeBytes = 1024;
    constexpr std::int64_t kMessageBytes = 64;
    std::int64_t bytes = kEnvelopeBytes;
    for (const auto& message : messages)
        bytes +=
            static_cast<std::int64_t>(base::json::serialize(base::json::string(message.content)).size()) +
            kMessageBytes;
    return bytes;
}

ModelRun::ModelRun(Assistant::Core& core, CallWish wish)
    : core_(core), wish_(std::move(wish)), call_id_(wish_.request.call_id), changed_(core.runtime) {}

runtime::Task<Answered<egress::Prepared>> ModelRun::prepared(Duration limit) {
    const auto until = std::chrono::steady_clock::now() + limit;
    while (!prepared_ && !end_) {
        const auto left = until - std::chrono::steady_clock::now();
        if (left <= Duration::zero())
            co_return refuse(model_unavailable("The model did not answer in time."));
        co_await changed_.wait(left);
    }
    // A call can end before anybody looked: its refusal is the answer only if it never went.
    if (!prepared_) co_return refuse(end_->refusal.value());
    co_return *prepared_;
}

runtime::Task<std::string> ModelRun::next_text(Duration limit) {
    if (text_.empty() && !end_) co_await changed_.wait(limit);
    co_return std::exchange(text_, {});
}

void ModelRun::give_up() {
    if (std::exchange(given_up_, true) || call_ == nullptr) return;
    // Where words may have left, the gateway is heard on whether they have.
    is_heard_out_ = attempts_ > 0 && !text_came_;
    if (is_heard_out_) {
        call_->ask_to_end(kLastWordsLimit);
    } else {
        call_->cancel();
    }
}

/// Where there is no budget, what the gateway still knows costs nothing.
runtime::Task<Answered<void>> ModelRun::reserve_first() {
    Reservation wish{.call_id = call_id_,
                     .user = wish_.user,
                     .room_id = wish_.room_id,
                     .purpose = wish_.purpose,
                     .prompt_bytes = prompt_bound_bytes(wish_.request.messages),
                     .output_limit_tokens = wish_.request.max_output_tokens};
    auto reserved = co_await write_answered<bool>(
        core_, order(),
        [wish = std::move(wish), may_be_known = !wish_.request.reuse_scope.empty(),
         known_only = wish_.request.known_only,
         now_ms = core_.clock.now_ms()](storage::Transaction& tx) -> Answered<bool> {
            if (auto stands = check_account(tx, wish.user); !stands) return refuse(stands.error());
            if (!known_only) {
                auto whole = reserve(tx, wish, now_ms);
                if (whole) return true;
                if (!may_be_known || whole.error().error.code != kBudgetExhausted)
                    return refuse(whole.error());
            }
            Reservation nothing = wish;
            nothing.prompt_bytes = nothing.output_limit_tokens = 0;
            if (auto noted = reserve(tx, nothing, now_ms); !noted) return refuse(noted.error());
            return false;
        });
    if (!reserved) co_return refuse(std::move(reserved.error()));
    is_out_of_budget_ = !*reserved && !wish_.request.known_only;
    wish_.request.known_only = !*reserved;
    co_return Answered<void>{};
}

runtime::Task<Refusal> ModelRun::no_budget() {
    auto refusal = co_await read_answered<Refusal>(
        core_,
        [user = wish_.user, now_ms = core_.clock.now_ms()](storage::Transaction& tx) -> Answered<Refusal> {
            return budget_exhausted(now_ms, spending_today(tx, user, now_ms).resets_at_ms);
        });
    co_return refusal ? std::move(*refusal) : std::move(refusal.error());
}

/// Commits the receipt. Where another model server was told to go before, that attempt has failed, and this
/// one is a call of its own with a receipt of its own: the words would go to two places.
runtime::Task<std::optional<Refusal>> ModelRun::let_go(egress::Prepared prepared) {
    const egress::CallId before = call_id_;
    egress::CallId call_id = call_id_;
    const bool is_again = attempts_ > 0;
    if (is_again) {
        const bool is_same_server = prepared.provider_id == asked_provider_id_;
        const int servers = is_same_server ? servers_ : servers_ + 1;
        const int forms = is_same_server ? forms_ + 1 : 1;
        if (servers > kServersLimit || forms > kFormsLimit)
            co_return model_unavailable("No model server answered.");
        servers_ = servers;
        forms_ = forms;
        call_id = egress::CallId(wish_.request.call_id.value + "-" + std::to_string(attempts_ + 1));
    }
    Reservation again{.call_id = call_id,
                      .user = wish_.user,
                      .room_id = wish_.room_id,
                      .purpose = wish_.purpose,
                      .prompt_bytes = prepared.outbound_bytes,
                      .output_limit_tokens = wish_.request.max_output_tokens};
    auto told = co_await write_answered<void>(
        core_, order(),
        [before, is_again, again = std::move(again), prepared, whose = wish_.whose,
         still_allowed = wish_.still_allowed,
         now_ms = core_.clock.now_ms()](storage::Transaction& tx) -> Answered<void> {
            if (auto stands = check_account(tx, again.user); !stands) return stands;
            const Destination destination{prepared.on_this_machine, prepared.provider_name};
            if (auto allowed = still_allowed(tx, destination); !allowed) return allowed;
            if (is_again) {
                // Whoever was erased meanwhile gets no new rows.
                if (!is_under_way(tx, before)) return refuse(account_gone());
                std::optional<egress::Finished> nothing_used;
                if (!prepared.paid_before) nothing_used.emplace();
                settle(tx, before, CallState::failed, nothing_used, prepared.left_before, now_ms);
                if (auto reserved = reserve(tx, again, now_ms); !reserved) return reserved;
            }
            return tell_to_go(tx, again.call_id, prepared, whose, now_ms);
        });
    if (!told) co_return std::move(told.error());
    call_id_ = std::move(call_id);
    ++attempts_;
    asked_provider_id_ = prepared.provider_id;
    co_return std::nullopt;
}

runtime::Task<void> ModelRun::end_with(Ending ending) {
    const auto& finished = ending.finished;
    RunEnd end{.refusal = std::move(ending.refusal),
               .usage = {},
               .failure = failure_,
               .is_retracted = finished && finished->retracted,
               .is_cut = finished && finished->finish_reason == "length"};
    const Settlement settlement{.call_id = call_id_,
                                .purpose = wish_.purpose,
                                .was_told = attempts_ > 0,
                                .outcome = ending.outcome,
                                .finished = finished,
                                .left = ending.left,
                                .ended_at_ms = core_.clock.now_ms()};
    const auto settled = co_await write_settlement(core_, settlement);
    if (settled) end.usage = *settled;
    end_ = std::move(end);
    changed_.notify();
    if (!settled) {
        const auto& error = settled.error().error;
        base::log_warning("assistant.cannot_settle", {{"code", error.code}});
        if (may_pass(error) && core_.tasks.spawn(settle_later(core_, settlement)) != nullptr) co_return;
    }
    count_settled(core_, settlement, end_->usage);
}

/// Whoever reads it would wait for ever, and what it holds would count until the next start.
runtime::Task<void> ModelRun::end_after_fault() {
    if (end_) co_return;
    co_await end_with({.refusal = model_unavailable("The call ended with a fault of this server."),
                       .left = left_if(egress::Left::unknown)});
}

/// Of a call that is given up: no token is shorter than a byte. Nothing where nobody knows what came.
std::optional<egress::Finished> ModelRun::what_came() const {
    if (received_bytes_ == 0) return std::nullopt;
    return egress::Finished{
        .input_tokens = prepared_->outbound_bytes,
        .output_tokens = std::min<std::int64_t>(received_bytes_, wish_.request.max_output_tokens),
        .estimated = true};
}

/// The gateway may have been taken over: it cannot make a call be what it is not.
bool ModelRun::is_out_of_turn(const egress::ModelEvent& event) const {
    const auto* prepared = std::get_if<egress::Prepared>(&event);
    if (prepared == nullptr) return !prepared_;
    return text_came_ || (prepared->known && wish_.request.reuse_scope.empty()) ||
           (!prepared->known && wish_.request.known_only);
}

runtime::Task<void> ModelRun::drive() {
    if (given_up_) {  // while it waited for its turn
        end_ = RunEnd{.refusal = model_unavailable("The call was given up."), .usage = {}, .failure = {}};
        changed_.notify();
        co_return;
    }
    if (auto reserved = co_await reserve_first(); !reserved) {
        end_ = RunEnd{.refusal = std::move(reserved.error()), .usage = {}, .failure = {}};
        changed_.notify();
        co_return;
    }
    if (given_up_) {
        co_await end_with(when_given_up({.left = egress::Left::no, .nothing_owed = true}));
        co_return;
    }
    auto call = core_.gateway.begin(wish_.request);
    if (!call) {
        failure_ = call.error().code;
        co_await end_with({.refusal = model_failed(call.error())});
        co_return;
    }
    // next() ends once the call is given up, so that this is seen wherever it waits.
    struct Reach {
        egress::ModelCall*& place;
        Reach(egress::ModelCall*& p, egress::ModelCall& c) : place(p) { place = &c; }
        ~Reach() { place = nullptr; }
    };
    Ending ending;
    {
        const Reach reach(call_, *call);
        ending = co_await hear(*call);
    }
    co_await end_with(std::move(ending));
}

runtime::Task<ModelRun::Ending> ModelRun::hear(egress::ModelCall& call) {
    for (;;) {
        if (given_up_ && (!is_heard_out_ || text_came_)) co_return when_given_up({});
        auto event = co_await call.next();
        if (!event) co_return co_await when_failed(event.error(), call.fate());
        if (is_out_of_turn(*event)) {
            co_return Ending{.refusal = model_unavailable("The gateway answered out of turn."),
                             .left = left_if(egress::Left::unknown)};
        }
        if (auto* prepared = std::get_if<egress::Prepared>(&*event)) {
            if (auto ending = co_await let_go_or_end(call, *prepared)) co_return std::move(*ending);
        } else if (auto* delta = std::get_if<egress::Delta>(&*event)) {
            text_came_ = true;
            received_bytes_ = std::max(received_bytes_, delta->received_bytes);
            if (text_.size() + delta->text.size() > kTextLimitBytes) {
                co_return Ending{.refusal = model_unavailable("The answer is too long."),
                                 .left = left_if(egress::Left::yes)};
            }
            text_ += delta->text;
            changed_.notify();
        } else {
            auto& finished = std::get<egress::Finished>(*event);
            Ending ending{.outcome = prepared_->known ? CallState::known : CallState::done,
                          .left = left_if(egress::Left::yes)};
            if (finished.retracted) {
                ending.refusal = model_unavailable("The model server took its answer back.");
                ending.outcome = CallState::failed;
            }
            ending.finished = std::move(finished);
            co_return ending;
        }
    }
}

/// Of another model server after one that failed, too: what there is to settle where it does not go is the
/// attempt before.
runtime::Task<std::optional<ModelRun::Ending>> ModelRun::let_go_or_end(egress::ModelCall& call,
                                                                       egress::Prepared prepared) {
    const egress::Fate before{.left = prepared.left_before, .nothing_owed = !prepared.paid_before};
    const egress::Fate stayed{.left = egress::Left::no, .nothing_owed = true};
    if (given_up_) co_return when_given_up(before);
    if (auto refusal = co_await let_go(prepared)) {
        Ending ending{.refusal = std::move(refusal), .left = left_if(before.left)};
        if (before.nothing_owed) ending.finished.emplace();
        co_return ending;
    }
    if (given_up_) co_return when_given_up(stayed);
    if (auto went = co_await call.go(); !went) {
        co_return Ending{
            .refusal = model_failed(went.error()), .finished = egress::Finished{}, .left = stayed.left};
    }
    prepared_ = std::move(prepared);
    ++prepared_count_;
    changed_.notify();
    co_return std::nullopt;
}

runtime::Task<ModelRun::Ending> ModelRun::when_failed(base::Error error, egress::Fate fate) {
    if (given_up_) co_return when_given_up(fate);
    if (wish_.request.known_only && !prepared_) {
        Ending ending{.refusal = agreed_server_rests()};
        if (is_out_of_budget_) ending.refusal = co_await no_budget();
        co_return ending;
    }
    failure_ = error.code;
    Ending ending{.refusal = model_failed(error), .left = left_if(fate.left)};
    if (!text_came_ && (fate.nothing_owed || egress::cost_nothing(error.code))) ending.finished.emplace();
    co_return ending;
}

ModelRun::Ending ModelRun::when_given_up(egress::Fate fate) const {
    Ending ending{.refusal = model_unavailable("The call was given up."),
                  .outcome = CallState::cancelled,
                  .finished = what_came(),
                  .left = left_if(fate.left)};
    if (!text_came_ && fate.nothing_owed) ending.finished.emplace();
    return ending;
}

/// Whether what the receipt names has left, where the gateway says `said`: what came back tells it, too.
egress::Left ModelRun::left_if(egress::Left said) const {
    if (prepared_ && prepared_->known) return egress::Left::no;
    return text_came_ ? egress::Left::yes : said;
}

ModelRuns::ModelRuns(Assistant::Core& core) : core_(core) {}
ModelRuns::~ModelRuns() = default;

Answered<RunReader> ModelRuns::start(CallWish wish) {
    if (stopping_ || running_.size() >= kRunsLimit)
        return refuse(model_unavailable("Too many calls of a model are under way."));
    auto run = std::make_shared<ModelRun>(core_, std::move(wish));
    running_.push_back(run);
    core_.tasks.spawn(drive(*this, run));
    return RunReader(std::move(run));
}

runtime::Task<void> ModelRuns::drive(ModelRuns& runs, std::shared_ptr<ModelRun> run) {
    struct Listing {
        ModelRuns& runs;
        ModelRun* run;
        ~Listing() {
            std::erase_if(runs.running_, [this](const auto& other) { return other.get() == run; });
        }
    } listing{runs, run.get()};
    const auto task = co_await boost::asio::this_coro::cancellation_state;
    const auto wait = runs.pace_.take(std::chrono::steady_clock::now());
    if (wait > Pace::Clock::duration::zero()) co_await runtime::sleep_for(wait);
    try {
        co_await run->drive();
        co_return;
    } catch (const std::exception& fault) {
        if (task.cancelled() != boost::asio::cancellation_type::none) throw;
        base::log_error("assistant.run_fault", {{"what", fault.what()}});
    }
    co_await run->end_after_fault();
}

void ModelRuns::release() {
    stopping_ = true;
    for (const auto& run : std::vector(running_)) run->give_up();
}

runtime::Task<void> ModelRuns::stop() {
    release();
    const auto until = std::chrono::steady_clock::now() + kStopLimit;
    while (!running_.empty() && std::chrono::steady_clock::now() < until) co_await runtime::sleep_for(10ms);
}

}  // namespace assistant
