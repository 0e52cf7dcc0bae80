#pragma once

#include "rooms/room_rules.h"

#include <memory>
#include <string>
#include <unordered_map>

namespace chat {

/// The rules of rooms that were written to lately. A hint for write jobs, which check it (rules_in_force);
/// can be dropped at any time. I/O thread only.
class RoomCache {
  public:
    std::shared_ptr<const RoomRules> find(const std::string& room_id) const {
        const auto found = rules_.find(room_id);
        return found == rules_.end() ? nullptr : found->second;
    }
    void put(std::shared_ptr<const RoomRules> rules) {
        if (rules_.size() >= kLimit) rules_.erase(rules_.begin());
        auto id = rules->room.id.value;
        rules_.insert_or_assign(std::move(id), std::move(rules));
    }

  private:
    static constexpr std::size_t kLimit = 10'000;
    std::unordered_map<std::string, std::shared_ptr<const RoomRules>> rules_;
};

}  // namespace chat
