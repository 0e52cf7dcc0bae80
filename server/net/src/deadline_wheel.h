#pragma once

#include <array>
#include <chrono>
#include <cstddef>

namespace net {

/// The deadlines of very many connections at the price of one timer. Setting one is writing a field; a
/// deadline fires up to one tick late.
class DeadlineWheel {
  public:
    using TimePoint = std::chrono::steady_clock::time_point;

    class Entry {
      public:
        Entry() = default;
        virtual ~Entry() { unlink(); }
        Entry(const Entry&) = delete;
        Entry& operator=(const Entry&) = delete;
        virtual void on_deadline() = 0;

      private:
        friend class DeadlineWheel;
        void unlink();
        Entry* previous_ = nullptr;
        Entry* next_ = nullptr;
        TimePoint deadline_ = TimePoint::max();
        TimePoint looked_at_ = TimePoint::max();  // when its slot comes up
    };

    DeadlineWheel(std::chrono::steady_clock::duration tick, TimePoint now);

    void set(Entry& entry, TimePoint deadline);
    static void clear(Entry& entry) { entry.deadline_ = TimePoint::max(); }
    /// Calls on_deadline() of all that are due. Entries may set and clear deadlines from there, not destroy
    /// each other. One that throws is called again a second later.
    void advance(TimePoint now);
    std::chrono::steady_clock::duration tick() const { return tick_; }

  private:
    static constexpr std::size_t kSlots = 512;
    struct Anchor final : Entry {
        Anchor();
        void on_deadline() override {}
    };

    void link(Entry& entry);
    std::chrono::steady_clock::duration tick_;
    TimePoint slot_time_;  // of the slot that comes up next
    std::size_t slot_ = 0;
    std::array<Anchor, kSlots> slots_;
};

}  // namespace net
