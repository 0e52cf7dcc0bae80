#include "missed.h"

#include "answer_store.h"

#include <limits>

#include <chat/reading.h>

namespace assistant {
namespace {

constexpr std::int64_t kMissedMs = std::int64_t{3600} * 1000;
constexpr std::size_t kPageEvents = 50;
/// Much of what stands between questions are edits of answers, twenty each.
constexpr std::size_t kEventsOfRoom = 2000;

}  // namespace

void add_missed(storage::Transaction& tx, chat::RoomNumber number, const AssistantIdentity& self,
                std::int64_t now_ms, std::size_t events_limit, Missed& missed) {
    auto room = chat::RoomReading::open(tx, number, self.user);
    if (!room) return;
    std::vector<Missed::Place> found;
    chat::Position before{std::numeric_limits<std::int64_t>::max()};
    bool is_recent = true;
    for (std::size_t of_room = 0; is_recent && of_room < kEventsOfRoom && missed.events < events_limit;) {
        const auto page = room->events_before(before, kPageEvents);
        is_recent = !page.empty();
        of_room += kPageEvents;
        missed.events += page.size();
        for (const auto& event : page) {
            before = event.position;
            is_recent = event.origin_server_ts > now_ms - kMissedMs;
            if (!is_recent) break;
            if (event.type == "m.room.message" && is_question(*room, event, self) &&
                !find_answer(tx, event.id.value))
                found.push_back({number, event.position, event.sender});
        }
    }
    missed.questions.insert(missed.questions.end(), found.rbegin(), found.rend());
}

}  // namespace assistant
