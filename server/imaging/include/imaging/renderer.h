#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <base/result.h>
#include <runtime/task.h>
#include <wire/channel.h>

namespace imaging {

/// What a picture may be: what render decodes, and nothing else. Others are kept, and sent as attachments.
/// "image/png", "image/jpeg", "image/webp", "image/gif", "image/avif", "image/heic".
bool is_picture_type(std::string_view mime_type);

/// From the first bytes of a file (64 are enough): one of the types above, or "" for anything else. Judged by
/// these bytes alone, never by a name or by what the uploader said.
std::string_view sniff_picture_type(std::string_view first_bytes);

struct Picture {
    std::string mime_type;   ///< what it really is
    std::int32_t width = 0;  ///< as shown: an orientation in its metadata has been followed
    std::int32_t height = 0;
    std::int32_t pages = 1;  ///< frames of an animation
};

/// How a thumbnail fits the wanted size. Neither ever enlarges.
enum class Method : std::uint8_t {
    scale,  ///< the whole picture, within the size
    crop,   ///< fills the size, cut around the middle
};

struct ThumbnailRequest {
    std::int32_t width = 0;  ///< 1 to 2048
    std::int32_t height = 0;
    Method method = Method::scale;
};

struct Thumbnail {
    std::string mime_type;  ///< "image/jpeg"; with transparency "image/webp" of a WebP, else "image/png"
    std::int32_t width = 0;
    std::int32_t height = 0;
};

/// Core's client of render, which alone decodes what people upload. One picture at a time, others wait their
/// turn.
///
/// Errors of both operations:
/// - imaging.not_a_picture, imaging.broken (invalid), imaging.too_large (too_large): it is the picture's
/// fault; there
///   will never be a thumbnail of it.
/// - imaging.died (internal): render ended while it worked on this very picture (too slow, too much memory, a
/// fault in a
///   decoder, or killed by somebody). Try once more when it is up again; after the second time take it as the
///   picture's fault.
/// - imaging.away, imaging.busy (unavailable), imaging.late (timeout): its turn had not come, or came too
///   late; try later.
///
/// `picture` is read from its beginning and is to be opened for this call alone: a shared read position would
/// move.
class Renderer {
  public:
    explicit Renderer(wire::Peer& peer) : peer_(peer) {}

    bool is_up() const { return peer_.is_open(); }
    /// Returns once render is up, or when `limit` has passed: it is started again a moment after it died.
    runtime::Task<void> wait_until_up(std::chrono::steady_clock::duration limit) {
        return peer_.wait_until_open(limit);
    }

    /// Reads the header only.
    runtime::Task<base::Result<Picture>> inspect(wire::Descriptor picture);

    /// Writes a thumbnail without any metadata into the empty file `output`. After an error its contents are
    /// undefined.
    runtime::Task<base::Result<Thumbnail>> thumbnail(wire::Descriptor picture, ThumbnailRequest request,
                                                     wire::Descriptor output);

  private:
    wire::Peer& peer_;
};

}  // namespace imaging
