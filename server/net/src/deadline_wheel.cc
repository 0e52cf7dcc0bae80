#include "deadline_wheel.h"

#include <algorithm>
#include <exception>

#include <base/log.h>

namespace net {
namespace {

constexpr std::chrono::seconds kTryAgainAfter{1};

}  // namespace

void DeadlineWheel::Entry::unlink() {
    if (!next_) return;
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = nullptr;
}

DeadlineWheel::Anchor::Anchor() {
    previous_ = next_ = this;
}

DeadlineWheel::DeadlineWheel(std::chrono::steady_clock::duration tick, TimePoint now)
    : tick_(tick), slot_time_(now + tick) {}

void DeadlineWheel::set(Entry& entry, TimePoint deadline) {
    entry.deadline_ = deadline;
    // One that is looked at earlier anyway moves on then: most deadlines are only ever put off.
    if (entry.next_ && entry.looked_at_ <= deadline) return;
    entry.unlink();
    link(entry);
}

void DeadlineWheel::link(Entry& entry) {
    const auto ahead = std::max(entry.deadline_ - slot_time_, std::chrono::steady_clock::duration::zero());
    const auto steps =
        std::min<std::int64_t>((ahead + tick_ - std::chrono::steady_clock::duration(1)) / tick_,
                               static_cast<std::int64_t>(kSlots - 1));
    entry.looked_at_ = slot_time_ + steps * tick_;
    Entry& anchor = slots_[(slot_ + static_cast<std::size_t>(steps)) % kSlots];
    entry.previous_ = anchor.previous_;
    entry.next_ = &anchor;
    anchor.previous_->next_ = &entry;
    anchor.previous_ = &entry;
}

void DeadlineWheel::advance(TimePoint now) {
    // A clock that leapt far needs each slot only once.
    if (now - slot_time_ > tick_ * static_cast<std::int64_t>(kSlots)) {
        slot_time_ = now - tick_ * static_cast<std::int64_t>(kSlots - 1);
    }
    while (slot_time_ <= now) {
        Entry& anchor = slots_[slot_];
        slot_ = (slot_ + 1) % kSlots;
        slot_time_ += tick_;
        // Unhooked one by one: what on_deadline() links into this slot belongs to the next round.
        Anchor due;
        if (anchor.next_ != &anchor) {
            due.next_ = anchor.next_;
            due.previous_ = anchor.previous_;
            due.next_->previous_ = &due;
            due.previous_->next_ = &due;
            anchor.next_ = anchor.previous_ = &anchor;
        }
        while (due.next_ != &due) {
            Entry& entry = *due.next_;
            entry.unlink();
            if (entry.deadline_ == TimePoint::max()) continue;
            if (entry.deadline_ > now) {
                link(entry);
                continue;
            }
            entry.deadline_ = TimePoint::max();
            try {
                entry.on_deadline();
            } catch (const std::exception& fault) {
                // The others are due all the same.
                base::log_error("net.deadline_fault", {{"what", fault.what()}});
                set(entry, now + kTryAgainAfter);
            }
        }
    }
}

}  // namespace net
