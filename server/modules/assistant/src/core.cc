#include "core.h"

#include "backoff.h"
#include "converse.h"
#include "erasure.h"
#include "offline/chips.h"

#include <base/encoding.h>
#include <base/log.h>
#include <identity/users.h>

namespace assistant {
namespace {

using namespace std::chrono_literals;

constexpr auto kServersFresh = 3s;
constexpr auto kServersWait = 5s;
constexpr auto kChipsWait = 20s;
constexpr auto kStopWait = 2s;

struct Account {
    identity::UserNumber user;
    std::string user_id;
};

base::Result<Account> ensure_account(storage::Transaction& tx, std::int64_t now_ms) {
    auto user = identity::ensure_system_account(tx, "assistant", Converse::kDisplayName, now_ms);
    if (!user) return base::fail(std::move(user.error()));
    return Account{*user, identity::user_id_of(tx, *user).value};
}

/// What a start needs, where it can write nothing.
struct Known {
    base::SigningKey label_key;
    std::optional<Account> account;
    std::vector<egress::CallId> open_calls;
};

/// Errors: where something of it has yet to be written.
base::Result<Known> read_known(storage::Transaction& tx) {
    const auto key = find_label_key(tx);
    if (!key) return base::fail(base::ErrorKind::unavailable, "assistant.no_label_key", "There is no key.");
    Known known{.label_key = *key, .account = std::nullopt, .open_calls = open_calls(tx)};
    if (identity::server_name(tx)) {
        auto account = ensure_account(tx, 0);
        if (!account) return base::fail(std::move(account.error()));
        known.account = std::move(*account);
    }
    return known;
}

void log_recovered(const Recovered& recovered) {
    if (recovered.released > 0 || recovered.unknown > 0) {
        base::log_info("assistant.recovered",
                       {{"released", recovered.released}, {"unknown", recovered.unknown}});
    }
}

}  // namespace

Core::Core(runtime::Runtime& runtime_in, storage::Database& database_in, const base::Clock& clock_in,
           base::Random& random_in, chat::Chat& chat_in, egress::Gateway& gateway_in)
    : runtime(runtime_in),
      database(database_in),
      clock(clock_in),
      random(random_in),
      chat(chat_in),
      gateway(gateway_in),
      runs(*this),
      converse(std::make_unique<Converse>(*this)),
      asking_for_servers_(runtime_in),
      building_chips_(runtime_in),
      stopping_(runtime_in),
      tasks(runtime_in, "assistant") {}

Core::~Core() = default;

runtime::Task<void> Core::pause(std::chrono::steady_clock::duration limit) {
    if (!is_stopping_) co_await stopping_.wait(limit);
}

void Core::begin_to_stop() {
    is_stopping_ = true;
    stopping_.notify();
}

runtime::Task<void> Core::recover_later(std::vector<egress::CallId> open) {
    Backoff backoff;
    while (!is_stopping_) {
        co_await pause(backoff.next().value_or(Backoff::kLongest));
        const auto recovered = co_await database.write(
            {kBudgetOrder},
            [open, now_ms = clock.now_ms()](storage::Transaction& tx) -> base::Result<Recovered> {
                return recover(tx, open, now_ms);
            });
        if (!recovered) {
            base::log_warning("assistant.not_recovered", {{"code", recovered.error().code}});
            continue;
        }
        log_recovered(*recovered);
        if (!is_stopping_) converse->start();
        co_return;
    }
}

egress::CallId Core::new_call_id() {
    return egress::CallId("c" + random.alphanumeric(22));
}

runtime::Task<void> Core::ask_for_servers() {
    std::uint64_t changes = 0;
    base::Result<egress::ProviderList> answer;
    do {
        changes = servers_.changes;
        answer = co_await gateway.providers();
    } while (changes != servers_.changes);
    servers_.at = std::chrono::steady_clock::now();
    servers_.list = answer ? std::move(answer->providers) : std::vector<egress::Provider>{};
    std::erase_if(servers_.list, [](const egress::Provider& server) { return !server.enabled; });
}

runtime::Task<std::vector<egress::Provider>> Core::model_servers() {
    if (!gateway.is_up()) co_return std::vector<egress::Provider>{};
    const bool is_fresh = servers_.at != std::chrono::steady_clock::time_point{} &&
                          std::chrono::steady_clock::now() - servers_.at < kServersFresh;
    if (is_fresh && servers_.any_runs()) co_return servers_.list;
    const bool is_asked = asking_for_servers_.begin(tasks, [this] { return ask_for_servers(); });
    if (!is_asked || !co_await asking_for_servers_.wait(kServersWait))
        co_return std::vector<egress::Provider>{};
    co_return servers_.list;
}

runtime::Task<void> Core::build_chips() {
    auto built = co_await runtime.on_cpu([] { return &offline::Chips::built(); });
    if (!built) co_return;
    chips_ = *built;
    runtime.metrics()
        .gauge("assistant_chips_ready", "Whether the offline method has built its index.")
        .set(1);
}

bool Core::warm_chips() {
    return chips_ != nullptr || building_chips_.begin(tasks, [this] { return build_chips(); });
}

runtime::Task<const offline::Chips*> Core::chips() {
    if (warm_chips() && chips_ == nullptr) co_await building_chips_.wait(kChipsWait);
    co_return chips_;
}

void Core::count_call(Purpose purpose, std::string_view outcome, const Usage& usage) {
    auto& metrics = runtime.metrics();
    const std::string purpose_name(to_string(purpose));
    metrics
        .counter("assistant_calls_total", "Calls of models by purpose and outcome.",
                 {{"purpose", purpose_name}, {"outcome", std::string(outcome)}})
        .add();
    const auto add_tokens = [&](const char* direction, std::int64_t tokens) {
        metrics
            .counter("assistant_tokens_total", "Tokens that calls were settled at.",
                     {{"purpose", purpose_name}, {"direction", direction}})
            .add(static_cast<double>(tokens));
    };
    add_tokens("input", usage.input_tokens);
    add_tokens("output", usage.output_tokens);
}

void Core::count_refusal(const Refusal& refusal) {
    std::string reason = "other";
    if (refusal.error.code.starts_with("IM.LINGXI."))
        reason = base::ascii_lower(std::string_view(refusal.error.code).substr(10));
    runtime.metrics()
        .counter("assistant_refusals_total", "Wishes that were not met, by reason.", {{"reason", reason}})
        .add();
}

Assistant::Assistant(runtime::Runtime& runtime, storage::Database& database, const base::Clock& clock,
                     base::Random& random, chat::Chat& chat, egress::Gateway& gateway)
    : core_(std::make_unique<Core>(runtime, database, clock, random, chat, gateway)) {}

Assistant::~Assistant() = default;

runtime::Task<base::Result<void>> Assistant::start() {
    Core& core = *core_;
    std::array<std::uint8_t, 32> seed{};
    core.random.fill(seed);
    auto ready = co_await core.database.write(
        {kBudgetOrder},
        [this, seed, now_ms = core.clock.now_ms()](
            storage::Transaction& tx) -> base::Result<std::pair<base::SigningKey, Recovered>> {
            const auto recovered = recover(tx, open_calls(tx), now_ms);
            if (identity::server_name(tx)) {
                if (auto named = server_named(tx); !named) return base::fail(std::move(named.error()));
            }
            return std::pair(ensure_label_key(tx, seed, now_ms), recovered);
        });
    if (ready) {
        core.labels.emplace(ready->first);
        log_recovered(ready->second);
        core.converse->start();
        co_return base::Result<void>{};
    }
    if (!may_pass(ready.error())) co_return base::fail(std::move(ready.error()));
    // The disk is full, say: people can read all the same, whatever AI left open.
    base::log_warning("assistant.not_recovered", {{"code", ready.error().code}});
    auto known = co_await core.database.read(read_known);
    if (!known) co_return base::fail(std::move(ready.error()));
    core.labels.emplace(known->label_key);
    if (known->account) {
        core.assistant_user = known->account->user;
        core.assistant_user_id = known->account->user_id;
    }
    core.tasks.spawn(core.recover_later(std::move(known->open_calls)));
    co_return base::Result<void>{};
}

void Assistant::release() {
    core_->begin_to_stop();
    core_->converse->stop();
    core_->runs.release();
}

runtime::Task<void> Assistant::stop() {
    release();
    co_await core_->runs.stop();
    co_await core_->tasks.wait(kStopWait);
    co_await core_->tasks.stop();
}

base::Result<void> Assistant::server_named(storage::Transaction& tx) {
    auto account = ensure_account(tx, core_->clock.now_ms());
    if (!account) return base::fail(std::move(account.error()));
    tx.after_commit([core = core_.get(), account = std::move(*account)] {
        core->assistant_user = account.user;
        core->assistant_user_id = account.user_id;
    });
    return {};
}

runtime::Task<base::Result<void>> Assistant::set_time_zone(std::string time_zone) {
    if (!is_time_zone(time_zone)) {
        co_return base::fail(base::ErrorKind::invalid, "assistant.bad_time_zone",
                             "There is no such time zone.");
    }
    co_return co_await core_->database.write(
        {kBudgetOrder}, [time_zone = std::move(time_zone)](storage::Transaction& tx) -> base::Result<void> {
            auto settings = budget_settings(tx);
            settings.time_zone = time_zone;
            put_budget_settings(tx, settings);
            return {};
        });
}

void Assistant::set_typing_teller(TypingTeller tell) {
    core_->tell_typing = std::move(tell);
}

runtime::Task<base::Result<void>> Assistant::erase_user(identity::UserNumber user) {
    for (bool is_all = false; !is_all;) {
        const auto erased = co_await core_->database.write(
            {kBudgetOrder},
            [user, now_ms = core_->clock.now_ms()](storage::Transaction& tx) -> base::Result<Erased> {
                return erase_person(tx, user, now_ms);
            });
        if (!erased) co_return base::fail(erased.error());
        is_all = erased->is_all;
    }
    co_return base::Result<void>{};
}

base::Result<void> Assistant::verify_content(std::string_view /*type*/,
                                             const base::json::object& content) const {
    const auto* edit = base::get_object(content, "m.new_content");
    if (!content.contains(kLabelKey) && (edit == nullptr || !edit->contains(kLabelKey))) return {};
    if (!core_->labels) {
        return base::fail(base::ErrorKind::unavailable, "IM.LINGXI.UNAVAILABLE",
                          "The assistant is still starting.");
    }
    return core_->labels->verify(content);
}

}  // namespace assistant
