#pragma once

#include "budget.h"
#include "labels.h"
#include "model_run.h"
#include "refusal.h"
#include "seats.h"
#include "shared_work.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include <assistant/assistant.h>
#include <runtime/signal.h>
#include <runtime/task_group.h>

namespace assistant {

namespace offline {
class Chips;
}
class Converse;

/// What the endpoints share. I/O thread only.
struct Assistant::Core {
    Core(runtime::Runtime& runtime_in, storage::Database& database_in, const base::Clock& clock_in,
         base::Random& random_in, chat::Chat& chat_in, egress::Gateway& gateway_in);
    ~Core();

    runtime::Runtime& runtime;
    storage::Database& database;
    const base::Clock& clock;
    base::Random& random;
    chat::Chat& chat;
    egress::Gateway& gateway;

    std::optional<Labels> labels;         ///< after start()
    identity::UserNumber assistant_user;  ///< none until the server has its name
    std::string assistant_user_id;

    TypingTeller tell_typing;  ///< set before start()
    /// Between two tries: less where the assistant stops.
    runtime::Task<void> pause(std::chrono::steady_clock::duration limit);
    bool is_stopping() const { return is_stopping_; }
    void begin_to_stop();

    Seats seats;
    ModelRuns runs;
    std::unique_ptr<Converse> converse;

    /// The model servers that are switched on, best first, those that rest too; none where the gateway is
    /// away. Asks the gateway at most every few seconds, and never waits for it long.
    runtime::Task<std::vector<egress::Provider>> model_servers();
    /// After a change of the list of model servers has been made: an answer of before it counts no more.
    void forget_model_servers() {
        ++servers_.changes;
        servers_.list.clear();
    }
    /// The offline method; built on the CPU pool when it is first asked for. Null where the pool is too busy.
    runtime::Task<const offline::Chips*> chips();
    /// Begins to build it, where it is not there: somebody is here who will ask for it. False where it
    /// cannot.
    bool warm_chips();

    /// Settles what a crash left open, which a start could not, as soon as the database takes it; then begins
    /// to listen. `open`: the calls of before that start, and no later ones.
    runtime::Task<void> recover_later(std::vector<egress::CallId> open);

    egress::CallId new_call_id();
    void count_call(Purpose purpose, std::string_view outcome, const Usage& usage);
    void count_refusal(const Refusal& refusal);

  private:
    runtime::Task<void> ask_for_servers();
    runtime::Task<void> build_chips();

    struct Servers {
        std::vector<egress::Provider> list;
        std::chrono::steady_clock::time_point at{};
        std::uint64_t changes = 0;

        bool any_runs() const {
            return std::ranges::any_of(list, [](const auto& server) { return !server.circuit_open; });
        }
    } servers_;
    SharedWork asking_for_servers_;
    const offline::Chips* chips_ = nullptr;
    SharedWork building_chips_;
    bool is_stopping_ = false;
    runtime::Notifier stopping_;

  public:
    // Last, so that its tasks end before what they use.
    runtime::TaskGroup tasks;
};

using Core = Assistant::Core;

/// Runs `job(Transaction&) -> Answered<T>` as a write job; a refusal rolls back.
template <class T, class F>
runtime::Task<Answered<T>> write_answered(Core& core, storage::OrderKey order, F job) {
    auto refusal = std::make_shared<std::optional<Refusal>>();
    auto written = co_await core.database.write(
        std::move(order),
        [refusal, job = std::move(job)](storage::Transaction& tx) mutable -> base::Result<T> {
            auto outcome = job(tx);
            if (!outcome) {
                *refusal = std::move(outcome.error());
                return base::fail((*refusal)->error);
            }
            if constexpr (std::is_void_v<T>) {
                return {};
            } else {
                return std::move(*outcome);
            }
        });
    if (!written)
        co_return refuse(refusal->has_value() ? std::move(**refusal) : Refusal(std::move(written.error())));
    if constexpr (std::is_void_v<T>) {
        co_return Answered<void>{};
    } else {
        co_return std::move(*written);
    }
}

/// The same as a read job.
template <class T, class F>
runtime::Task<Answered<T>> read_answered(Core& core, F job) {
    auto refusal = std::make_shared<std::optional<Refusal>>();
    auto read = co_await core.database.read(
        [refusal, job = std::move(job)](storage::Transaction& tx) mutable -> base::Result<T> {
            auto outcome = job(tx);
            if (!outcome) {
                *refusal = std::move(outcome.error());
                return base::fail((*refusal)->error);
            }
            return std::move(*outcome);
        });
    if (!read)
        co_return refuse(refusal->has_value() ? std::move(**refusal) : Refusal(std::move(read.error())));
    co_return std::move(*read);
}

}  // namespace assistant
