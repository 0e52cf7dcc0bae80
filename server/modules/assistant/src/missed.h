#pragma once

#include "question.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include <chat/ids.h>
#include <identity/ids.h>
#include <storage/transaction.h>

namespace assistant {

/// Questions that nobody took on, and how many events were looked at for them.
struct Missed {
    struct Place {
        chat::RoomNumber room;
        chat::Position position;
        identity::UserNumber sender;
    };
    std::vector<Place> questions;
    std::size_t events = 0;
};

/// Adds those of one room, the oldest first: of its last hour, since an answer out of nowhere helps nobody
/// later. Looks at no more than `events_limit` events in all rooms. Part of a read job.
void add_missed(storage::Transaction& tx, chat::RoomNumber number, const AssistantIdentity& self,
                std::int64_t now_ms, std::size_t events_limit, Missed& missed);

}  // namespace assistant
