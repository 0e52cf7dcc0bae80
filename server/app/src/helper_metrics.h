#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <base/metrics.h>
#include <runtime/task.h>
#include <wire/channel.h>

namespace app {

/// What gateway and render count, for /metrics. They are asked when somebody reads it: one question at a time
/// to each, and one that does not answer soon is left out. I/O thread only.
class HelperMetrics {
  public:
    explicit HelperMetrics(base::Metrics& own) : own_(own) {}

    /// `name`: what the names of its metrics begin with.
    void add(std::string_view name, wire::Peer& peer);
    /// Core's own metrics and those of the helpers, in Prometheus' text format.
    runtime::Task<std::string> text();

  private:
    struct Helper {
        std::string name;
        wire::Peer& peer;
        bool is_asked = false;
        std::string last;  ///< for whoever reads while it is being asked
    };
    static runtime::Task<void> ask(Helper& helper);

    base::Metrics& own_;
    std::vector<Helper> helpers_;
};

}  // namespace app
