#include "media_use.h"

#include "media_store.h"

#include <algorithm>
#include <set>

#include <identity/users.h>

namespace chat {
namespace {

constexpr std::string_view kScheme = "mxc://";
/// What is shown by account data rather than by an event of a room.
constexpr RoomNumber kAccountData{0};

bool is_id_character(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool is_shown(storage::Transaction& tx, std::string_view media_id) {
    auto row = tx.prepare("SELECT 1 FROM media_use WHERE media_id = ?1 LIMIT 1");
    row.bind(media_id);
    return row.step();
}

void note_if_unused(storage::Transaction& tx, std::string_view media_id) {
    if (is_shown(tx, media_id)) return;
    tx.prepare(
          "INSERT OR IGNORE INTO media_unused (media_id) SELECT media_id FROM media WHERE media_id = ?1 "
          "AND is_withdrawn = 1")
        .bind(media_id)
        .run();
}

std::vector<std::string> read_ids(storage::Statement& rows) {
    std::vector<std::string> ids;
    while (rows.step()) ids.emplace_back(rows.text(0));
    return ids;
}

/// Deletes what was kept of it; the media that it showed.
std::vector<std::string> take_uses(storage::Transaction& tx, RoomNumber room, Position position) {
    std::vector<std::string> shown;
    {
        auto rows = tx.prepare("SELECT media_id FROM media_use WHERE room_number = ?1 AND position = ?2");
        rows.bind(room, position);
        shown = read_ids(rows);
    }
    if (!shown.empty())
        tx.prepare("DELETE FROM media_use WHERE room_number = ?1 AND position = ?2")
            .bind(room, position)
            .run();
    return shown;
}

}  // namespace

std::vector<std::string> media_named_in(std::string_view content, std::string_view server) {
    std::set<std::string_view> ids;
    for (auto at = content.find(kScheme); at != std::string_view::npos; at = content.find(kScheme, at)) {
        at += kScheme.size();
        if (!content.substr(at).starts_with(server) || content.substr(at + server.size(), 1) != "/") continue;
        const auto rest = content.substr(at + server.size() + 1);
        const auto end = std::ranges::find_if_not(rest, is_id_character);
        const auto id = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
        if (!id.empty()) ids.insert(id);
    }
    return {ids.begin(), ids.end()};
}

void insert_media_uses(storage::Transaction& tx, RoomNumber room, Position position, std::string_view content,
                       std::string_view server) {
    for (const auto& id : media_named_in(content, server)) {
        tx.prepare(
              "INSERT OR IGNORE INTO media_use (room_number, position, media_id) "
              "SELECT ?1, ?2, media_id FROM media WHERE media_id = ?3")
            .bind(room, position, id)
            .run();
    }
}

std::size_t withdraw_media_uses(storage::Transaction& tx, RoomNumber room, Position position,
                                identity::UserNumber sender, std::string_view content,
                                std::string_view server) {
    const auto shown = take_uses(tx, room, position);
    if (shown.empty()) return 0;
    insert_media_uses(tx, room, position, content, server);
    const auto left = media_named_in(content, server);
    for (const auto& id : shown) {
        if (std::ranges::binary_search(left, id)) continue;
        tx.prepare("UPDATE media SET is_withdrawn = 1 WHERE media_id = ?1 AND user_number = ?2")
            .bind(id, sender)
            .run();
        note_if_unused(tx, id);
    }
    return shown.size();
}

void replace_account_data_uses(storage::Transaction& tx, identity::UserNumber user, Position before,
                               Position position, std::string_view json) {
    const auto shown = before ? take_uses(tx, kAccountData, before) : std::vector<std::string>{};
    if (json.find(kScheme) != std::string_view::npos) {
        const auto owner = identity::user_id_of(tx, user);
        for (const auto& id : media_named_in(json, identity::server_of(owner.value))) {
            tx.prepare(
                  "INSERT OR IGNORE INTO media_use (room_number, position, media_id) "
                  "SELECT ?1, ?2, media_id FROM media WHERE media_id = ?3 AND user_number = ?4")
                .bind(kAccountData, position, id, user)
                .run();
        }
    }
    for (const auto& id : shown) note_if_unused(tx, id);
}

std::int64_t delete_account_data_uses(storage::Transaction& tx, Position position) {
    const auto shown = take_uses(tx, kAccountData, position);
    for (const auto& id : shown) note_if_unused(tx, id);
    return static_cast<std::int64_t>(shown.size());
}

std::string withdraw_media_of(storage::Transaction& tx, identity::UserNumber user, std::string_view after,
                              std::size_t limit) {
    std::vector<std::string> ids;
    {
        auto rows = tx.prepare(
            "SELECT media_id FROM media WHERE user_number = ?1 AND media_id > ?2 ORDER BY media_id LIMIT ?3");
        rows.bind(user, after, static_cast<std::int64_t>(limit));
        ids = read_ids(rows);
    }
    for (const auto& id : ids) {
        tx.prepare("UPDATE media SET is_withdrawn = 1 WHERE media_id = ?1").bind(id).run();
        note_if_unused(tx, id);
    }
    return ids.empty() ? std::string{} : ids.back();
}

std::vector<std::string> unused_media(storage::Transaction& tx, std::size_t limit) {
    auto rows = tx.prepare("SELECT media_id FROM media_unused LIMIT ?1");
    rows.bind(static_cast<std::int64_t>(limit));
    return read_ids(rows);
}

bool is_unused(storage::Transaction& tx, std::string_view media_id, std::string_view uri) {
    if (is_shown(tx, media_id)) return false;
    const auto media = find_media(tx, media_id);
    return media && identity::member_profile_of(tx, media->uploader).avatar_url != uri;
}

void forget_unused(storage::Transaction& tx, std::string_view media_id) {
    tx.prepare("DELETE FROM media_unused WHERE media_id = ?1").bind(media_id).run();
}

}  // namespace chat
