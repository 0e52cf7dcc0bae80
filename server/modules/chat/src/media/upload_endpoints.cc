#include "media_core.h"
#include "media_headers.h"

#include <chrono>

#include <base/json.h>
#include <identity/matrix_error.h>

namespace chat {
namespace {

constexpr int kUploadsAtOnce = 8;  // of one person
constexpr std::int64_t kPromiseMs = std::int64_t{24} * 60 * 60 * 1000;
constexpr std::size_t kSniffBytes = 64;

base::Error too_large() {
    return {base::ErrorKind::too_large, "M_TOO_LARGE", "The file is larger than this server takes."};
}

identity::UserNumber user_of(const net::Request& request) {
    return identity::UserNumber{request.principal->user_number};
}

storage::OrderKey order_of(identity::UserNumber user) {
    return {"account:" + std::to_string(user.value)};
}

/// Counts an upload as long as it lives.
class UnderWay {
  public:
    UnderWay(Media::Core& core, identity::UserNumber user) : core_(core), user_(user) {
        ++core_.uploads[user_.value];
    }
    UnderWay(const UnderWay&) = delete;
    UnderWay& operator=(const UnderWay&) = delete;
    ~UnderWay() {
        if (--core_.uploads[user_.value] == 0) core_.uploads.erase(user_.value);
    }
    bool is_too_many() const { return core_.uploads[user_.value] > kUploadsAtOnce; }

