#pragma once

#include <base/result.h>
#include <imaging/renderer.h>

namespace render {

/// Starts libvips with only the decoders that we serve. Before the lock, since it loads libraries; it takes
/// about 90 ms. False when libvips cannot start.
bool start_decoders();

// Both run on one worker thread, and may take long. `picture_fd` is a regular file, read from its beginning.
// Errors: imaging.not_a_picture, imaging.broken (invalid), imaging.too_large (too_large).

base::Result<imaging::Picture> inspect(int picture_fd);
base::Result<imaging::Thumbnail> make_thumbnail(int picture_fd, const imaging::ThumbnailRequest& request,
                                                int output_fd);

}  // namespace render
