#pragma once

#include <base/id.h>

namespace chat {

/// "!opaque" (version 12) or "!opaque:server" (version 11).
using RoomId = base::TextId<struct RoomIdTag>;
/// "$hash", URL-safe base64 of the event's reference hash.
using EventId = base::TextId<struct EventIdTag>;
/// "#localpart:server".
using RoomAlias = base::TextId<struct RoomAliasTag>;

/// The short integer that stands for a room in every table.
using RoomNumber = base::NumberId<struct RoomNumberTag>;
/// An event's place in the one order of all events of the server. Positions become visible in commit order: a
/// reader who sees position n sees every event below n. 0 is before all events.
using Position = base::NumberId<struct PositionTag>;

}  // namespace chat
