#include "budget.h"

#include <algorithm>
#include <limits>

namespace assistant {
namespace {

using base::ErrorKind;
using identity::UserNumber;

constexpr UserNumber kServer{0};

std::int64_t spent(storage::Transaction& tx, std::int64_t day, UserNumber user) {
    auto select = tx.prepare("SELECT tokens FROM spent_tokens WHERE day = ?1 AND user_number = ?2");
    select.bind(day, user);
    return select.step() ? select.integer(0) : 0;
}

void add_spent(storage::Transaction& tx, std::int64_t day, UserNumber user, std::int64_t tokens) {
    for (const UserNumber account : {user, kServer}) {
        tx.prepare(
              "INSERT INTO spent_tokens (day, user_number, tokens) VALUES (?1, ?2, ?3) "
              "ON CONFLICT (day, user_number) DO UPDATE SET tokens = tokens + excluded.tokens")
            .bind(day, account, tokens)
            .run();
    }
}

void add_cost(storage::Transaction& tx, std::int64_t day, std::string_view currency, std::int64_t micros) {
    if (micros == 0) return;
    tx.prepare(
          "INSERT INTO spent_cost (day, currency, micros) VALUES (?1, ?2, ?3) "
          "ON CONFLICT (day, currency) DO UPDATE SET micros = micros + excluded.micros")
        .bind(day, currency, micros)
        .run();
}

struct OpenCall {
    std::int64_t number = 0;
    UserNumber user;
    CallState state = CallState::reserved;
    std::int64_t day = 0;
    std::int64_t hold_tokens = 0;
    std::int64_t output_limit_tokens = 0;
    std::int64_t outbound_bytes = 0;
    std::int64_t input_price_micros = 0;
    std::int64_t output_price_micros = 0;
    std::string currency;
};

std::optional<OpenCall> find_open(storage::Transaction& tx, const egress::CallId& call_id) {
    auto select = tx.prepare(
        "SELECT call_number, user_number, state, day, hold_tokens, output_limit_tokens, outbound_bytes, "
        "input_price_micros, output_price_micros, currency FROM model_call WHERE call_id = ?1 AND state <= "
        "2");
    select.bind(call_id);
    if (!select.step()) return std::nullopt;
    return OpenCall{.number = select.integer(0),
                    .user = UserNumber{select.integer(1)},
                    .state = static_cast<CallState>(select.integer(2)),
                    .day = select.integer(3),
                    .hold_tokens = select.integer(4),
                    .output_limit_tokens = select.integer(5),
                    .outbound_bytes = select.optional_integer(6).value_or(0),
                    .input_price_micros = select.optional_integer(7).value_or(0),
                    .output_price_micros = select.optional_integer(8).value_or(0),
                    .currency = std::string(select.text(9))};
}

Answered<void> check_caps(storage::Transaction& tx, UserNumber user, const ServerDay& today, std::int64_t day,
                          std::int64_t more, std::int64_t now_ms) {
    const auto settings = budget_settings(tx);
    if (spent(tx, day, user) + more > settings.person_tokens_per_day ||
        spent(tx, day, kServer) + more > settings.server_tokens_per_day) {
        return refuse(budget_exhausted(now_ms, today.resets_at_ms));
    }
    return {};
}

std::optional<std::int64_t> stored(egress::Left left) {
    if (left == egress::Left::unknown) return std::nullopt;
    return static_cast<std::int64_t>(left);
}

/// Rounded up, so that many small calls are not free. Prices and tokens are far from overflowing 128 bits.
std::int64_t cost_micros(const OpenCall& call, std::int64_t input_tokens, std::int64_t output_tokens) {
    __extension__ using Wide = __int128;
    constexpr Wide kMillion = 1'000'000;
    const Wide total =
        Wide(input_tokens) * call.input_price_micros + Wide(output_tokens) * call.output_price_micros;
    const Wide micros = (total + kMillion - 1) / kMillion;
    return static_cast<std::int64_t>(std::min<Wide>(micros, std::numeric_limits<std::int64_t>::max()));
}

}  // namespace

std::string_view to_string(Purpose purpose) {
    switch (purpose) {
        case Purpose::suggest_replies:
            return "suggest_replies";
        case Purpose::translate:
            return "translate";
        case Purpose::converse:
            return "converse";
        case Purpose::try_out:
            return "try_out";
    }
    return "unknown";
}

std::string_view to_string(CallState state) {
    switch (state) {
        case CallState::reserved:
            return "reserved";
        case CallState::told:
            return "running";
        case CallState::done:
            return "done";
        case CallState::failed:
            return "failed";
        case CallState::cancelled:
            return "cancelled";
        case CallState::unknown:
            return "unknown";
        case CallState::known:
            return "cached";
    }
    return "unknown";
}

BudgetSettings budget_settings(storage::Transaction& tx) {
    auto select = tx.prepare(
        "SELECT ai_enabled, person_tokens_per_day, server_tokens_per_day, time_zone FROM assistant_settings");
    if (!select.step()) return {};
    return {select.integer(0) != 0, select.integer(1), select.integer(2), std::string(select.text(3))};
}

void put_budget_settings(storage::Transaction& tx, const BudgetSettings& settings) {
    tx.prepare(
          "UPDATE assistant_settings SET ai_enabled = ?1, person_tokens_per_day = ?2, "
          "server_tokens_per_day = ?3, time_zone = ?4")
        .bind(settings.ai_enabled, settings.person_tokens_per_day, settings.server_tokens_per_day,
              settings.time_zone)
        .run();
}

Spending spending_today(storage::Transaction& tx, UserNumber user, std::int64_t now_ms) {
    const auto settings = budget_settings(tx);
    const auto today = server_day(settings.time_zone, now_ms);
    return {spent(tx, today.number, user),
            user == kServer ? settings.server_tokens_per_day : settings.person_tokens_per_day,
            today.resets_at_ms};
}

std::vector<Cost> cost_today(storage::Transaction& tx, std::int64_t now_ms) {
    auto select = tx.prepare("SELECT currency, micros FROM spent_cost WHERE day = ?1 ORDER BY currency");
    select.bind(server_day(budget_settings(tx).time_zone, now_ms).number);
    std::vector<Cost> costs;
    while (select.step()) costs.push_back({std::string(select.text(0)), select.integer(1)});
    return costs;
}

Answered<void> reserve(storage::Transaction& tx, const Reservation& wish, std::int64_t now_ms) {
    const auto today = server_day(budget_settings(tx).time_zone, now_ms);
    const std::int64_t hold = wish.prompt_bytes + wish.output_limit_tokens;
    // What costs nothing fits whatever was spent, which is more than the cap where that was lowered.
    if (hold > 0) {
        if (auto fits = check_caps(tx, wish.user, today, today.number, hold, now_ms); !fits) return fits;
    }
    const auto inserted =
        tx.prepare(
              "INSERT INTO model_call (call_id, user_number, room_id, purpose, state, day, hold_tokens, "
              "reserved_at_ms, output_limit_tokens) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) "
              "ON CONFLICT (call_id) DO NOTHING")
            .bind(wish.call_id, wish.user, wish.room_id, static_cast<int>(wish.purpose),
                  static_cast<int>(CallState::reserved), today.number, hold, now_ms, wish.output_limit_tokens)
            .run();
    if (inserted == 0) {
        return refuse(
            base::Error{ErrorKind::conflict, "assistant.repeated_call", "This call was made before."});
    }
    add_spent(tx, today.number, wish.user, hold);
    return {};
}

Answered<void> tell_to_go(storage::Transaction& tx, const egress::CallId& call_id,
                          const egress::Prepared& prepared, const std::vector<UserNumber>& whose,
                          std::int64_t now_ms) {
    const auto call = find_open(tx, call_id);
    if (!call || call->state != CallState::reserved) {
        return refuse(base::Error{ErrorKind::conflict, "assistant.no_reservation",
                                  "Nothing is reserved for this call."});
    }
    // Of what is known nothing leaves, and nothing can be owed for it.
    const std::int64_t outbound_bytes = prepared.known ? 0 : prepared.outbound_bytes;
    const std::int64_t output_limit_tokens = prepared.known ? 0 : call->output_limit_tokens;
    const std::int64_t hold = outbound_bytes + output_limit_tokens;
    if (hold > call->hold_tokens) {
        const auto today = server_day(budget_settings(tx).time_zone, now_ms);
        auto fits = check_caps(tx, call->user, today, call->day, hold - call->hold_tokens, now_ms);
        if (!fits) return fits;
    }
    add_spent(tx, call->day, call->user, hold - call->hold_tokens);
    tx.prepare(
          "UPDATE model_call SET state = ?2, hold_tokens = ?3, told_at_ms = ?4, provider_id = ?5, "
          "provider_name = ?6, model = ?7, on_this_machine = ?8, outbound_sha256 = ?9, outbound_bytes = ?10, "
          "input_price_micros = ?11, output_price_micros = ?12, currency = ?13, output_limit_tokens = ?14, "
          "has_left = ?15 WHERE call_number = ?1")
        .bind(call->number, static_cast<int>(CallState::told), hold, now_ms, prepared.provider_id,
              prepared.provider_name, prepared.model, prepared.on_this_machine, prepared.outbound_sha256,
              outbound_bytes, prepared.input_price_micros_per_million,
              prepared.output_price_micros_per_million, prepared.currency, output_limit_tokens,
              stored(prepared.known ? egress::Left::no : egress::Left::unknown))
        .run();
    for (const UserNumber person : whose) {
        tx.prepare(
              "INSERT INTO model_call_words (call_number, user_number) VALUES (?1, ?2) ON CONFLICT DO "
              "NOTHING")
            .bind(call->number, person)
            .run();
    }
    return {};
}

Usage settle(storage::Transaction& tx, const egress::CallId& call_id, CallState outcome,
             const std::optional<egress::Finished>& finished, egress::Left left, std::int64_t now_ms) {
    const auto call = find_open(tx, call_id);
    if (!call || call->state != CallState::told) return {};
    Usage usage{.input_tokens = call->outbound_bytes,
                .output_tokens = call->output_limit_tokens,
                .estimated = true,
                .currency = call->currency};
    if (finished) {
        // A provider that counts more than there was, or nothing at all, is not believed. One that went on
        // beyond its limit is, as far as what came of it bears that out.
        usage.input_tokens = std::clamp<std::int64_t>(finished->input_tokens, 0, call->outbound_bytes);
        usage.output_tokens = std::clamp<std::int64_t>(
            finished->output_tokens, 0,
            std::max(
                call->output_limit_tokens,
                std::min(finished->received_bytes, call->output_limit_tokens * egress::kTokenLimitBytes)));
        usage.estimated = finished->estimated || usage.input_tokens != finished->input_tokens ||
                          usage.output_tokens != finished->output_tokens;
    }
    usage.cost_micros = cost_micros(*call, usage.input_tokens, usage.output_tokens);
    tx.prepare(
          "UPDATE model_call SET state = ?2, hold_tokens = 0, ended_at_ms = ?3, input_tokens = ?4, "
          "output_tokens = ?5, is_estimated = ?6, cost_micros = ?7, has_left = coalesce(?8, has_left) "
          "WHERE call_number = ?1")
        .bind(call->number, static_cast<int>(outcome), now_ms, usage.input_tokens, usage.output_tokens,
              usage.estimated, usage.cost_micros, stored(left))
        .run();
    add_spent(tx, call->day, call->user, usage.input_tokens + usage.output_tokens - call->hold_tokens);
    add_cost(tx, call->day, call->currency, usage.cost_micros);
    return usage;
}

std::optional<CallState> state_of_call(storage::Transaction& tx, const egress::CallId& call_id) {
    auto select = tx.prepare("SELECT state FROM model_call WHERE call_id = ?1");
    select.bind(call_id);
    if (!select.step()) return std::nullopt;
    return static_cast<CallState>(select.integer(0));
}

bool is_under_way(storage::Transaction& tx, const egress::CallId& call_id) {
    const auto call = find_open(tx, call_id);
    return call && call->state == CallState::told;
}

void release(storage::Transaction& tx, const egress::CallId& call_id) {
    const auto call = find_open(tx, call_id);
    if (!call || call->state != CallState::reserved) return;
    add_spent(tx, call->day, call->user, -call->hold_tokens);
    tx.prepare("DELETE FROM model_call WHERE call_number = ?1").bind(call->number).run();
}

namespace {

std::vector<egress::CallId> read_ids(storage::Statement select) {
    std::vector<egress::CallId> ids;
    while (select.step()) ids.emplace_back(select.text(0));
    return ids;
}

}  // namespace

std::vector<egress::CallId> open_calls(storage::Transaction& tx) {
    return read_ids(tx.prepare("SELECT call_id FROM model_call WHERE state <= 2"));
}

Recovered recover(storage::Transaction& tx, const std::vector<egress::CallId>& calls, std::int64_t now_ms) {
    Recovered recovered;
    for (const auto& call_id : calls) {
        const auto call = find_open(tx, call_id);
        if (!call) continue;
        if (call->state == CallState::told) {
            settle(tx, call_id, CallState::unknown, std::nullopt, egress::Left::unknown, now_ms);
            ++recovered.unknown;
        } else {
            release(tx, call_id);
            ++recovered.released;
        }
    }
    return recovered;
}

void settle_open(storage::Transaction& tx, UserNumber user, std::int64_t now_ms) {
    auto select = tx.prepare("SELECT call_id FROM model_call WHERE state <= 2 AND user_number = ?1");
    select.bind(user);
    recover(tx, read_ids(std::move(select)), now_ms);
}

}  // namespace assistant
