#include <base/json.h>
#include <imaging/protocol.h>

namespace imaging {
namespace {

namespace json = base::json;
constexpr std::size_t kTextLimitBytes = 4096;

std::unexpected<base::Error> bad_message() {
    return base::fail(base::ErrorKind::internal, "imaging.bad_message",
                      "Render and core misunderstand each other.");
}

std::optional<json::object> parse(std::string_view text) {
    auto value = base::parse_json(text, kTextLimitBytes, 4);
    if (!value || !value->is_object()) return std::nullopt;
    return std::move(value->as_object());
}

/// A member that is there and within 1 to `limit`.
std::optional<std::int32_t> number(const json::object& object, std::string_view name, std::int64_t limit) {
    const auto value = base::get_int(object, name);
    if (!value || *value < 1 || *value > limit) return std::nullopt;
    return static_cast<std::int32_t>(*value);
}

}  // namespace

std::string encode(const ThumbnailRequest& request) {
    return json::serialize(json::object{{"width", request.width},
                                        {"height", request.height},
                                        {"method", request.method == Method::crop ? "crop" : "scale"}});
}

base::Result<ThumbnailRequest> decode_request(std::string_view text) {
    const auto object = parse(text);
    if (!object) return bad_message();
    const auto width = number(*object, "width", kThumbnailSideLimit);
    const auto height = number(*object, "height", kThumbnailSideLimit);
    const auto method = base::get_string(*object, "method");
    if (!width || !height || (method != "crop" && method != "scale")) return bad_message();
    return ThumbnailRequest{*width, *height, method == "crop" ? Method::crop : Method::scale};
}

std::string encode(const Picture& picture) {
    return json::serialize(json::object{{"mime_type", picture.mime_type},
                                        {"width", picture.width},
                                        {"height", picture.height},
                                        {"pages", picture.pages}});
}

base::Result<Picture> decode_picture(std::string_view text) {
    const auto object = parse(text);
    if (!object) return bad_message();
    const auto mime_type = base::get_string(*object, "mime_type");
    const auto width = number(*object, "width", kPictureSideLimit);
    const auto height = number(*object, "height", kPictureSideLimit);
    const auto pages = number(*object, "pages", std::numeric_limits<std::int32_t>::max());
    if (!mime_type || !is_picture_type(*mime_type) || !width || !height || !pages) return bad_message();
    return Picture{std::string(*mime_type), *width, *height, *pages};
}

std::string encode(const Thumbnail& thumbnail) {
    return json::serialize(json::object{
        {"mime_type", thumbnail.mime_type}, {"width", thumbnail.width}, {"height", thumbnail.height}});
}

base::Result<Thumbnail> decode_thumbnail(std::string_view text) {
    const auto object = parse(text);
    if (!object) return bad_message();
    const auto mime_type = base::get_string(*object, "mime_type");
    const auto width = number(*object, "width", kThumbnailSideLimit);
    const auto height = number(*object, "height", kThumbnailSideLimit);
    const bool is_made_type =
        mime_type == "image/jpeg" || mime_type == "image/png" || mime_type == "image/webp";
    if (!is_made_type || !width || !height) return bad_message();
    return Thumbnail{std::string(*mime_type), *width, *height};
}

}  // namespace imaging
