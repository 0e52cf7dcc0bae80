#include "settlement.h"

#include "backoff.h"

#include <utility>

#include <base/log.h>

namespace assistant {

runtime::Task<Answered<Usage>> write_settlement(Assistant::Core& core, Settlement settlement) {
    co_return co_await write_answered<Usage>(
        core, storage::OrderKey{kBudgetOrder},
        [settlement = std::move(settlement)](storage::Transaction& tx) -> Answered<Usage> {
            if (settlement.was_told) {
                return settle(tx, settlement.call_id, settlement.outcome, settlement.finished,
                              settlement.left, settlement.ended_at_ms);
            }
            release(tx, settlement.call_id);
            return Usage{};
        });
}

runtime::Task<void> settle_later(Assistant::Core& core, Settlement settlement) {
    Backoff backoff;
    while (const auto wait = backoff.next()) {
        co_await core.pause(*wait);
        const bool is_last = core.is_stopping();
        const auto settled = co_await write_settlement(core, settlement);
        if (settled) {
            count_settled(core, settlement, *settled);
            co_return;
        }
        if (is_last || !may_pass(settled.error().error)) break;
    }
    // The next start settles it; until then the hold stands, which errs on the side of the cap.
    base::log_error("assistant.not_settled", {{"waited_s", backoff.waited().count()}});
    count_settled(core, settlement, {});
}

void count_settled(Assistant::Core& core, const Settlement& settlement, const Usage& usage) {
    core.count_call(settlement.purpose, settlement.was_told ? to_string(settlement.outcome) : "released",
                    usage);
}

}  // namespace assistant
