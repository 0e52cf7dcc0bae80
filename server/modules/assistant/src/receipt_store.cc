#include "receipt_store.h"

#include "budget.h"

#include <identity/users.h>

namespace assistant {
namespace {

namespace json = base::json;

constexpr std::string_view kByPage =
    "SELECT call_number, call_id, purpose, room_id, told_at_ms, provider_name, model, on_this_machine, "
    "outbound_sha256, outbound_bytes, input_tokens, output_tokens, cost_micros, currency, state, "
    "is_estimated, has_left "
    "FROM model_call WHERE user_number = ?1 AND call_number < ?2 AND state >= 2 ORDER BY call_number DESC "
    "LIMIT ?3";
constexpr std::string_view kById =
    "SELECT call_number, call_id, purpose, room_id, told_at_ms, provider_name, model, on_this_machine, "
    "outbound_sha256, outbound_bytes, input_tokens, output_tokens, cost_micros, currency, state, "
    "is_estimated, has_left "
    "FROM model_call WHERE user_number = ?1 AND call_id = ?2 AND state >= 2";

egress::Left left_of(const std::optional<std::int64_t>& stored, CallState state) {
    if (state == CallState::known) return egress::Left::no;
    return stored ? static_cast<egress::Left>(*stored) : egress::Left::unknown;
}

/// While a call runs, its end is as unknown as after a crash.
std::string_view outcome_of(CallState state) {
    return state == CallState::told ? to_string(CallState::unknown) : to_string(state);
}

Receipt read(const storage::Statement& row) {
    const auto number_or_null = [&](int column) -> json::value {
        if (const auto number = row.optional_integer(column)) return *number;
        return nullptr;
    };
    return {row.integer(0),
            {{"call_id", row.text(1)},
             {"purpose", to_string(static_cast<Purpose>(row.integer(2)))},
             {"room_id", row.text(3).empty() ? json::value(nullptr) : json::value(row.text(3))},
             {"at_ms", row.integer(4)},
             {"provider", row.text(5)},
             {"model", row.text(6)},
             {"on_this_machine", row.integer(7) != 0},
             {"outbound_sha256", row.text(8)},
             {"outbound_bytes", row.integer(9)},
             {"left", to_string(left_of(row.optional_integer(16), static_cast<CallState>(row.integer(14))))},
             {"input_tokens", number_or_null(10)},
             {"output_tokens", number_or_null(11)},
             {"estimated", row.is_null(15) ? json::value(nullptr) : json::value(row.integer(15) != 0)},
             {"cost_micros", number_or_null(12)},
             {"currency", row.text(13)},
             {"outcome", outcome_of(static_cast<CallState>(row.integer(14)))}}};
}

void add_whose(storage::Transaction& tx, Receipt& receipt) {
    json::array whose;
    auto select = tx.prepare("SELECT user_number FROM model_call_words WHERE call_number = ?1");
    select.bind(receipt.number);
    while (select.step())
        whose.push_back(json::value(identity::user_id_of(tx, identity::UserNumber{select.integer(0)}).value));
    receipt.json["whose"] = std::move(whose);
}

}  // namespace

std::vector<Receipt> receipts_of(storage::Transaction& tx, identity::UserNumber user, std::int64_t before,
                                 std::size_t limit) {
    std::vector<Receipt> receipts;
    auto select = tx.prepare(kByPage);
    select.bind(user, before, static_cast<std::int64_t>(limit));
    while (select.step()) receipts.push_back(read(select));
    for (Receipt& receipt : receipts) add_whose(tx, receipt);
    return receipts;
}

std::optional<Receipt> find_receipt(storage::Transaction& tx, identity::UserNumber user,
                                    std::string_view call_id) {
    auto select = tx.prepare(kById);
    select.bind(user, call_id);
    if (!select.step()) return std::nullopt;
    auto receipt = read(select);
    add_whose(tx, receipt);
    return receipt;
}

std::int64_t newest_receipt(storage::Transaction& tx, identity::UserNumber user) {
    auto select = tx.prepare("SELECT max(call_number) FROM model_call WHERE user_number = ?1");
    select.bind(user);
    return select.step() ? select.optional_integer(0).value_or(0) : 0;
}

}  // namespace assistant
