#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chat/ids.h>
#include <identity/ids.h>
#include <storage/transaction.h>

namespace chat {

/// Numbers are stored.
enum class ReceiptKind : std::uint8_t {
    read = 1,          ///< m.read: everybody in the room is told
    read_private = 2,  ///< m.read.private: only one's own devices are
    /// Nobody is told: whoever wrote a message had read what stands before it. The message itself says so,
    /// until it is redacted.
    by_writing = 3,
};
/// Of a receipt that somebody is told of.
std::string_view to_string(ReceiptKind kind);

/// The thread of all that is in no thread.
inline constexpr std::string_view kMainThread = "main";

struct Receipt {
    RoomNumber room;
    identity::UserNumber user;
    ReceiptKind kind = ReceiptKind::read;
    std::string thread_id;    ///< empty: of no thread
    Position event_position;  ///< read up to and including it
    std::string event_id;
    std::int64_t ts_ms = 0;
    std::int64_t position = 0;  ///< of Stream::receipts
};

/// Writes the receipt at the next position, which is returned; nothing where one that is as far on stands
/// there already (receipts never go back).
std::optional<std::int64_t> put_receipt(storage::Transaction& tx, const Receipt& receipt);

/// Keeps that a person had read a thread up to a message of theirs that is being redacted.
void put_read_by_writing(storage::Transaction& tx, RoomNumber room, identity::UserNumber user,
                         std::string_view thread_id, Position event_position);

/// Deletes some of all that a person has, at most `limit`; returns how many.
std::int64_t delete_receipts(storage::Transaction& tx, identity::UserNumber user, std::int64_t limit);

/// All of one person in a room.
std::vector<Receipt> receipts_of(storage::Transaction& tx, RoomNumber room, identity::UserNumber user);
/// What `reader` is told of a room's receipts in (after, up_to], newest first, at most `limit`: everybody's
/// public ones and their own private ones.
std::vector<Receipt> receipt_changes(storage::Transaction& tx, RoomNumber room, identity::UserNumber reader,
                                     std::int64_t after, std::int64_t up_to, std::size_t limit);
/// Whether there is any receipt in (after, up_to].
bool has_receipts_after(storage::Transaction& tx, RoomNumber room, std::int64_t after, std::int64_t up_to);
/// Whether there is one of `reader`'s own.
bool has_own_receipts_after(storage::Transaction& tx, RoomNumber room, identity::UserNumber reader,
                            std::int64_t after, std::int64_t up_to);

}  // namespace chat
