#include "converse.h"
#include "missed.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <base/log.h>
#include <chat/reading.h>

/// What a restart cut short: Converse's first work.
namespace assistant {
namespace {

constexpr std::size_t kRoomsLimit = 100'000;
constexpr std::size_t kResumedLimit = 200;
/// Of all rooms; some rooms a job, so that none reads long.
constexpr std::size_t kMissedEvents = 50'000;
constexpr std::size_t kMissedRoomsAtOnce = 100;
constexpr std::size_t kRoomsLookedAt = 2000;

}  // namespace

template <class Job>
runtime::Task<std::invoke_result_t<Job, storage::Transaction&>> Converse::read_again(Job job) {
    Backoff backoff;
    while (true) {
        auto found = co_await core_.database.read(job);
        if (found || stopping_) co_return found;
        const auto pause = backoff.next();
        base::log_warning("assistant.cannot_read", {{"code", found.error().code}});
        if (!pause) {
            base::log_error("assistant.catch_up_given_up", {{"waited_s", backoff.waited().count()}});
            co_return found;
        }
        co_await runtime::sleep_for(*pause);
    }
}

runtime::Task<void> Converse::catch_up() {
    struct Found {
        std::vector<chat::RoomNumber> rooms;
        std::vector<Work> work;
    };
    // The account may have been made a moment ago.
    if (!core_.assistant_user) {
        rooms_known_ = true;
        co_return;
    }
    joins_.look();
    auto missed =
        co_await read_again([self = core_.assistant_user](storage::Transaction& tx) -> base::Result<Found> {
            Found found;
            for (const auto& answer : open_answers(tx, kResumedLimit)) {
                if (const auto room = chat::RoomReading::open(tx, answer.room_id, self))
                    found.work.emplace_back(Resumed{room->number(), answer.question_event_id});
            }
            found.rooms = chat::rooms_with(tx, self, chat::Membership::join, kRoomsLimit);
            return found;
        });
    if (!missed) co_return;  // whatever is written is looked at then, in every room
    rooms_.insert(missed->rooms.begin(), missed->rooms.end());
    rooms_known_ = true;
    for (Work& work : missed->work) enqueue(std::move(work));
    // The newest first: there a crash may have come between the join and the greeting.
    std::ranges::reverse(missed->rooms);
    missed->rooms.resize(std::min(missed->rooms.size(), kRoomsLookedAt));
    co_await look_for_missed(std::move(missed->rooms));
}

runtime::Task<void> Converse::look_for_missed(std::vector<chat::RoomNumber> rooms) {
    struct Walked {
        Missed missed;
        /// Where a crash came between the join and the greeting; and whether something was asked before.
        std::vector<std::pair<chat::RoomNumber, bool>> silent;
    };
    std::size_t events = 0;
    std::size_t questions = 0;
    for (std::size_t first = 0; first < rooms.size() && events < kMissedEvents && !stopping_;
         first += kMissedRoomsAtOnce) {
        const auto begin = rooms.begin() + static_cast<std::ptrdiff_t>(first);
        const auto count = std::min(kMissedRoomsAtOnce, rooms.size() - first);
        auto walked =
            co_await read_again([some = std::vector(begin, begin + static_cast<std::ptrdiff_t>(count)),
                                 self = AssistantIdentity{core_.assistant_user, core_.assistant_user_id},
                                 now_ms = core_.clock.now_ms(), left = kMissedEvents - events](
                                    storage::Transaction& tx) -> base::Result<Walked> {
                Walked walked;
                for (const auto room : some) {
                    const auto before = walked.missed.questions.size();
                    add_missed(tx, room, self, now_ms, left, walked.missed);
                    const auto reading = chat::RoomReading::open(tx, room, self.user);
                    if (!reading || was_said(tx, reading->room_id(), SaidOnce::greeting)) continue;
                    const auto invitation = reading->invitation();
                    const auto came = invitation ? invitation->accepted : chat::Position{};
                    const bool is_asked =
                        std::any_of(walked.missed.questions.begin() + static_cast<std::ptrdiff_t>(before),
                                    walked.missed.questions.end(),
                                    [&](const Missed::Place& place) { return place.position < came; });
                    walked.silent.emplace_back(room, is_asked);
                }
                return walked;
            });
        if (!walked) co_return;
        for (const auto& [room, is_asked] : walked->silent) joins_.say(room, SaidOnce::greeting, is_asked);
        events += walked->missed.events;
        for (const auto& [room, position, sender] : walked->missed.questions) {
            if (++questions > kResumedLimit) co_return;
            enqueue(Asked{room, position, sender});
        }
    }
}

}  // namespace assistant
