// What render and core say to each other about pictures, and how core tells a picture.
#include "fuzz.h"

#include <imaging/protocol.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = fuzz::text_of(data, size);
    const auto type = imaging::sniff_picture_type(bytes);
    fuzz::require(!(!type.empty() && !imaging::is_picture_type(type)));
    if (const auto picture = imaging::decode_picture(bytes);
        picture && picture->width > imaging::kPictureSideLimit) {
        __builtin_trap();
    }
    const auto thumbnail = imaging::decode_thumbnail(bytes);
    const auto request = imaging::decode_request(bytes);
    fuzz::require(!(thumbnail && thumbnail->height < 1));
    fuzz::require(!(request && request->width > imaging::kThumbnailSideLimit));
    return 0;
}
