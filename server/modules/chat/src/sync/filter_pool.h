#pragma once

#include "sync/filter.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace chat {

/// Filters by their text, one for all who use the same: an app gives the same to everybody, and a parked
/// request keeps its filter. A filter is here as long as somebody holds it. I/O thread only.
class FilterPool {
  public:
    /// Errors: those of SyncFilter::parse_text.
    base::Result<std::shared_ptr<const SyncFilter>> filter_of(std::string_view text);
    std::size_t size() const { return filters_.size(); }

  private:
    void drop_unheld();

    std::unordered_map<std::string, std::weak_ptr<const SyncFilter>> filters_;
    std::size_t drop_at_ = 64;  ///< so many are looked through for unheld ones
};

}  // namespace chat
