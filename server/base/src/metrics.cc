#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <variant>

#include <base/metrics.h>

namespace base {
namespace {

/// The shortest decimal that reads back to the same number.
std::string shortest(double value) {
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    char text[32];
    for (int precision = 1; precision <= 17; ++precision) {
        std::snprintf(text, sizeof text, "%.*g", precision, value);
        if (std::strtod(text, nullptr) == value) break;
    }
    return text;
}

std::string escape(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\\' || c == '"') out += '\\';
        if (c == '\n') {
            out += "\\n";
        } else {
            out += c;
        }
    }
    return out;
}

std::string series(std::string_view name, const Labels& labels, std::string_view extra = {}) {
    std::string inside;
    for (const auto& [key, value] : labels) {
        inside += (inside.empty() ? "" : ",") + key + "=\"" + escape(value) + '"';
    }
    if (!extra.empty()) inside += (inside.empty() ? "" : ",") + std::string(extra);
    return inside.empty() ? std::string(name) : std::string(name) + '{' + inside + '}';
}

}  // namespace

Histogram::Histogram(std::vector<double> upper_bounds)
    : bounds_(std::move(upper_bounds)), counts_(new std::atomic<std::uint64_t>[bounds_.size() + 1]) {
    for (std::size_t i = 0; i <= bounds_.size(); ++i) counts_[i] = 0;
}

void Histogram::observe(double value) {
    const auto bucket = std::ranges::lower_bound(bounds_, value) - bounds_.begin();
    counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
}

Histogram::Reading Histogram::read() const {
    Reading reading;
    for (std::size_t i = 0; i <= bounds_.size(); ++i) {
        reading.count += counts_[i].load(std::memory_order_relaxed);
        reading.cumulative.emplace_back(i < bounds_.size() ? bounds_[i] : INFINITY, reading.count);
    }
    reading.sum = sum_.load(std::memory_order_relaxed);
    return reading;
}

struct Metrics::State {
    using Instrument =
        std::variant<std::unique_ptr<Counter>, std::unique_ptr<Gauge>, std::unique_ptr<Histogram>>;
    struct Family {
        std::string help;
        std::map<Labels, Instrument> members;
    };

    mutable std::mutex mutex;  // instruments are made from any thread; using one takes no lock
    std::map<std::string, Family, std::less<>> families;

    template <class T, class... Args>
    T& instrument(std::string_view name, std::string_view help, const Labels& labels, Args&&... args) {
        const std::lock_guard lock(mutex);
        Family& family = families[std::string(name)];
        if (family.help.empty()) family.help = help;
        auto found = family.members.find(labels);
        if (found == family.members.end()) {
            found = family.members.emplace(labels, std::make_unique<T>(std::forward<Args>(args)...)).first;
        }
        return *std::get<std::unique_ptr<T>>(found->second);
    }
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

Counter& Metrics::counter(std::string_view name, std::string_view help, const Labels& labels) {
    return state_->instrument<Counter>(name, help, labels);
}
Gauge& Metrics::gauge(std::string_view name, std::string_view help, const Labels& labels) {
    return state_->instrument<Gauge>(name, help, labels);
}
Histogram& Metrics::histogram(std::string_view name, std::string_view help, std::vector<double> upper_bounds,
                              const Labels& labels) {
    return state_->instrument<Histogram>(name, help, labels, std::move(upper_bounds));
}

std::vector<MetricFamily> Metrics::read() const {
    const std::lock_guard lock(state_->mutex);
    std::vector<MetricFamily> families;
    families.reserve(state_->families.size());
    for (const auto& [name, family] : state_->families) {
        MetricFamily read{.name = name,
                          .help = family.help,
                          .kind = static_cast<MetricKind>(family.members.begin()->second.index())};
        for (const auto& [labels, instrument] : family.members) {
            MetricReading reading{.labels = labels};
            if (const auto* counter = std::get_if<std::unique_ptr<Counter>>(&instrument)) {
                reading.value = (*counter)->value();
            } else if (const auto* gauge = std::get_if<std::unique_ptr<Gauge>>(&instrument)) {
                reading.value = (*gauge)->value();
            } else {
                reading.histogram = std::get<std::unique_ptr<Histogram>>(instrument)->read();
            }
            read.readings.push_back(std::move(reading));
        }
        families.push_back(std::move(read));
    }
    return families;
}

std::string metrics_text(const std::vector<MetricFamily>& families) {
    static constexpr std::string_view kTypes[] = {"counter", "gauge", "histogram"};
    std::string out;
    for (const MetricFamily& family : families) {
        const std::string& name = family.name;
        out += "# HELP " + name + ' ' + escape(family.help) + '\n';
        out += "# TYPE " + name + ' ' + std::string(kTypes[static_cast<std::size_t>(family.kind)]) + '\n';
        for (const MetricReading& reading : family.readings) {
            if (family.kind != MetricKind::histogram) {
                out += series(name, reading.labels) + ' ' + shortest(reading.value) + '\n';
                continue;
            }
            for (const auto& [bound, count] : reading.histogram.cumulative) {
                out += series(name + "_bucket", reading.labels, "le=\"" + shortest(bound) + '"') + ' ' +
                       std::to_string(count) + '\n';
            }
            out += series(name + "_sum", reading.labels) + ' ' + shortest(reading.histogram.sum) + '\n';
            out += series(name + "_count", reading.labels) + ' ' + std::to_string(reading.histogram.count) +
                   '\n';
        }
    }
    return out;
}

}  // namespace base
