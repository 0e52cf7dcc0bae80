#include "media_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <system_error>
#include <utility>

#include <base/encoding.h>

namespace chat {
namespace {

constexpr std::string_view kHalfWritten = "new-";
constexpr std::size_t kHashCharacters = 64;

base::Error failure(int error, std::string_view what) {
    if (error == ENOSPC || error == EDQUOT) {
        return {base::ErrorKind::unavailable, "chat.media_disk_full", "The server's disk is full."};
    }
    return {base::ErrorKind::internal, "chat.media_io",
            std::string(what) + ": " + std::generic_category().message(error)};
}

std::optional<base::Sha256> hash_in(std::string_view name) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    if (name.size() < kHashCharacters || (name.size() > kHashCharacters && name[kHashCharacters] != '.'))
        return std::nullopt;
    base::Sha256 hash{};
    for (std::size_t i = 0; i < hash.size(); ++i) {
        const auto high = kDigits.find(name[2 * i]);
        const auto low = kDigits.find(name[2 * i + 1]);
        if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
        hash[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    return hash;
}

}  // namespace

ThumbnailSize thumbnail_size_for(std::int64_t width, std::int64_t height, imaging::Method method) {
    for (const auto& size : kThumbnailSizes) {
        // A square larger than the largest is given the whole picture.
        if (method == imaging::Method::scale && size.method != method) continue;
        if (size.width >= width && size.height >= height) return size;
    }
    return kThumbnailSizes.back();
}

NewFile::NewFile(int descriptor, std::filesystem::path path) : file_(descriptor), path_(std::move(path)) {}

NewFile::NewFile(NewFile&& other) noexcept : file_(std::move(other.file_)), path_(std::move(other.path_)) {
    other.path_.clear();
}

NewFile& NewFile::operator=(NewFile&& other) noexcept {
    std::swap(file_, other.file_);
    std::swap(path_, other.path_);
    return *this;
}

NewFile::~NewFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
}

base::Result<void> NewFile::write(std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
        const auto written = ::write(file_.get(), bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return base::fail(failure(errno, "An upload could not be written"));
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
}

base::Result<void> NewFile::sync() {
    if (::fsync(file_.get()) != 0) return base::fail(failure(errno, "A file could not be made durable"));
    return {};
}

base::Result<void> NewFile::move_to(const std::filesystem::path& place) {
    if (::rename(path_.c_str(), place.c_str()) != 0)
        return base::fail(failure(errno, "A file could not be moved"));
    path_.clear();
    const wire::Descriptor folder(::open(place.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.get() < 0 || ::fsync(folder.get()) != 0)
        return base::fail(failure(errno, "A folder could not be made durable"));
    return {};
}

base::Result<void> MediaFiles::prepare() const {
    std::error_code error;
    std::filesystem::create_directories(directory_, error);
    if (error) return base::fail(base::ErrorKind::internal, "chat.media_folder", error.message());
    for (auto file = std::filesystem::directory_iterator(directory_, error);
         !error && file != std::filesystem::directory_iterator(); file.increment(error)) {
        if (file->path().filename().native().starts_with(kHalfWritten)) ::unlink(file->path().c_str());
    }
    if (error) return base::fail(base::ErrorKind::internal, "chat.media_folder", error.message());
    return {};
}

base::Result<NewFile> MediaFiles::create(std::string_view random_name) const {
    auto path = directory_ / (std::string(kHalfWritten) + std::string(random_name));
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0) return base::fail(failure(errno, "A file could not be made"));
    return NewFile(descriptor, std::move(path));
}

std::filesystem::path MediaFiles::content_path(const base::Sha256& sha256) const {
    return directory_ / base::hex_encode(sha256);
}

std::filesystem::path MediaFiles::thumbnail_path(const base::Sha256& sha256,
                                                 const ThumbnailSize& size) const {
    const std::string_view method = size.method == imaging::Method::crop ? "crop" : "scale";
    return directory_ / (base::hex_encode(sha256) + "." + std::to_string(size.width) + "x" +
                         std::to_string(size.height) + "-" + std::string(method));
}

std::optional<OpenFile> MediaFiles::open(const std::filesystem::path& path) {
    OpenFile file{wire::Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)), 0, {}};
    struct stat status{};
    if (file.descriptor.get() < 0 || ::fstat(file.descriptor.get(), &status) != 0 ||
        !S_ISREG(status.st_mode)) {
        return std::nullopt;
    }
    file.size_bytes = static_cast<std::uint64_t>(status.st_size);
    std::array<char, 64> first{};
    // Not read(): the position is to stay at the beginning.
    const auto read = ::pread(file.descriptor.get(), first.data(), first.size(), 0);
    file.first_bytes.assign(first.data(), static_cast<std::size_t>(std::max<ssize_t>(read, 0)));
    return file;
}

void MediaFiles::remove(const base::Sha256& sha256) const {
    for (const auto& size : kThumbnailSizes) ::unlink(thumbnail_path(sha256, size).c_str());
    ::unlink(content_path(sha256).c_str());
}

std::vector<base::Sha256> MediaFiles::list() const {
    std::set<base::Sha256> hashes;
    std::error_code error;
    for (auto file = std::filesystem::directory_iterator(directory_, error);
         !error && file != std::filesystem::directory_iterator(); file.increment(error)) {
        if (const auto hash = hash_in(file->path().filename().native())) hashes.insert(*hash);
    }
    return {hashes.begin(), hashes.end()};
}

}  // namespace chat
