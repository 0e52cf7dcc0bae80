#pragma once

#include "core.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace assistant {

/// How a call is settled, or its reservation released where it was never told to go. Repeating it does no
/// harm.
struct Settlement {
    egress::CallId call_id;
    Purpose purpose = Purpose::suggest_replies;
    bool was_told = false;
    CallState outcome = CallState::failed;
    std::optional<egress::Finished> finished;  ///< nothing: nobody knows
    egress::Left left = egress::Left::unknown;
    std::int64_t ended_at_ms = 0;
};

/// Tries once.
runtime::Task<Answered<Usage>> write_settlement(Assistant::Core& core, Settlement settlement);
/// Tries again for as long as a Backoff lasts, and once more where the assistant stops.
runtime::Task<void> settle_later(Assistant::Core& core, Settlement settlement);
/// Whatever became of it, once a call; with nothing used where that is not known yet.
void count_settled(Assistant::Core& core, const Settlement& settlement, const Usage& usage);

}  // namespace assistant
