#include "media_headers.h"

#include <algorithm>
#include <array>

#include <base/encoding.h>
#include <imaging/renderer.h>

namespace chat {
namespace {

constexpr std::string_view kBytes = "application/octet-stream";
constexpr std::size_t kTypeLimit = 127;
constexpr std::size_t kNameLimit = 255;

/// The specification's list for inline content, without stylesheets: nothing of ours needs them.
constexpr std::array<std::string_view, 24> kInline{
    "text/plain",      "text/csv",   "application/json", "application/ld+json", "image/jpeg", "image/gif",
    "image/png",       "image/webp", "image/avif",       "video/mp4",           "video/webm", "video/ogg",
    "video/quicktime", "audio/mp4",  "audio/webm",       "audio/aac",           "audio/mpeg", "audio/ogg",
    "audio/wave",      "audio/wav",  "audio/x-wav",      "audio/x-pn-wav",      "audio/flac", "audio/x-flac"};

/// HTML, XML, style sheets, and the names that browsers know scripts by (MIME Sniffing, "JavaScript MIME
/// type").
constexpr std::array<std::string_view, 22> kActive{"text/html",
                                                   "text/xml",
                                                   "application/xml",
                                                   "text/xsl",
                                                   "text/css",
                                                   "text/cache-manifest",
                                                   "application/ecmascript",
                                                   "application/javascript",
                                                   "application/x-ecmascript",
                                                   "application/x-javascript",
                                                   "text/ecmascript",
                                                   "text/javascript",
                                                   "text/javascript1.0",
                                                   "text/javascript1.1",
                                                   "text/javascript1.2",
                                                   "text/javascript1.3",
                                                   "text/javascript1.4",
                                                   "text/javascript1.5",
                                                   "text/jscript",
                                                   "text/livescript",
                                                   "text/x-ecmascript",
                                                   "text/x-javascript"};

bool is_token(std::string_view text) {
    constexpr std::string_view kMarks = "!#$&^_.+-";
    return !text.empty() && std::ranges::all_of(text, [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || kMarks.contains(c);
    });
}

std::string_view essence(std::string_view type) {
    return type.substr(0, type.find(';'));
}

/// What a browser would run as a script or apply as a style sheet where a page named it as one, or show as a
/// document of its own: by exact names, since "xml" and "script" stand in the names of office documents and
/// of PostScript as well.
bool is_active(std::string_view type) {
    return std::ranges::find(kActive, type) != kActive.end() || type.ends_with("+xml") ||
           type.starts_with("multipart/");
}

}  // namespace

std::string clean_content_type(std::optional<std::string_view> given) {
    const auto lower = base::ascii_lower(given.value_or(std::string_view{}));
    auto type = essence(lower);
    while (type.ends_with(' ') || type.ends_with('\t')) type.remove_suffix(1);
    const auto slash = type.find('/');
    if (type.size() > kTypeLimit || slash == std::string_view::npos || !is_token(type.substr(0, slash)) ||
        !is_token(type.substr(slash + 1))) {
        return std::string(kBytes);
    }
    std::string clean(type);
    if (clean.starts_with("text/") && lower.contains("charset=utf-8")) clean += "; charset=utf-8";
    return clean;
}

std::optional<std::string> clean_file_name(std::optional<std::string_view> given) {
    if (!given || !base::is_utf8(*given)) return std::nullopt;
    std::string name;
    for (const char c : *given) {
        if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) name += c;
    }
    name = std::string(base::utf8_prefix(name, kNameLimit));
    if (name.empty()) return std::nullopt;
    return name;
}

std::string served_type(std::string_view picture_type, std::string_view content_type) {
    if (!picture_type.empty()) return std::string(picture_type);
    const auto type = essence(content_type);
    // A picture of a kind that is known by its first bytes would have been known.
    if (type.empty() || imaging::is_picture_type(type) || is_active(type)) return std::string(kBytes);
    return std::string(content_type);
}

bool may_be_inline(std::string_view served_type) {
    return std::ranges::find(kInline, essence(served_type)) != kInline.end();
}

std::string content_disposition(bool is_inline, const std::optional<std::string>& file_name) {
    std::string header = is_inline ? "inline" : "attachment";
    if (!file_name) return header;
    std::string plain;
    bool is_plain = true;
    for (const char c : *file_name) {
        const bool fits = c >= 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '%';
        // One mark for each character, not for each of its bytes.
        if (fits) {
            plain += c;
        } else if ((static_cast<unsigned char>(c) & 0xc0U) != 0x80U) {
            plain += '_';
        }
        is_plain = is_plain && fits;
    }
    header += "; filename=\"" + plain + "\"";
    if (!is_plain) header += "; filename*=UTF-8''" + base::percent_encode(*file_name);
    return header;
}

void add_media_headers(net::Headers& headers, std::string_view served_type, std::string disposition,
                       std::string_view etag) {
    headers.set("Content-Type", served_type);
    headers.set("Content-Disposition", disposition);
    headers.set(
        "Content-Security-Policy",
        "sandbox; default-src 'none'; script-src 'none'; style-src 'unsafe-inline'; media-src 'self'; "
        "object-src 'none'");
    headers.set("X-Content-Type-Options", "nosniff");
    headers.set("Cross-Origin-Resource-Policy", "cross-origin");
    headers.set("ETag", "\"" + std::string(etag) + "\"");
    headers.set("Cache-Control", "private, max-age=31536000, immutable");
}

}  // namespace chat
