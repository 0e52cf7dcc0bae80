#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

#include <identity/ids.h>

namespace assistant {

/// How many event streams are open, so that no person and no flood takes all. I/O thread only.
class Seats {
  public:
    static constexpr std::size_t kPersonLimit = 3;
    static constexpr std::size_t kServerLimit = 128;

    /// Freed when it goes; may outlive the Seats.
    class Seat {
      public:
        Seat(Seat&&) noexcept = default;
        Seat& operator=(Seat&&) = delete;
        ~Seat() {
            if (taken_ == nullptr) return;
            const auto place = taken_->find(user_);
            if (place != taken_->end() && --place->second == 0) taken_->erase(place);
        }

      private:
        friend class Seats;
        using Taken = std::unordered_map<identity::UserNumber, std::size_t>;
        Seat(std::shared_ptr<Taken> taken, identity::UserNumber user)
            : taken_(std::move(taken)), user_(user) {}
        std::shared_ptr<Taken> taken_;
        identity::UserNumber user_;
    };

    /// Nothing where the person, or the server, has as many as it may.
    std::optional<Seat> take(identity::UserNumber user) {
        std::size_t all = 0;
        for (const auto& [person, count] : *taken_) all += count;
        const auto place = taken_->find(user);
        if (all >= kServerLimit || (place != taken_->end() && place->second >= kPersonLimit))
            return std::nullopt;
        ++(*taken_)[user];
        return Seat(taken_, user);
    }

  private:
    std::shared_ptr<Seat::Taken> taken_ = std::make_shared<Seat::Taken>();
};

}  // namespace assistant
