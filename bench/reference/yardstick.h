#pragma once

namespace bench {

/// How fast this machine computes: the time, in µs, in which Boost.JSON parses an event of 402 bytes that the
/// caches hold; the median of many slices. Targets that are times were set where it takes 0.8.
double parse_event_us();

}  // namespace bench
