#include "invitation_store.h"

#include <base/json.h>

namespace identity {
namespace {

std::vector<std::string> read_room_ids(std::string_view text) {
    std::vector<std::string> ids;
    for (const auto& id : base::json::parse(text).as_array()) ids.emplace_back(id.as_string());
    return ids;
}

Invitation read_invitation(const storage::Statement& row) {
    return {.token = std::string(row.text(0)),
            .inviter = UserNumber{row.integer(1)},
            .room_ids = read_room_ids(row.text(2)),
            .uses_left = row.optional_integer(3),
            .created_at_ms = row.integer(4),
            .expires_at_ms = row.optional_integer(5)};
}

}  // namespace

void insert_invitation(storage::Transaction& tx, const Invitation& invitation) {
    base::json::array rooms;
    for (const auto& id : invitation.room_ids) rooms.emplace_back(id);
    tx.prepare(
          "INSERT INTO identity_invitations (token, inviter_number, room_ids, uses_left, created_at_ms,"
          " expires_at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
        .bind(invitation.token, invitation.inviter, base::json::serialize(rooms), invitation.uses_left,
              invitation.created_at_ms, invitation.expires_at_ms)
        .run();
}

std::optional<Invitation> find_invitation(storage::Transaction& tx, std::string_view token,
                                          std::int64_t now_ms) {
    auto row = tx.prepare(
        "SELECT i.token, i.inviter_number, i.room_ids, i.uses_left, i.created_at_ms, i.expires_at_ms"
        " FROM identity_invitations i JOIN identity_accounts a ON a.user_number = i.inviter_number"
        " WHERE i.token = ?1 AND (i.expires_at_ms IS NULL OR i.expires_at_ms > ?2)"
        " AND (i.uses_left IS NULL OR i.uses_left > 0) AND a.deactivated_at_ms IS NULL");
    row.bind(token, now_ms);
    if (!row.step()) return std::nullopt;
    return read_invitation(row);
}

base::Result<Invitation> use_invitation(storage::Transaction& tx, std::string_view token,
                                        std::int64_t now_ms) {
    auto invitation = find_invitation(tx, token, now_ms);
    if (!invitation) {
        return base::fail(base::ErrorKind::forbidden, "M_FORBIDDEN", "This invitation is no longer valid.");
    }
    tx.prepare(
          "UPDATE identity_invitations SET uses_left = uses_left - 1"
          " WHERE token = ?1 AND uses_left IS NOT NULL")
        .bind(token)
        .run();
    if (invitation->uses_left) --*invitation->uses_left;
    return *std::move(invitation);
}

std::vector<Invitation> list_invitations(storage::Transaction& tx, std::optional<UserNumber> inviter,
                                         std::size_t limit) {
    auto row = tx.prepare(
        "SELECT token, inviter_number, room_ids, uses_left, created_at_ms, expires_at_ms"
        " FROM identity_invitations WHERE ?1 IS NULL OR inviter_number = ?1"
        " ORDER BY created_at_ms DESC, token LIMIT ?2");
    row.bind(inviter, static_cast<std::int64_t>(limit));
    std::vector<Invitation> invitations;
    while (row.step()) invitations.push_back(read_invitation(row));
    return invitations;
}

std::int64_t count_invitations(storage::Transaction& tx, UserNumber inviter) {
    auto row = tx.prepare("SELECT COUNT(*) FROM identity_invitations WHERE inviter_number = ?1");
    row.bind(inviter).step();
    return row.integer(0);
}

bool delete_invitation(storage::Transaction& tx, std::string_view token, std::optional<UserNumber> inviter) {
    return tx.prepare(
                 "DELETE FROM identity_invitations WHERE token = ?1 AND (?2 IS NULL OR inviter_number = ?2)")
               .bind(token, inviter)
               .run() > 0;
}

void purge_invitations(storage::Transaction& tx, std::int64_t now_ms) {
    tx.prepare("DELETE FROM identity_invitations WHERE expires_at_ms <= ?1 OR uses_left <= 0")
        .bind(now_ms)
        .run();
}

}  // namespace identity
