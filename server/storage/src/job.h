#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include <base/result.h>
#include <storage/transaction.h>

namespace storage {

/// A job on its way: queued by the I/O thread, run by another, resumed on the I/O thread. Shared by the
/// waiting coroutine and whoever has it in hand; one at a time touches it.
struct Job {
    explicit Job(std::move_only_function<bool(Transaction&)> what) : body(std::move(what)) {}

    std::move_only_function<bool(Transaction&)> body;  ///< false: roll back
    std::move_only_function<void()> resume;            ///< of the waiting coroutine
    base::Result<void> result;                         ///< a failure of the machinery
    bool kept = false;                                 ///< its work is part of its group's commit
    std::chrono::steady_clock::time_point queued_at = std::chrono::steady_clock::now();
};
using JobPointer = std::shared_ptr<Job>;

/// Why a job was not taken, if it was not.
enum class Refusal : std::uint8_t { none, full, closed };

}  // namespace storage
