#include "media_core.h"
#include "media_use.h"

#include <chrono>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include <base/log.h>
#include <chat/media.h>

namespace chat {
namespace {

using net::Auth;
using net::Method;
using net::RateClass;

constexpr std::chrono::steady_clock::duration kUpkeepEvery = std::chrono::hours(1);
constexpr std::chrono::steady_clock::duration kTryAgainAfter = std::chrono::seconds(20);
constexpr std::size_t kBatch = 100;
constexpr std::size_t kSmallBodyBytes = 4096;

/// Deletes what nothing shows any more: the row, and its bytes and thumbnails with the last that holds them.
runtime::Task<base::Result<void>> delete_unused(Media::Core& core, std::string media_id) {
    const auto row = co_await core.database.read([media_id](storage::Transaction& tx) {
        return base::Result<std::optional<MediaRow>>(find_media(tx, media_id));
    });
    if (!row) co_return base::fail(row.error());
    const auto sha256 = *row ? (*row)->sha256 : std::nullopt;
    std::optional<KeyedLock::Guard> turn;
    if (sha256) {
        auto taken = co_await core.locks.lock(base::hex_encode(*sha256));
        if (!taken) co_return base::fail(taken.error());
        turn.emplace(std::move(*taken));
    }
    const auto was_last = co_await core.database.write(
        {"media"}, [media_id, uri = core.uri(media_id)](storage::Transaction& tx) -> base::Result<bool> {
            forget_unused(tx, media_id);
            return is_unused(tx, media_id, uri) && delete_media(tx, media_id);
        });
    if (!was_last) co_return base::fail(was_last.error());
    if (!*was_last || !sha256) co_return base::Result<void>{};
    co_return co_await core.runtime.on_pool<void>(
        core.disk, [files = core.files, sha256 = *sha256] { files->remove(sha256); });
}

runtime::Task<base::Result<void>> delete_all_unused(Media::Core& core) {
    for (;;) {
        auto unused = co_await core.database.read([](storage::Transaction& tx) {
            return base::Result<std::vector<std::string>>(unused_media(tx, kBatch));
        });
        if (!unused) co_return base::fail(unused.error());
        if (unused->empty()) co_return base::Result<void>{};
        for (auto& media_id : *unused) {
            if (auto deleted = co_await delete_unused(core, std::move(media_id)); !deleted)
                co_return base::fail(deleted.error());
        }
    }
}

/// Bytes without a row: the server ended between the two, or before it deleted them.
runtime::Task<void> sweep(Media::Core& core) {
    const auto hashes = co_await core.runtime.on_pool<std::vector<base::Sha256>>(
        core.disk, [files = core.files] { return files->list(); });
    if (!hashes) co_return;
    for (const auto& sha256 : *hashes) {
        if (core.stopping) co_return;
        const auto turn = co_await core.locks.lock(base::hex_encode(sha256));
        if (!turn) continue;
        const auto held = co_await core.database.read(
            [sha256](storage::Transaction& tx) { return base::Result<bool>(has_content(tx, sha256)); });
        if (!held || *held) continue;
        const auto removed = co_await core.runtime.on_pool<void>(
            core.disk, [files = core.files, sha256] { files->remove(sha256); });
        if (removed) base::log_info("chat.media_swept", {});
    }
}

runtime::Task<base::Result<void>> tidy(Media::Core& core) {
    auto done = co_await core.database.write(
        {"media"}, [now_ms = core.clock.now_ms()](storage::Transaction& tx) -> base::Result<void> {
            delete_expired_promises(tx, now_ms);
            return {};
        });
    if (!done) co_return done;
    co_return co_await delete_all_unused(core);
}

runtime::Task<void> upkeep(Media::Core& core) {
    const auto task = co_await boost::asio::this_coro::cancellation_state;
    bool has_swept = false;
    while (!core.stopping) {
        core.has_withdrawn = false;
        bool done = false;
        try {
            if (!std::exchange(has_swept, true)) co_await sweep(core);
            const auto tidied = co_await tidy(core);
            if (!tidied) base::log_warning("chat.media_upkeep_failed", {{"code", tidied.error().code}});
            done = tidied.has_value();
        } catch (const std::exception& fault) {
            if (task.cancelled() != boost::asio::cancellation_type::none) co_return;
            base::log_error("chat.media_upkeep_fault", {{"what", fault.what()}});
        }
        // What was withdrawn while that ran may have been missed.
        if (core.has_withdrawn && done) continue;
        co_await core.withdrawn.wait(done ? kUpkeepEvery : kTryAgainAfter);
    }
}

}  // namespace

Media::Media(runtime::Runtime& runtime, storage::Database& database, const base::Clock& clock,
             base::Random& random, imaging::Renderer& renderer, News& news, Options options)
    : core_(std::make_unique<Core>(runtime, database, clock, random, renderer, std::move(options))) {
    const auto look = [core = core_.get()] {
        core->has_withdrawn = true;
        core->withdrawn.notify();
    };
    news.subscribe([look](const RoomNews& event) {
        if (event.redacted) look();
    });
    news.subscribe_to_rest(look);
}

Media::~Media() = default;

runtime::Task<base::Result<void>> Media::start() {
    const auto prepared = co_await core_->runtime.on_pool<base::Result<void>>(
        core_->disk, [files = core_->files] { return files->prepare(); });
    if (!prepared) co_return base::fail(prepared.error());
    if (!*prepared) co_return base::fail(prepared->error());
    core_->tasks.spawn(upkeep(*core_));
    co_return base::Result<void>{};
}

runtime::Task<void> Media::stop() {
    core_->stopping = true;
    core_->uploaded.notify();
    core_->withdrawn.notify();
    co_await core_->tasks.stop();
}

runtime::Task<base::Result<void>> Media::erase_user(identity::UserNumber user) {
    std::string after;
    do {
        auto last = co_await core_->database.write(
            {"media"}, [user, after](storage::Transaction& tx) -> base::Result<std::string> {
                return withdraw_media_of(tx, user, after, kBatch);
            });
        if (!last) co_return base::fail(last.error());
        after = std::move(*last);
    } while (!after.empty());
    co_return co_await delete_all_unused(*core_);
}

std::vector<net::Route> Media::routes() {
    using Endpoint = MediaAnswer (*)(Core&, net::Request);
    const auto to = [this](Endpoint endpoint) -> net::Handler {
        return [core = core_.get(), endpoint](net::Request request) {
            return endpoint(*core, std::move(request));
        };
    };
    const auto limit_bytes = static_cast<std::size_t>(core_->options.upload_limit_bytes);
    std::vector<net::Route> rows{
        {Method::post,
         "/_matrix/media/v3/upload",
         "uploadContent",
         Auth::required,
         RateClass::upload,
         limit_bytes,
         true,
         to(upload_content),
         "Uploads a file.",
         {"/_matrix/media/r0/upload", "/_matrix/media/v1/upload"}},
        {Method::post, "/_matrix/media/v1/create", "createContent", Auth::required, RateClass::upload,
         kSmallBodyBytes, false, to(create_content), "An address for a file that is uploaded later."},
        {Method::put,
         "/_matrix/media/v3/upload/{serverName}/{mediaId}",
         "uploadContentToMXC",
         Auth::required,
         RateClass::upload,
         limit_bytes,
         true,
         to(upload_content_to_mxc),
         "Uploads a file to its address.",
         {"/_matrix/media/r0/upload/{serverName}/{mediaId}"}},
        {Method::get, "/_matrix/client/v1/media/config", "getConfigAuthed", Auth::required, RateClass::read,
         0, false, to(get_media_config), "How large a file may be."},
        {Method::get,
         "/_matrix/media/v3/config",
         "getConfig",
         Auth::required,
         RateClass::read,
         0,
         false,
         to(get_media_config),
         "How large a file may be.",
         {"/_matrix/media/r0/config", "/_matrix/media/v1/config"}},
        {Method::get, "/_matrix/client/v1/media/download/{serverName}/{mediaId}", "getContentAuthed",
         Auth::required, RateClass::read, 0, false, to(get_content), "Downloads a file."},
        {Method::get, "/_matrix/client/v1/media/download/{serverName}/{mediaId}/{fileName}",
         "getContentOverrideNameAuthed", Auth::required, RateClass::read, 0, false, to(get_content),
         "Downloads a file under another name."},
        {Method::get, "/_matrix/client/v1/media/thumbnail/{serverName}/{mediaId}",
         "getContentThumbnailAuthed", Auth::required, RateClass::read, 0, false, to(get_content_thumbnail),
         "A small form of a picture."},
        // Without a token: clients that people have fetch so. An address cannot be guessed.
        {Method::get,
         "/_matrix/media/v3/download/{serverName}/{mediaId}",
         "getContent",
         Auth::none,
         RateClass::read,
         0,
         false,
         to(get_content),
         "Downloads a file.",
         {"/_matrix/media/r0/download/{serverName}/{mediaId}",
          "/_matrix/media/v1/download/{serverName}/{mediaId}"}},
        {Method::get,
         "/_matrix/media/v3/download/{serverName}/{mediaId}/{fileName}",
         "getContentOverrideName",
         Auth::none,
         RateClass::read,
         0,
         false,
         to(get_content),
         "Downloads a file under another name.",
         {"/_matrix/media/r0/download/{serverName}/{mediaId}/{fileName}",
          "/_matrix/media/v1/download/{serverName}/{mediaId}/{fileName}"}},
        {Method::get,
         "/_matrix/media/v3/thumbnail/{serverName}/{mediaId}",
         "getContentThumbnail",
         Auth::none,
         RateClass::read,
         0,
         false,
         to(get_content_thumbnail),
         "A small form of a picture.",
         {"/_matrix/media/r0/thumbnail/{serverName}/{mediaId}",
          "/_matrix/media/v1/thumbnail/{serverName}/{mediaId}"}},
    };
    for (auto& row : rows) {
        if (row.operation_id.starts_with("getContent")) row.answers = "*/*";  // as it was uploaded
    }
    return rows;
}

}  // namespace chat
