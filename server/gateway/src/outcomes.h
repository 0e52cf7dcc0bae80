#pragma once

#include <map>
#include <string>
#include <string_view>

#include <base/metrics.h>

namespace gateway {

/// A counter for each outcome of one thing, each looked up among the process's metrics once.
class Outcomes {
  public:
    Outcomes(base::Metrics& metrics, std::string_view name, std::string_view help)
        : metrics_(metrics), name_(name), help_(help) {}

    void add(std::string_view outcome) {
        auto found = counters_.find(outcome);
        if (found == counters_.end()) {
            base::Counter& counter = metrics_.counter(name_, help_, {{"outcome", std::string(outcome)}});
            found = counters_.emplace(outcome, &counter).first;
        }
        found->second->add();
    }

  private:
    base::Metrics& metrics_;
    std::string name_;
    std::string help_;
    std::map<std::string, base::Counter*, std::less<>> counters_;
};

}  // namespace gateway
