#include "media_core.h"
#include "media_headers.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include <base/json.h>
#include <identity/matrix_error.h>

namespace chat {
namespace {

constexpr std::size_t kIdLimit = 255;
constexpr std::size_t kWaitingLimit = 64;
constexpr std::int64_t kDefaultWaitMs = 20'000;
constexpr std::int64_t kLongestWaitMs = 60'000;

base::Result<std::chrono::milliseconds> wait_of(const net::Request& request) {
    const auto text = request.query.get("timeout_ms");
    std::int64_t wait_ms = kDefaultWaitMs;
    if (text) {
        const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), wait_ms);
        if (error != std::errc{} || end != text->data() + text->size() || wait_ms < 0) {
            return base::fail(base::ErrorKind::invalid, "M_INVALID_PARAM", "'timeout_ms' must be a number.");
        }
    }
    return std::chrono::milliseconds(std::min(wait_ms, kLongestWaitMs));
}

/// Counts a waiting request as long as it lives.
class Waiting {
  public:
    explicit Waiting(std::size_t& count) : count_(count) { ++count_; }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    ~Waiting() { --count_; }

  private:
    std::size_t& count_;
};

}  // namespace

bool is_media_id(std::string_view text) {
    return !text.empty() && text.size() <= kIdLimit && std::ranges::all_of(text, [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-';
    });
}

std::unexpected<base::Error> no_such_media() {
    return base::fail(base::ErrorKind::not_found, "M_NOT_FOUND", "There is no such media on this server.");
}

std::string media_etag(const base::Sha256& sha256) {
    return base::base64url_encode(std::span(sha256).first(18));
}

runtime::Task<base::Result<MediaRow>> Media::Core::find(net::Request& request) {
    const auto media_id = request.value("mediaId");
    // Another server's media is not fetched: there is no federation.
    if (request.value("serverName") != options.server_name() || !is_media_id(media_id))
        co_return no_such_media();
    const auto wait = wait_of(request);
    if (!wait) co_return base::fail(wait.error());
    const auto until = std::chrono::steady_clock::now() + *wait;
    const Waiting counted(waiting);
    for (;;) {
        auto row = co_await database.read([media_id](storage::Transaction& tx) -> base::Result<MediaRow> {
            auto found = find_media(tx, media_id);
            if (!found) return no_such_media();
            return std::move(*found);
        });
        if (!row || row->sha256) co_return row;
        if (row->expires_ms.value_or(0) <= clock.now_ms()) co_return no_such_media();
        const auto left = until - std::chrono::steady_clock::now();
        if (stopping || waiting > kWaitingLimit || left <= left.zero() || !co_await uploaded.wait(left)) {
            co_return base::fail(base::ErrorKind::timeout, "M_NOT_YET_UPLOADED",
                                 "The content has not been uploaded yet.");
        }
    }
}

MediaAnswer get_media_config(Media::Core& core, net::Request) {
    co_return net::json(
        200, base::json::value(base::json::object{{"m.upload.size", core.options.upload_limit_bytes}}));
}

MediaAnswer get_content(Media::Core& core, net::Request request) {
    const auto row = co_await core.find(request);
    if (!row) co_return identity::matrix_error(row.error());
    auto opened = co_await core.runtime.on_pool<std::optional<OpenFile>>(
        core.disk, [path = core.files->content_path(*row->sha256)] { return MediaFiles::open(path); });
    if (!opened) co_return identity::matrix_error(opened.error());
    if (!*opened) co_return identity::matrix_error(no_such_media().error());
    auto file_name = row->file_name;
    if (auto wanted = clean_file_name(request.value("fileName"))) file_name = std::move(wanted);
    const auto type = served_type(row->picture_type, row->content_type);
    net::Response response;
    add_media_headers(response.headers, type, content_disposition(may_be_inline(type), file_name),
                      media_etag(*row->sha256));
    response.file = net::FileBody{(*opened)->descriptor.release(), (*opened)->size_bytes};
    co_return response;
}

}  // namespace chat
