#include "members/findable.h"

#include "members/membership_store.h"
#include "rooms/room_card.h"

#include <algorithm>
#include <memory>
#include <unordered_map>

#include <chat/ids.h>

namespace chat {
namespace {

class Findable {
  public:
    Findable(storage::Transaction& tx, identity::UserNumber viewer) : tx_(tx) {
        for (const auto room : rooms_of(tx, viewer, Membership::join)) shows_.emplace(room, true);
    }

    bool has(identity::UserNumber candidate) {
        return std::ranges::any_of(rooms_of(tx_, candidate, Membership::join),
                                   [&](RoomNumber room) { return shows(room); });
    }

  private:
    bool shows(RoomNumber room) {
        const auto [at, is_new] = shows_.try_emplace(room, false);
        if (is_new) at->second = is_open_to_all(tx_, room);
        return at->second;
    }

    storage::Transaction& tx_;
    std::unordered_map<RoomNumber, bool> shows_;  ///< its people to the viewer
};

}  // namespace

std::function<bool(identity::UserNumber)> findable_by(storage::Transaction& tx, identity::UserNumber viewer) {
    return [findable = std::make_shared<Findable>(tx, viewer)](identity::UserNumber candidate) {
        return findable->has(candidate);
    };
}

}  // namespace chat
