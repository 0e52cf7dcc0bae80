#include "negotiation.h"
#include "target.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <base/http_date.h>
#include <net/static_files.h>

namespace net {
namespace {

class Descriptor {
  public:
    Descriptor() = default;
    explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
    Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~Descriptor() {
        if (descriptor_ >= 0) close(descriptor_);
    }
    int get() const { return descriptor_; }
    int release() { return std::exchange(descriptor_, -1); }
    explicit operator bool() const { return descriptor_ >= 0; }

  private:
    int descriptor_ = -1;
};

struct TypeRow {
    std::string_view extension;
    std::string_view type;
};
constexpr std::array kTypes{
    TypeRow{"html", "text/html; charset=utf-8"},
    TypeRow{"js", "text/javascript; charset=utf-8"},
    TypeRow{"mjs", "text/javascript; charset=utf-8"},
    TypeRow{"css", "text/css; charset=utf-8"},
    TypeRow{"json", "application/json"},
    TypeRow{"map", "application/json"},
    TypeRow{"webmanifest", "application/manifest+json"},
    TypeRow{"svg", "image/svg+xml"},
    TypeRow{"png", "image/png"},
    TypeRow{"jpg", "image/jpeg"},
    TypeRow{"webp", "image/webp"},
    TypeRow{"ico", "image/x-icon"},
    TypeRow{"woff2", "font/woff2"},
    TypeRow{"wasm", "application/wasm"},
    TypeRow{"mp3", "audio/mpeg"},
    TypeRow{"ogg", "audio/ogg"},
    TypeRow{"txt", "text/plain; charset=utf-8"},
    TypeRow{"xml", "application/xml"},
};

std::string_view type_of(std::string_view name) {
    const auto extension = name.substr(name.rfind('.') + 1);
    for (const auto& row : kTypes) {
        if (row.extension == extension) return row.type;
    }
    return "application/octet-stream";
}

/// No script, style or connection from anywhere else; styles in attributes are what the component library
/// writes.
void add_security_headers(Response& response) {
    response.headers.add(
        "Content-Security-Policy",
        "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
        "style-src 'self' 'unsafe-inline'; connect-src 'self'; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'");
    response.headers.add("X-Content-Type-Options", "nosniff");
    response.headers.add("Referrer-Policy", "no-referrer");
    response.headers.add("Cross-Origin-Opener-Policy", "same-origin");
}

Response not_found() {
    Response response;
    response.status = 404;
    response.headers.add("Content-Type", "text/plain; charset=utf-8");
    response.headers.add("Cache-Control", "no-cache");
    add_security_headers(response);
    response.body = "Not found\n";
    return response;
}

/// A segment that names a file of the client: nothing hidden, nothing that leads elsewhere.
bool is_plain_name(std::string_view segment) {
    return !segment.empty() && segment.front() != '.' &&
           segment.find_first_of("/\\") == std::string_view::npos;
}

/// Opens a file step by step below `root`, never through a link.
Descriptor open_below(const std::filesystem::path& root, const std::vector<std::string>& segments,
                      std::string_view suffix) {
    Descriptor at(open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    for (std::size_t i = 0; at && i < segments.size(); ++i) {
        const bool is_last = i + 1 == segments.size();
        const std::string name = is_last ? segments[i] + std::string(suffix) : segments[i];
        at = Descriptor(
            openat(at.get(), name.c_str(),
                   O_NOFOLLOW | O_CLOEXEC | (is_last ? O_RDONLY | O_NONBLOCK : O_PATH | O_DIRECTORY)));
    }
    return at;
}

struct Opened {
    Descriptor descriptor;
    struct stat status{};
    std::string_view encoding;
};

/// The smallest form of a file that the client understands.
Opened open_best(const std::filesystem::path& root, const std::vector<std::string>& segments,
                 std::string_view accept_encoding) {
    struct Form {
        std::string_view encoding, suffix;
    };
    static constexpr std::array kForms{Form{"br", ".br"}, Form{"gzip", ".gz"}, Form{"", ""}};
    for (const auto& form : kForms) {
        if (!form.encoding.empty() && !accepts_encoding(accept_encoding, form.encoding)) continue;
        Opened opened{.descriptor = open_below(root, segments, form.suffix), .encoding = form.encoding};
        if (!opened.descriptor || fstat(opened.descriptor.get(), &opened.status) != 0) continue;
        if (S_ISREG(opened.status.st_mode)) return opened;
    }
    return {};
}

/// Strong: another form of the same file is another representation.
std::string etag_of(const Opened& opened) {
    const auto& status = opened.status;
    std::string etag = "\"" + std::to_string(status.st_mtim.tv_sec) + "-" +
                       std::to_string(status.st_mtim.tv_nsec) + "-" + std::to_string(status.st_size);
    if (!opened.encoding.empty()) etag += "-" + std::string(opened.encoding);
    return etag + "\"";
}

/// Which file a path asks for; nothing where it can be none.
std::vector<std::string> file_for(std::vector<std::string> segments) {
    for (const auto& segment : segments) {
        if (!is_plain_name(segment)) return {};
    }
    if (segments.size() == 1 &&
        (segments[0] == "setup" || segments[0] == "invite" || segments[0] == "reset")) {
        return {segments[0] + ".html"};
    }
    // A path without an extension is a place in the application, which finds its own way.
    if (segments.empty() || (!segments.back().contains('.') && segments.front() != "assets"))
        return {"index.html"};
    return segments;
}

runtime::Task<Response> serve(const std::filesystem::path& root, Request request) {
    auto segments = split_path(request.path);
    if (!segments) co_return not_found();
    const auto file = file_for(std::move(*segments));
    if (file.empty()) co_return not_found();
    auto opened = open_best(root, file, request.headers.get("Accept-Encoding").value_or(std::string_view{}));
    if (!opened.descriptor) co_return not_found();

    const auto& status = opened.status;
    Response response;
    response.headers.add("Content-Type", type_of(file.back()));
    if (!opened.encoding.empty()) response.headers.add("Content-Encoding", opened.encoding);
    response.headers.add("Vary", "Accept-Encoding");
    response.headers.add("ETag", etag_of(opened));
    response.headers.add("Last-Modified", base::format_http_date(status.st_mtim.tv_sec));
    // What the build names by its contents never changes; everything else is asked for again each time.
    const bool is_immutable = file.size() > 1 && file.front() == "assets";
    response.headers.add("Cache-Control", is_immutable ? "public, max-age=31536000, immutable" : "no-cache");
    add_security_headers(response);
    response.file = FileBody{opened.descriptor.release(), static_cast<std::uint64_t>(status.st_size)};
    co_return response;
}

}  // namespace

Handler static_files(std::filesystem::path root) {
    return [kept = std::make_shared<std::filesystem::path>(std::move(root))](Request request) {
        return serve(*kept, std::move(request));
    };
}

}  // namespace net
