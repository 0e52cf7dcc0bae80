// What render and core say to each other about pictures, and how core tells a picture.
#include <imaging/protocol.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto type = imaging::sniff_picture_type(bytes);
    if (!type.empty() && !imaging::is_picture_type(type)) __builtin_trap();
    if (const auto picture = imaging::decode_picture(bytes);
        picture && picture->width > imaging::kPictureSideLimit) {
        __builtin_trap();
    }
    const auto thumbnail = imaging::decode_thumbnail(bytes);
    const auto request = imaging::decode_request(bytes);
    if (thumbnail && thumbnail->height < 1) __builtin_trap();
    if (request && request->width > imaging::kThumbnailSideLimit) __builtin_trap();
    return 0;
}
