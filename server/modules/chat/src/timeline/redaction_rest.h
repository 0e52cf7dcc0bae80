#pragma once

#include "core.h"

namespace chat {

/// Redacts what the jobs that redacted messages left, now and whenever there is more, until it is cancelled:
/// a small job at a time, so that people's messages pass between two.
runtime::Task<void> redact_rest(Core& core);

}  // namespace chat
