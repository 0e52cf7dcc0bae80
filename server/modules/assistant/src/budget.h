#pragma once

#include "refusal.h"
#include "server_day.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <egress/model.h>
#include <identity/ids.h>
#include <storage/transaction.h>

namespace assistant {

/// Numbers are stored.
enum class Purpose : std::uint8_t { suggest_replies = 1, translate = 2, converse = 3, try_out = 4 };
std::string_view to_string(Purpose purpose);

/// Numbers are stored; those up to `told` are open.
enum class CallState : std::uint8_t {
    reserved = 1,
    told = 2,
    done = 3,
    failed = 4,
    cancelled = 5,
    unknown = 6,
    known = 7  ///< nothing left: the same words had been answered a while ago
};
std::string_view to_string(CallState state);

/// The administrator's row.
struct BudgetSettings {
    bool ai_enabled = true;
    std::int64_t person_tokens_per_day = 0;
    std::int64_t server_tokens_per_day = 0;
    std::string time_zone;
};
BudgetSettings budget_settings(storage::Transaction& tx);
void put_budget_settings(storage::Transaction& tx, const BudgetSettings& settings);

struct Spending {
    std::int64_t used_tokens = 0;  ///< settled and held
    std::int64_t cap_tokens = 0;
    std::int64_t resets_at_ms = 0;
};
/// `user` none: the server's.
Spending spending_today(storage::Transaction& tx, identity::UserNumber user, std::int64_t now_ms);
struct Cost {
    std::string currency;
    std::int64_t micros = 0;
};
std::vector<Cost> cost_today(storage::Transaction& tx, std::int64_t now_ms);

/// The way of a call's money, each step inside a write job of the one order `kBudgetOrder`: reserve ▸
/// tell_to_go ▸ settle, or release. What is held counts as spent, so that no number of calls at once can pass
/// a cap.
inline constexpr const char* kBudgetOrder = "assistant:budget";

struct Reservation {
    egress::CallId call_id;
    identity::UserNumber user;
    std::string room_id;
    Purpose purpose = Purpose::suggest_replies;
    std::int64_t prompt_bytes = 0;  ///< no token is shorter than a byte
    std::int64_t output_limit_tokens = 0;
};
/// Errors: IM.LINGXI.BUDGET_EXHAUSTED, assistant.repeated_call (conflict: the id was used before).
Answered<void> reserve(storage::Transaction& tx, const Reservation& wish, std::int64_t now_ms);

/// Makes the reservation a receipt of what is about to leave: after this is durable, and not before, it may.
/// The hold becomes exact. Errors: IM.LINGXI.BUDGET_EXHAUSTED, assistant.no_reservation (conflict).
Answered<void> tell_to_go(storage::Transaction& tx, const egress::CallId& call_id,
                          const egress::Prepared& prepared, const std::vector<identity::UserNumber>& whose,
                          std::int64_t now_ms);

struct Usage {
    std::int64_t input_tokens = 0;
    std::int64_t output_tokens = 0;
    bool estimated = false;
    std::int64_t cost_micros = 0;
    std::string currency;
};
/// Ends a call that was told to go. Without `finished` it is settled at the whole hold: nobody knows how much
/// of it was used. `left`: whether what the receipt names has left. Nothing is done where it has been
/// settled.
Usage settle(storage::Transaction& tx, const egress::CallId& call_id, CallState outcome,
             const std::optional<egress::Finished>& finished, egress::Left left, std::int64_t now_ms);
/// Nothing where there is no such call.
std::optional<CallState> state_of_call(storage::Transaction& tx, const egress::CallId& call_id);
/// Whether the call was told to go and has not been settled.
bool is_under_way(storage::Transaction& tx, const egress::CallId& call_id);
/// Gives back a reservation that was never told to go, and forgets it.
void release(storage::Transaction& tx, const egress::CallId& call_id);

/// Ends every open call of one person, as recover() does.
void settle_open(storage::Transaction& tx, identity::UserNumber user, std::int64_t now_ms);

struct Recovered {
    std::int64_t released = 0;
    std::int64_t unknown = 0;
};
/// The calls that have not ended: at a start, those that a crash left so.
std::vector<egress::CallId> open_calls(storage::Transaction& tx);
/// After a crash, of `calls` those that are open still: who was told to go is settled at the whole hold as
/// unknown, the rest is released.
Recovered recover(storage::Transaction& tx, const std::vector<egress::CallId>& calls, std::int64_t now_ms);

}  // namespace assistant