  private:
    Media::Core& core_;
    identity::UserNumber user_;
};

struct Received {
    NewFile file;
    UploadedBytes bytes;
};

/// Streams the body into a file that is durable when this returns, hashing on the way.
runtime::Task<base::Result<Received>> receive(Media::Core& core, net::Request& request) {
    const auto limit_bytes = core.options.upload_limit_bytes;
    if (request.content_length && *request.content_length > static_cast<std::uint64_t>(limit_bytes))
        co_return base::fail(too_large());
    auto made = co_await core.runtime.on_pool<base::Result<NewFile>>(
        core.disk, [files = core.files, name = core.new_id()] { return files->create(name); });
    if (!made) co_return base::fail(made.error());
    if (!*made) co_return base::fail(made->error());
    Received received{std::move(**made), {}};
    base::Sha256Stream hash;
    std::string first;
    for (;;) {
        const auto piece = co_await request.body_reader->next();
        if (!piece) co_return base::fail(piece.error());
        if (piece->empty()) break;
        received.bytes.size_bytes += static_cast<std::int64_t>(piece->size());
        if (received.bytes.size_bytes > limit_bytes) co_return base::fail(too_large());
        const auto wanted = std::min(kSniffBytes - first.size(), piece->size());
        first.append(piece->begin(), piece->begin() + static_cast<std::ptrdiff_t>(wanted));
        // The reader's buffer is left alone until the next call of next(), and this is waited for to its end.
        const auto written = co_await core.runtime.on_pool<base::Result<void>>(
            core.disk, [&file = received.file, &hash, bytes = *piece] {
                hash.update(bytes);
                return file.write(bytes);
            });
        if (!written) co_return base::fail(written.error());
        if (!*written) co_return base::fail(written->error());
    }
    received.bytes.sha256 = hash.finish();
    received.bytes.picture_type = imaging::sniff_picture_type(first);
    const auto synced = co_await core.runtime.on_pool<base::Result<void>>(
        core.disk, [&file = received.file] { return file.sync(); });
    if (!synced) co_return base::fail(synced.error());
    if (!*synced) co_return base::fail(synced->error());
    co_return received;
}

using InsertRow = base::Result<void> (*)(storage::Transaction&, const NewMedia&, std::int64_t quota_bytes);

/// Receives the body, moves it to its place and writes its row with `insert`, in this order: a row never
/// points at bytes that are not there. A file without a row is swept away at the next start.
runtime::Task<base::Result<void>> take_in(Media::Core& core, net::Request& request, std::string media_id,
                                          InsertRow insert) {
    const auto user = user_of(request);
    const auto announced_bytes =
        static_cast<std::int64_t>(std::min<std::uint64_t>(request.content_length.value_or(0), 1ULL << 60U));
    const auto quota_bytes = core.options.quota_bytes;
    const auto fits =
        co_await core.database.read([user, announced_bytes, quota_bytes](storage::Transaction& tx) {
            return check_quota(tx, user, announced_bytes, quota_bytes);
        });
    if (!fits) co_return base::fail(fits.error());
    auto received = co_await receive(core, request);
    if (!received) co_return base::fail(received.error());

    NewMedia media{.media_id = std::move(media_id),
                   .uploader = user,
                   .content_type = clean_content_type(request.headers.get("Content-Type")),
                   .file_name = clean_file_name(request.query.get("filename")),
                   .bytes = received->bytes,
                   .now_ms = core.clock.now_ms()};
    const auto turn = co_await core.locks.lock(base::hex_encode(media.bytes.sha256));
    if (!turn) co_return base::fail(turn.error());
    const auto moved = co_await core.runtime.on_pool<base::Result<void>>(
        core.disk, [&file = received->file, place = core.files->content_path(media.bytes.sha256)] {
            return file.move_to(place);
        });
    if (!moved) co_return base::fail(moved.error());
    if (!*moved) co_return base::fail(moved->error());
    const auto sha256 = media.bytes.sha256;
    auto written = co_await core.database.write(
        order_of(user), [media = std::move(media), insert, quota_bytes](storage::Transaction& tx) {
            return insert(tx, media, quota_bytes);
        });
    if (!written) {
        // Refused after all: the bytes go again, unless another row holds them.
        const auto held = co_await core.database.read(
            [sha256](storage::Transaction& tx) { return base::Result<bool>(has_content(tx, sha256)); });
        if (held && !*held) {
            const auto removed = co_await core.runtime.on_pool<void>(
                core.disk, [files = core.files, sha256] { files->remove(sha256); });
            if (!removed) co_return base::fail(removed.error());
        }
        co_return base::fail(written.error());
    }
    co_return base::Result<void>{};
}

net::Response worded(const base::Error& error) {
    auto response = identity::matrix_error(error);
    if (error.code == "M_CANNOT_OVERWRITE_MEDIA") response.status = 409;  // so the specification has it
    return response;
}

net::Response too_many_at_once() {
    return identity::matrix_error({base::ErrorKind::rate_limited, "M_LIMIT_EXCEEDED",
                                   "Too many uploads at once.", std::chrono::seconds(1)});
}

}  // namespace

MediaAnswer upload_content(Media::Core& core, net::Request request) {
    const UnderWay under_way(core, user_of(request));
    if (under_way.is_too_many()) co_return too_many_at_once();
    const auto media_id = core.new_id();
    const auto taken = co_await take_in(core, request, media_id, insert_media);
    if (!taken) co_return worded(taken.error());
    co_return net::json(200, base::json::value(base::json::object{{"content_uri", core.uri(media_id)}}));
}

MediaAnswer create_content(Media::Core& core, net::Request request) {
    const auto user = user_of(request);
    const auto now_ms = core.clock.now_ms();
    const auto media_id = core.new_id();
    const auto quota_bytes = core.options.quota_bytes;
    const auto written = co_await core.database.write(
        order_of(user),
        [media_id, user, now_ms, quota_bytes](storage::Transaction& tx) -> base::Result<void> {
            // No address is promised to whom not even a byte would be taken from.
            if (auto within = check_quota(tx, user, 1, quota_bytes); !within) return within;
            return insert_promise(tx, media_id, user, now_ms, now_ms + kPromiseMs);
        });
    if (!written) co_return worded(written.error());
    co_return net::json(200,
                        base::json::value(base::json::object{{"content_uri", core.uri(media_id)},
                                                             {"unused_expires_at", now_ms + kPromiseMs}}));
}

MediaAnswer upload_content_to_mxc(Media::Core& core, net::Request request) {
    const auto& media_id = request.value("mediaId");
    if (request.value("serverName") != core.options.server_name() || !is_media_id(media_id))
        co_return worded(no_such_media().error());
    const auto user = user_of(request);
    const UnderWay under_way(core, user);
    if (under_way.is_too_many()) co_return too_many_at_once();
    const auto open =
        co_await core.database.read([media_id, user, now_ms = core.clock.now_ms()](storage::Transaction& tx) {
            return check_promise(tx, media_id, user, now_ms);
        });
    if (!open) co_return worded(open.error());
    const auto taken = co_await take_in(core, request, media_id, keep_promise);
    if (!taken) co_return worded(taken.error());
    core.uploaded.notify();
    co_return net::json(200, "{}");
}

}  // namespace chat
