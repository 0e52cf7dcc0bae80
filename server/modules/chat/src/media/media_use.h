#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <chat/ids.h>
#include <identity/ids.h>
#include <storage/transaction.h>

namespace chat {

/// The media of `server` that a content (canonical JSON) names, wherever in it: each once, the first few
/// dozen.
std::vector<std::string> media_named_in(std::string_view content, std::string_view server);

/// Keeps which media an event shows. A row for each; none for an event without.
void insert_media_uses(storage::Transaction& tx, RoomNumber room, Position position, std::string_view content,
                       std::string_view server);

/// An event was redacted to what `content` still says. What it showed beside that and `sender` had uploaded
/// is withdrawn; what is withdrawn and shown by no other event goes.
void withdraw_media_uses(storage::Transaction& tx, RoomNumber room, Position position,
                         identity::UserNumber sender, std::string_view content, std::string_view server);

/// Withdraws all that a person uploaded, above `after` in order of id; returns the last of them, empty at the
/// end.
std::string withdraw_media_of(storage::Transaction& tx, identity::UserNumber user, std::string_view after,
                              std::size_t limit);

std::vector<std::string> unused_media(storage::Transaction& tx, std::size_t limit);
/// Whether nothing shows it any more: no event, and not the profile of its uploader, `uri` being its address.
bool is_unused(storage::Transaction& tx, std::string_view media_id, std::string_view uri);
void forget_unused(storage::Transaction& tx, std::string_view media_id);

}  // namespace chat
