#include "media_store.h"

#include <algorithm>

#include <identity/users.h>

namespace chat {
namespace {

constexpr std::int64_t kOpenPromises = 20;

std::optional<base::Sha256> sha256_at(const storage::Statement& row, int column) {
    base::Sha256 hash{};
    const auto blob = row.blob(column);
    if (row.is_null(column) || blob.size() != hash.size()) return std::nullopt;
    std::ranges::copy(blob, hash.begin());
    return hash;
}

std::span<const std::uint8_t> view(const base::Sha256& hash) {
    return {hash.data(), hash.size()};
}

void add_reference(storage::Transaction& tx, const UploadedBytes& bytes) {
    tx.prepare(
          "INSERT INTO media_content (sha256, size_bytes, reference_count, picture_type) "
          "VALUES (?1, ?2, 1, ?3) "
          "ON CONFLICT (sha256) DO UPDATE SET reference_count = reference_count + 1")
        .bind(view(bytes.sha256), bytes.size_bytes, bytes.picture_type)
        .run();
}

}  // namespace

std::optional<MediaRow> find_media(storage::Transaction& tx, std::string_view media_id) {
    auto row = tx.prepare(
        "SELECT m.user_number, m.sha256, m.size_bytes, m.content_type, m.file_name, "
        "m.expires_ms, c.picture_type, c.refusal "
        "FROM media m LEFT JOIN media_content c ON c.sha256 = m.sha256 "
        "WHERE m.media_id = ?1");
    row.bind(media_id);
    if (!row.step()) return std::nullopt;
    return MediaRow{.uploader = identity::UserNumber{row.integer(0)},
                    .sha256 = sha256_at(row, 1),
                    .size_bytes = row.integer(2),
                    .content_type = std::string(row.text(3)),
                    .file_name = row.optional_text(4),
                    .expires_ms = row.optional_integer(5),
                    .picture_type = row.optional_text(6).value_or(""),
                    .refusal = row.optional_text(7)};
}

base::Result<void> check_quota(storage::Transaction& tx, identity::UserNumber user, std::int64_t more_bytes,
                               std::int64_t quota_bytes) {
    if (quota_bytes <= 0) return {};
    auto sum = tx.prepare("SELECT COALESCE(SUM(size_bytes), 0) FROM media WHERE user_number = ?1");
    sum.bind(user);
    sum.step();
    if (sum.integer(0) + more_bytes <= quota_bytes) return {};
    return base::fail(base::ErrorKind::forbidden, "M_FORBIDDEN",
                      "Your space for uploads on this server is used up.");
}

base::Result<void> insert_media(storage::Transaction& tx, const NewMedia& media, std::int64_t quota_bytes) {
    // Its account may have ended while the bytes came: nothing would ever delete them.
    if (!identity::is_active(tx, media.uploader)) {
        return base::fail(base::ErrorKind::unauthenticated, "M_UNKNOWN_TOKEN",
                          "This account has been deactivated.");
    }
    if (auto within = check_quota(tx, media.uploader, media.bytes.size_bytes, quota_bytes); !within)
        return within;
    add_reference(tx, media.bytes);
    tx.prepare(
          "INSERT INTO media (media_id, user_number, sha256, size_bytes, content_type, file_name, "
          "created_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
        .bind(media.media_id, media.uploader, view(media.bytes.sha256), media.bytes.size_bytes,
              media.content_type, media.file_name, media.now_ms)
        .run();
    return {};
}

base::Result<void> insert_promise(storage::Transaction& tx, std::string_view media_id,
                                  identity::UserNumber user, std::int64_t now_ms, std::int64_t expires_ms) {
    delete_expired_promises(tx, now_ms);
    {
        auto open = tx.prepare(
            "SELECT COUNT(*), MIN(expires_ms) FROM media WHERE user_number = ?1 AND sha256 IS NULL");
        open.bind(user);
        open.step();
        if (open.integer(0) >= kOpenPromises) {
            return base::fail(
                {base::ErrorKind::rate_limited, "M_LIMIT_EXCEEDED",
                 "Too many uploads of yours have not been finished.",
                 std::chrono::milliseconds(std::max<std::int64_t>(1000, open.integer(1) - now_ms))});
        }
    }
    tx.prepare(
          "INSERT INTO media (media_id, user_number, size_bytes, content_type, created_ms, expires_ms) "
          "VALUES (?1, ?2, 0, '', ?3, ?4)")
        .bind(media_id, user, now_ms, expires_ms)
        .run();
    return {};
}

base::Result<void> check_promise(storage::Transaction& tx, std::string_view media_id,
                                 identity::UserNumber user, std::int64_t now_ms) {
    const auto row = find_media(tx, media_id);
    if (!row || (!row->sha256 && row->expires_ms.value_or(0) <= now_ms))
        return base::fail(base::ErrorKind::not_found, "M_NOT_FOUND", "Unknown media ID.");
    if (row->uploader != user)
        return base::fail(base::ErrorKind::forbidden, "M_FORBIDDEN", "This media ID is another person's.");
    if (row->sha256) {
        return base::fail(base::ErrorKind::conflict, "M_CANNOT_OVERWRITE_MEDIA",
                          "There is content under this media ID already.");
    }
    return {};
}

base::Result<void> keep_promise(storage::Transaction& tx, const NewMedia& media, std::int64_t quota_bytes) {
    if (auto open = check_promise(tx, media.media_id, media.uploader, media.now_ms); !open) return open;
    tx.prepare("DELETE FROM media WHERE media_id = ?1").bind(media.media_id).run();
    return insert_media(tx, media, quota_bytes);
}

void delete_expired_promises(storage::Transaction& tx, std::int64_t now_ms) {
    tx.prepare("DELETE FROM media WHERE expires_ms <= ?1 AND sha256 IS NULL").bind(now_ms).run();
}

bool delete_media(storage::Transaction& tx, std::string_view media_id) {
    const auto row = find_media(tx, media_id);
    if (!row) return false;
    tx.prepare("DELETE FROM media WHERE media_id = ?1").bind(media_id).run();
    if (!row->sha256) return false;
    tx.prepare("UPDATE media_content SET reference_count = reference_count - 1 WHERE sha256 = ?1")
        .bind(view(*row->sha256))
        .run();
    return tx.prepare("DELETE FROM media_content WHERE sha256 = ?1 AND reference_count <= 0")
               .bind(view(*row->sha256))
               .run() > 0;
}

bool has_content(storage::Transaction& tx, const base::Sha256& sha256) {
    auto row = tx.prepare("SELECT 1 FROM media_content WHERE sha256 = ?1");
    row.bind(view(sha256));
    return row.step();
}

void set_refusal(storage::Transaction& tx, const base::Sha256& sha256, std::string_view code) {
    tx.prepare("UPDATE media_content SET refusal = ?2 WHERE sha256 = ?1").bind(view(sha256), code).run();
}

}  // namespace chat
