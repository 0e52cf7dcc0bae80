#pragma once

#include <optional>

#include <chat/ids.h>
#include <storage/transaction.h>

namespace chat {

/// A redacted message of which edits are still to be redacted.
struct RedactionRest {
    RoomNumber room;
    Position message;
    Position redacted_by;
};

/// Does nothing where it is written down already.
void put_redaction_rest(storage::Transaction& tx, const RedactionRest& rest);
void delete_redaction_rest(storage::Transaction& tx, const RedactionRest& rest);
std::optional<RedactionRest> first_redaction_rest(storage::Transaction& tx);

}  // namespace chat
