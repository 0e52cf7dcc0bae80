#pragma once

#include <string_view>

#include <chat/ids.h>
#include <identity/ids.h>
#include <storage/transaction.h>

namespace assistant {

/// Takes the right to ask a model without a tap for what was said up to `newest`: true once a message, for
/// whichever device of the person comes first. Part of a write job.
bool take_turn(storage::Transaction& tx, identity::UserNumber user, std::string_view room_id,
               chat::Position newest);

}  // namespace assistant
