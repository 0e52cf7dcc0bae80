#include "vips_object.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string>

#include <imaging/protocol.h>
#include <render/picture.h>

namespace render {
namespace {

using base::ErrorKind;

constexpr off_t kFileLimitBytes = off_t{256} * 1024 * 1024;
constexpr int kJpegQuality = 82;
constexpr int kWebpQuality = 80;
/// For the decoder: half a picture is an error. (The thumbnailer's own fail_on is lost on its way, in 8.14.)
constexpr const char* kStrict = "[fail_on=error]";
constexpr double kOpaque = 255;

std::unexpected<base::Error> not_a_picture() {
    return base::fail(ErrorKind::invalid, "imaging.not_a_picture",
                      "The file is no picture that can be shown.");
}
std::unexpected<base::Error> broken() {
    vips_error_clear();
    return base::fail(ErrorKind::invalid, "imaging.broken", "The picture is damaged.");
}
std::unexpected<base::Error> too_large() {
    return base::fail(ErrorKind::too_large, "imaging.too_large", "The picture has too many pixels.");
}

/// The type by the first bytes; an error for what is no regular file, too long, or nothing that we decode.
base::Result<std::string> sniff(int fd) {
    struct stat status{};
    if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return not_a_picture();
    if (status.st_size > kFileLimitBytes) return too_large();
    std::array<char, 64> first{};
    const auto count = ::pread(fd, first.data(), first.size(), 0);
    if (count <= 0) return not_a_picture();
    std::string type(imaging::sniff_picture_type({first.data(), static_cast<std::size_t>(count)}));
    if (type.empty()) return not_a_picture();
    return type;
}

/// The one decoder that may read this type, whatever else would take the bytes.
std::string_view loader_of(std::string_view type) {
    if (type == "image/png") return "VipsForeignLoadPngSource";
    if (type == "image/jpeg") return "VipsForeignLoadJpegSource";
    if (type == "image/webp") return "VipsForeignLoadWebpSource";
    if (type == "image/gif") return "VipsForeignLoadNsgifSource";
    return "VipsForeignLoadHeifSource";
}

/// A source over the file from its beginning.
base::Result<Owned<VipsSource>> open_source(int fd, std::string_view type) {
    if (::lseek(fd, 0, SEEK_SET) != 0) return not_a_picture();
    Owned<VipsSource> source(vips_source_new_from_descriptor(fd));
    if (!source) return broken();
    const char* loader = vips_foreign_find_load_source(source.get());
    if (loader == nullptr || loader_of(type) != loader) {
        vips_error_clear();
        return not_a_picture();
    }
    return source;
}

/// Reads the header and judges it, before a pixel is decoded: a file of a hundred bytes can claim a terabyte.
base::Result<imaging::Picture> read_header(int fd, std::string type) {
    auto source = open_source(fd, type);
    if (!source) return base::fail(source.error());
    const Owned<VipsImage> image(
        vips_image_new_from_source(source->get(), "", "access", VIPS_ACCESS_SEQUENTIAL, nullptr));
    if (!image) return broken();
    imaging::Picture picture{.mime_type = std::move(type),
                             .width = vips_image_get_width(image.get()),
                             .height = vips_image_get_page_height(image.get()),
                             .pages = vips_image_get_n_pages(image.get())};
    if (picture.width < 1 || picture.height < 1 || picture.pages < 1) return broken();
    if (picture.width > imaging::kPictureSideLimit || picture.height > imaging::kPictureSideLimit ||
        std::int64_t{picture.width} * picture.height > imaging::kPicturePixelsLimit) {
        return too_large();
    }
    if (vips_image_get_orientation_swap(image.get()) != 0) std::swap(picture.width, picture.height);
    return picture;
}

base::Result<Owned<VipsImage>> shrink(int fd, std::string_view type,
                                      const imaging::ThumbnailRequest& request) {
    auto source = open_source(fd, type);
    if (!source) return base::fail(source.error());
    VipsImage* shrunk = nullptr;
    const bool crops = request.method == imaging::Method::crop;
    // Turned as its orientation says; colours to sRGB, since the profile is dropped with all other metadata.
    if (vips_thumbnail_source(source->get(), &shrunk, request.width, "height", request.height, "size",
                              VIPS_SIZE_DOWN, "crop", crops ? VIPS_INTERESTING_CENTRE : VIPS_INTERESTING_NONE,
                              "export_profile", "srgb", "option_string", kStrict, nullptr) != 0) {
        return broken();
    }
    const Owned<VipsImage> lazy(shrunk);
    VipsImage* screen = nullptr;
    if (vips_colourspace(lazy.get(), &screen, VIPS_INTERPRETATION_sRGB, nullptr) != 0) return broken();
    const Owned<VipsImage> coloured(screen);
    // Decodes now: it is small, and is looked at twice.
    Owned<VipsImage> whole(vips_image_copy_memory(coloured.get()));
    if (!whole) return broken();
    return whole;
}

/// Drops an alpha channel that hides nothing: screenshots have one.
base::Result<Owned<VipsImage>> without_idle_alpha(Owned<VipsImage> image) {
    if (vips_image_hasalpha(image.get()) == 0) return image;
    const int bands = vips_image_get_bands(image.get());
    VipsImage* alpha = nullptr;
    if (vips_extract_band(image.get(), &alpha, bands - 1, nullptr) != 0) return broken();
    const Owned<VipsImage> owned_alpha(alpha);
    double least = 0;
    if (vips_min(alpha, &least, nullptr) != 0) return broken();
    if (least < kOpaque) return image;
    VipsImage* opaque = nullptr;
    if (vips_extract_band(image.get(), &opaque, 0, "n", bands - 1, nullptr) != 0) return broken();
    return Owned<VipsImage>(opaque);
}

base::Result<std::string> save(VipsImage* image, std::string_view source_type, int output_fd) {
    const Owned<VipsTarget> target(vips_target_new_to_descriptor(output_fd));
    if (!target) return broken();
    std::string type;
    int outcome = 0;
    if (vips_image_hasalpha(image) == 0) {
        type = "image/jpeg";
        outcome = vips_jpegsave_target(image, target.get(), "Q", kJpegQuality, "strip", TRUE,
                                       "optimize_coding", TRUE, nullptr);
    } else if (source_type == "image/webp") {
        type = source_type;
        outcome = vips_webpsave_target(image, target.get(), "Q", kWebpQuality, "strip", TRUE, nullptr);
    } else {
        type = "image/png";
        outcome = vips_pngsave_target(image, target.get(), "strip", TRUE, nullptr);
    }
    if (outcome != 0) return broken();
    return type;
}

}  // namespace

base::Result<imaging::Picture> inspect(int picture_fd) {
    auto type = sniff(picture_fd);
    if (!type) return base::fail(type.error());
    return read_header(picture_fd, std::move(*type));
}

base::Result<imaging::Thumbnail> make_thumbnail(int picture_fd, const imaging::ThumbnailRequest& request,
                                                int output_fd) {
    const auto picture = inspect(picture_fd);
    if (!picture) return base::fail(picture.error());
    auto shrunk = shrink(picture_fd, picture->mime_type, request);
    if (!shrunk) return base::fail(shrunk.error());
    const auto image = without_idle_alpha(std::move(*shrunk));
    if (!image) return base::fail(image.error());
    auto type = save(image->get(), picture->mime_type, output_fd);
    if (!type) return base::fail(type.error());
    return imaging::Thumbnail{std::move(*type), vips_image_get_width(image->get()),
                              vips_image_get_height(image->get())};
}

}  // namespace render
