#include "media_core.h"
#include "media_headers.h"

#include <fcntl.h>

#include <charconv>
#include <chrono>

#include <base/log.h>
#include <identity/matrix_error.h>

namespace chat {
namespace {

/// Above the supervisor's longest pause before it starts again what ended.
constexpr auto kRestartLimit = std::chrono::seconds(10);

struct Wanted {
    std::int64_t width = 0;
    std::int64_t height = 0;
    imaging::Method method = imaging::Method::scale;
};

base::Result<std::int64_t> read_side(const net::Request& request, std::string_view name) {
    const auto text = request.query.get(name);
    if (!text) {
        return base::fail(base::ErrorKind::invalid, "M_MISSING_PARAM",
                          "'" + std::string(name) + "' is missing.");
    }
    std::int32_t side = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), side);
    if (error != std::errc{} || end != text->data() + text->size() || side <= 0) {
        return base::fail(base::ErrorKind::invalid, "M_INVALID_PARAM",
                          "'" + std::string(name) + "' must be a number above 0.");
    }
    return side;
}

base::Result<Wanted> read_wanted(const net::Request& request) {
    const auto width = read_side(request, "width");
    if (!width) return base::fail(width.error());
    const auto height = read_side(request, "height");
    if (!height) return base::fail(height.error());
    const auto method = request.query.get("method").value_or("scale");
    if (method != "scale" && method != "crop")
        return base::fail(base::ErrorKind::invalid, "M_INVALID_PARAM", "'method' is 'scale' or 'crop'.");
    return Wanted{*width, *height, method == "crop" ? imaging::Method::crop : imaging::Method::scale};
}

base::Error refused(std::string_view code) {
    if (code == "imaging.too_large")
        return {base::ErrorKind::too_large, "M_TOO_LARGE", "The picture is too large for a thumbnail."};
    return {base::ErrorKind::invalid, "M_UNKNOWN", "There can be no thumbnail of this content."};
}

/// It is the picture's fault: there will never be a thumbnail.
bool is_final(std::string_view code) {
    return code == "imaging.not_a_picture" || code == "imaging.broken" || code == "imaging.too_large" ||
           code == "imaging.died" || code == "imaging.bad_message";
}

/// A thumbnail that is there already, whole.
runtime::Task<base::Result<std::optional<OpenFile>>> open_made(Media::Core& core,
                                                               std::filesystem::path path) {
    auto opened = co_await core.runtime.on_pool<std::optional<OpenFile>>(
        core.disk, [path = std::move(path)] { return MediaFiles::open(path); });
    if (opened && *opened && imaging::sniff_picture_type((*opened)->first_bytes).empty()) opened->reset();
    co_return opened;
}

struct Work {
    wire::Descriptor picture;
    wire::Descriptor output;
    NewFile file;
};

