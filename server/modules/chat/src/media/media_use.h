#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <chat/ids.h>
#include <identity/ids.h>
#include <storage/transaction.h>

namespace chat {

/// The media of `server` that a content (canonical JSON) names, wherever in it: each once, in order.
std::vector<std::string> media_named_in(std::string_view content, std::string_view server);

/// Keeps which media an event shows: a row for each that there is, so no more than its 65,535 bytes can name.
/// What an encrypted event shows cannot be known.
void insert_media_uses(storage::Transaction& tx, RoomNumber room, Position position, std::string_view content,
                       std::string_view server);

/// An event was redacted to what `content` still says. What it showed beside that and `sender` had uploaded
/// is withdrawn; what is withdrawn and shown by nothing else goes. Returns how many it showed.
std::size_t withdraw_media_uses(storage::Transaction& tx, RoomNumber room, Position position,
                                identity::UserNumber sender, std::string_view content,
                                std::string_view server);

/// Keeps which of their own uploads a person's account data at `position` shows, in the place of that at
/// `before` (none: it is new).
void replace_account_data_uses(storage::Transaction& tx, identity::UserNumber user, Position before,
                               Position position, std::string_view json);
/// The account data at `position` is about to be deleted. Returns how many media it showed.
std::int64_t delete_account_data_uses(storage::Transaction& tx, Position position);

/// Withdraws all that a person uploaded, above `after` in order of id; returns the last of them, empty at the
/// end.
std::string withdraw_media_of(storage::Transaction& tx, identity::UserNumber user, std::string_view after,
                              std::size_t limit);

std::vector<std::string> unused_media(storage::Transaction& tx, std::size_t limit);
/// Whether nothing shows it any more: no event, and neither profile nor account data of its uploader, `uri`
/// being its address.
bool is_unused(storage::Transaction& tx, std::string_view media_id, std::string_view uri);
void forget_unused(storage::Transaction& tx, std::string_view media_id);

}  // namespace chat
