#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <base/result.h>
#include <imaging/renderer.h>

namespace imaging {

// What passes between core and render: a call of one of these methods, answered by "begun" when its turn has
// come and then by one JSON text. Read strictly on both sides: render may have been taken over by a picture.

constexpr std::string_view kInspectMethod = "imaging.inspect";      // descriptors: picture
constexpr std::string_view kThumbnailMethod = "imaging.thumbnail";  // descriptors: picture, output
constexpr std::string_view kBegun = "begun";

constexpr std::int32_t kThumbnailSideLimit = 2048;
constexpr std::int32_t kPictureSideLimit = 32'767;
constexpr std::int64_t kPicturePixelsLimit = 64'000'000;
/// From "begun" to the answer; then render ends itself, since a decoder cannot be interrupted.
constexpr std::chrono::seconds kJobLimit{20};
/// With the time that it waits for its turn: what then has less than kJobLimit left is not begun any more.
constexpr std::chrono::seconds kCallLimit{60};
/// Pictures that wait for their turn.
constexpr std::size_t kWaitingLimit = 64;

std::string encode(const ThumbnailRequest& request);
base::Result<ThumbnailRequest> decode_request(std::string_view text);
std::string encode(const Picture& picture);
base::Result<Picture> decode_picture(std::string_view text);
std::string encode(const Thumbnail& thumbnail);
base::Result<Thumbnail> decode_thumbnail(std::string_view text);

}  // namespace imaging