base::Result<Work> begin_work(const MediaFiles& files, const base::Sha256& sha256, const std::string& name) {
    auto picture = MediaFiles::open(files.content_path(sha256));
    if (!picture) return no_such_media();
    auto file = files.create(name);
    if (!file) return base::fail(file.error());
    // Opened anew: a position of its own, and render gets no more than it is to write.
    wire::Descriptor output(::open(file->path().c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    if (output.get() < 0)
        return base::fail(base::ErrorKind::internal, "chat.media_io", "A new file could not be opened.");
    return Work{std::move(picture->descriptor), std::move(output), std::move(*file)};
}

/// One try of render.
runtime::Task<base::Result<NewFile>> render_once(Media::Core& core, base::Sha256 sha256, ThumbnailSize size) {
    auto work = co_await core.runtime.on_pool<base::Result<Work>>(
        core.disk,
        [files = core.files, sha256, name = core.new_id()] { return begin_work(*files, sha256, name); });
    if (!work) co_return base::fail(work.error());
    if (!*work) co_return base::fail(work->error());
    const imaging::ThumbnailRequest request{
        .width = size.width, .height = size.height, .method = size.method};
    const auto made =
        co_await core.renderer.thumbnail(std::move((*work)->picture), request, std::move((*work)->output));
    if (!made) co_return base::fail(made.error());
    co_return std::move((*work)->file);
}

/// Makes the thumbnail and puts it in its place; the caller holds the lock for thumbnails of this content.
runtime::Task<base::Result<void>> make(Media::Core& core, base::Sha256 sha256, ThumbnailSize size) {
    auto made = co_await render_once(core, sha256, size);
    if (!made && made.error().code == "imaging.died") {
        // Asked at once it would be away, which is nobody's fault: it would die anew at each request.
        co_await core.renderer.wait_until_up(kRestartLimit);
        made = co_await render_once(core, sha256, size);
    }
    const auto turn = co_await core.locks.lock(base::hex_encode(sha256));
    if (!turn) co_return base::fail(turn.error());
    if (!made) {
        if (!is_final(made.error().code)) co_return base::fail(made.error());
        base::log_info("chat.thumbnail_refused", {{"code", made.error().code}});
        const auto noted = co_await core.database.write(
            {"media"}, [sha256, code = made.error().code](storage::Transaction& tx) -> base::Result<void> {
                set_refusal(tx, sha256, code);
                return {};
            });
        if (!noted) co_return base::fail(noted.error());
        co_return base::fail(refused(made.error().code));
    }
    // Erased while render was at work?
    const auto held = co_await core.database.read([sha256](storage::Transaction& tx) -> base::Result<void> {
        if (!has_content(tx, sha256)) return no_such_media();
        return {};
    });
    if (!held) co_return base::fail(held.error());
    const auto moved = co_await core.runtime.on_pool<base::Result<void>>(
        core.disk, [&file = *made, place = core.files->thumbnail_path(sha256, size)] {
            if (auto synced = file.sync(); !synced) return synced;
            return file.move_to(place);
        });
    if (!moved) co_return base::fail(moved.error());
    co_return *moved;
}

runtime::Task<base::Result<OpenFile>> find_or_make(Media::Core& core, base::Sha256 sha256, ThumbnailSize size,
                                                   std::string media_id) {
    const auto path = core.files->thumbnail_path(sha256, size);
    auto ready = co_await open_made(core, path);
    if (!ready) co_return base::fail(ready.error());
    if (*ready) co_return std::move(**ready);
    const auto turn = co_await core.locks.lock(base::hex_encode(sha256) + "/thumbnail");
    if (!turn) co_return base::fail(turn.error());
    // Whoever had the turn before may have made it, or found that it cannot be made.
    ready = co_await open_made(core, path);
    if (!ready) co_return base::fail(ready.error());
    if (*ready) co_return std::move(**ready);
    const auto row = co_await core.database.read([media_id](storage::Transaction& tx) {
        return base::Result<std::optional<MediaRow>>(find_media(tx, media_id));
    });
    if (!row) co_return base::fail(row.error());
    if (!*row) co_return no_such_media();
    if ((*row)->refusal) co_return base::fail(refused(*(*row)->refusal));
    if (const auto made = co_await make(core, sha256, size); !made) co_return base::fail(made.error());
    ready = co_await open_made(core, path);
    if (!ready) co_return base::fail(ready.error());
    if (!*ready) co_return base::fail(refused("imaging.bad_message"));
    co_return std::move(**ready);
}

}  // namespace

MediaAnswer get_content_thumbnail(Media::Core& core, net::Request request) {
    const auto wanted = read_wanted(request);
    if (!wanted) co_return identity::matrix_error(wanted.error());
    const auto row = co_await core.find(request);
    if (!row) co_return identity::matrix_error(row.error());
    if (row->picture_type.empty()) co_return identity::matrix_error(refused("imaging.not_a_picture"));
    if (row->refusal) co_return identity::matrix_error(refused(*row->refusal));
    const auto size = thumbnail_size_for(wanted->width, wanted->height, wanted->method);
    auto thumbnail = co_await find_or_make(core, *row->sha256, size, request.value("mediaId"));
    if (!thumbnail) co_return identity::matrix_error(thumbnail.error());
    const auto type = imaging::sniff_picture_type(thumbnail->first_bytes);
    const auto extension = type.substr(type.find('/') + 1);
    net::Response response;
    add_media_headers(response.headers, type,
                      content_disposition(true, "thumbnail." + std::string(extension)),
                      media_etag(*row->sha256) + "-" + std::to_string(size.width) +
                          (size.method == imaging::Method::crop ? "c" : "s"));
    response.file = net::FileBody{thumbnail->descriptor.release(), thumbnail->size_bytes};
    co_return response;
}

}  // namespace chat
