#pragma once

#include <functional>
#include <memory>
#include <optional>

#include <base/result.h>
#include <storage/database.h>

namespace storage {

/// A queued job, from submit() to its acknowledgement on the I/O thread.
struct Database::Job {
    std::move_only_function<bool(Transaction&)> body;
    std::move_only_function<void()> resume;
    std::optional<base::Error>
        failure;  ///< of the machinery; a failure that the body returned is the body's own
};

/// Runs a body; a Fault or another exception becomes the job's failure. True when its changes are to be kept.
bool run_body(Database::Job& job, Transaction& tx);

}  // namespace storage
