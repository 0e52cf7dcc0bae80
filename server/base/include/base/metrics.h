#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace base {

/// Label values come from closed sets only: never ids, paths or words of people.
using Labels = std::map<std::string, std::string>;

class Counter {
  public:
    void add(double by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
    double value() const { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<double> value_{0};
};

class Gauge {
  public:
    void set(double to) { value_.store(to, std::memory_order_relaxed); }
    void add(double by) { value_.fetch_add(by, std::memory_order_relaxed); }
    double value() const { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<double> value_{0};
};

/// Cumulative buckets; thread-safe.
class Histogram {
  public:
    explicit Histogram(std::vector<double> upper_bounds);
    void observe(double value);

    struct Reading {
        std::vector<std::pair<double, std::uint64_t>> cumulative;  ///< upper bound, count at or below it
        std::uint64_t count = 0;
        double sum = 0;
    };
    Reading read() const;

  private:
    std::vector<double> bounds_;
    std::unique_ptr<std::atomic<std::uint64_t>[]> counts_;
    std::atomic<double> sum_{0};
};

enum class MetricKind : std::uint8_t { counter, gauge, histogram };

/// What one instrument says at one moment.
struct MetricReading {
    Labels labels;
    double value = 0;              ///< of a counter or gauge
    Histogram::Reading histogram;  ///< of a histogram
};

/// The instruments of one name, as they were read.
struct MetricFamily {
    std::string name;
    std::string help;
    MetricKind kind = MetricKind::counter;
    std::vector<MetricReading> readings;
};

/// Prometheus text format 0.0.4.
std::string metrics_text(const std::vector<MetricFamily>& families);

/// Every metric of a process. Instruments live as long as the registry; look one up once and keep the
/// reference.
class Metrics {
  public:
    Metrics();
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    Counter& counter(std::string_view name, std::string_view help, const Labels& labels = {});
    Gauge& gauge(std::string_view name, std::string_view help, const Labels& labels = {});
    Histogram& histogram(std::string_view name, std::string_view help, std::vector<double> upper_bounds,
                         const Labels& labels = {});
    /// In the order of their names.
    std::vector<MetricFamily> read() const;
    std::string text() const { return metrics_text(read()); }

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace base
