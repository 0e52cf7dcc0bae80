#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <base/metrics.h>
#include <base/result.h>

namespace base {

/// How one process asks another for its metrics: the method of the call, which has no arguments.
inline constexpr std::string_view kMetricsMethod = "metrics.read";

/// The metrics of a process as it hands them to another.
std::string metrics_json(const std::vector<MetricFamily>& families);

/// Reads what another process handed over, which may have been taken over: at most 64 KiB and 256 readings,
/// numbers that can be, labels of small letters, and names that begin with `prefix` and '_', so that it can
/// speak for nobody but itself. Errors: base.bad_metrics (invalid), and those of parse_json.
Result<std::vector<MetricFamily>> read_metrics(std::string_view text, std::string_view prefix);

}  // namespace base
