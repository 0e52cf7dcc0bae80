#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <net/message.h>

namespace chat {

/// "type/subtype" in lower case (and "; charset=utf-8" of a text), or "application/octet-stream" for what has
/// no such form.
std::string clean_content_type(std::optional<std::string_view> given);
/// As its uploader called it, without what no name has: control characters, more than 255 bytes. Nothing for
/// an empty one or bytes that are no UTF-8.
std::optional<std::string> clean_file_name(std::optional<std::string_view> given);

/// As what content is served: pictures as what their first bytes say; what a browser could run, as bytes;
/// anything else as its uploader called it.
std::string served_type(std::string_view picture_type, std::string_view content_type);
bool may_be_inline(std::string_view served_type);
/// RFC 6266, with RFC 8187 for names beyond ASCII.
std::string content_disposition(bool is_inline, const std::optional<std::string>& file_name);

/// What keeps a file that somebody uploaded from acting as a page of this server.
void add_media_headers(net::Headers& headers, std::string_view served_type, std::string disposition,
                       std::string_view etag);

}  // namespace chat
