#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include <identity/ids.h>

namespace assistant {

/// What askers were told a moment ago of why there is no answer: who goes on asking is told in the same line,
/// which counts, and a room is not full of lines. What one asker was told says nothing to another.
class Told {
  public:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::seconds kMoment{60};
    /// A line that was edited so often is left, and another begun.
    static constexpr int kEditsLimit = 20;

    struct Why {
        std::string room_id;
        std::string thread;  ///< the event that it began with; empty: in none
        identity::UserNumber asker;
        std::string code;
        auto operator<=>(const Why&) const = default;
    };
    struct Line {
        std::string event_id;
        std::int64_t questions = 1;
        int edits = 0;
        Clock::time_point at{};
    };

    /// The line of a moment ago; nothing where there is none, or none that may still be edited.
    std::optional<Line> find(const Why& why, Clock::time_point now);
    /// That line says now that it goes for so many more.
    void count_on(const Why& why, std::int64_t questions, Clock::time_point now);
    void begin(const Why& why, std::string event_id, std::int64_t questions, Clock::time_point now);

  private:
    std::map<Why, Line> lines_;
};

}  // namespace assistant
