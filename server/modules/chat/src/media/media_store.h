#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <base/crypto.h>
#include <base/result.h>
#include <chat/ids.h>
#include <identity/ids.h>
#include <storage/transaction.h>

namespace chat {

/// What was streamed into a file.
struct UploadedBytes {
    base::Sha256 sha256{};
    std::int64_t size_bytes = 0;
    std::string picture_type;  ///< by its first bytes; empty: no picture
};

struct MediaRow {
    identity::UserNumber uploader;
    std::optional<base::Sha256> sha256;  ///< nothing: promised, not uploaded yet
    std::int64_t size_bytes = 0;
    std::string content_type;
    std::optional<std::string> file_name;
    std::optional<std::int64_t> expires_ms;
    std::string picture_type;
    std::optional<std::string> refusal;
};

struct NewMedia {
    std::string media_id;
    identity::UserNumber uploader;
    std::string content_type;
    std::optional<std::string> file_name;
    UploadedBytes bytes;
    std::int64_t now_ms = 0;
};

std::optional<MediaRow> find_media(storage::Transaction& tx, std::string_view media_id);

/// Errors: M_FORBIDDEN: it would be over the quota (0: there is none).
base::Result<void> check_quota(storage::Transaction& tx, identity::UserNumber user, std::int64_t more_bytes,
                               std::int64_t quota_bytes);
/// Errors: M_FORBIDDEN: the quota; M_UNKNOWN_TOKEN: the account has ended meanwhile.
base::Result<void> insert_media(storage::Transaction& tx, const NewMedia& media, std::int64_t quota_bytes);

/// Errors: M_LIMIT_EXCEEDED: too many promises of this person are open.
base::Result<void> insert_promise(storage::Transaction& tx, std::string_view media_id,
                                  identity::UserNumber user, std::int64_t now_ms, std::int64_t expires_ms);
/// Errors: M_NOT_FOUND, M_FORBIDDEN (another's), M_CANNOT_OVERWRITE_MEDIA.
base::Result<void> check_promise(storage::Transaction& tx, std::string_view media_id,
                                 identity::UserNumber user, std::int64_t now_ms);
/// Errors: those of check_promise and insert_media.
base::Result<void> keep_promise(storage::Transaction& tx, const NewMedia& media, std::int64_t quota_bytes);
void delete_expired_promises(storage::Transaction& tx, std::int64_t now_ms);

/// True when this was the last that held its bytes: their files go.
bool delete_media(storage::Transaction& tx, std::string_view media_id);

bool has_content(storage::Transaction& tx, const base::Sha256& sha256);
void set_refusal(storage::Transaction& tx, const base::Sha256& sha256, std::string_view code);

}  // namespace chat
