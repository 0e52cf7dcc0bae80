#include <algorithm>
#include <array>

#include <imaging/renderer.h>

namespace imaging {
namespace {

constexpr std::array<std::string_view, 6> kTypes = {"image/png", "image/jpeg", "image/webp",
                                                    "image/gif", "image/avif", "image/heic"};

/// ISO BMFF: the brands that the file says it can be read as (ISO/IEC 14496-12, 4.3; HEIF 23008-12, B.4).
std::string_view sniff_heif(std::string_view bytes) {
    if (bytes.size() < 12 || bytes.substr(4, 4) != "ftyp") return "";
    const auto size = static_cast<std::size_t>(static_cast<unsigned char>(bytes[3])) |
                      static_cast<std::size_t>(static_cast<unsigned char>(bytes[2])) << 8U;
    if (bytes[0] != 0 || bytes[1] != 0) return "";
    const auto end = std::min(bytes.size(), size);
    for (std::size_t at = 8; at + 4 <= end;
         at += at == 8 ? 8 : 4) {  // major brand, minor version, other brands
        const auto brand = bytes.substr(at, 4);
        if (brand == "avif" || brand == "avis") return "image/avif";
        if (brand == "heic" || brand == "heix" || brand == "heim" || brand == "heis") return "image/heic";
    }
    return "";
}

}  // namespace

bool is_picture_type(std::string_view mime_type) {
    return std::ranges::find(kTypes, mime_type) != kTypes.end();
}

std::string_view sniff_picture_type(std::string_view first_bytes) {
    using namespace std::string_view_literals;
    if (first_bytes.starts_with("\x89PNG\r\n\x1a\n"sv)) return "image/png";
    if (first_bytes.starts_with("\xff\xd8\xff"sv)) return "image/jpeg";
    if (first_bytes.starts_with("GIF87a"sv) || first_bytes.starts_with("GIF89a"sv)) return "image/gif";
    if (first_bytes.size() >= 16 && first_bytes.starts_with("RIFF"sv) &&
        first_bytes.substr(8, 7) == "WEBPVP8"sv) {
        return "image/webp";
    }
    return sniff_heif(first_bytes);
}

}  // namespace imaging
