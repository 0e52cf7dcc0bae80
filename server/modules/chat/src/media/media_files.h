#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <base/crypto.h>
#include <base/result.h>
#include <imaging/renderer.h>
#include <wire/channel.h>

namespace chat {

/// The sizes that thumbnails are made in, and no others: those that the specification recommends, and one
/// larger square for avatars on dense screens.
struct ThumbnailSize {
    std::int32_t width;
    std::int32_t height;
    imaging::Method method;
};
constexpr std::array kThumbnailSizes{
    ThumbnailSize{32, 32, imaging::Method::crop},    ThumbnailSize{96, 96, imaging::Method::crop},
    ThumbnailSize{256, 256, imaging::Method::crop},  ThumbnailSize{320, 240, imaging::Method::scale},
    ThumbnailSize{640, 480, imaging::Method::scale}, ThumbnailSize{800, 600, imaging::Method::scale},
};
/// The smallest that is no smaller than what is wanted; the largest where none is.
ThumbnailSize thumbnail_size_for(std::int64_t width, std::int64_t height, imaging::Method method);

struct OpenFile {
    wire::Descriptor descriptor;
    std::uint64_t size_bytes = 0;
    std::string first_bytes;  ///< at most 64
};

/// A file in the making. Gone from the disk when dropped, unless it was moved to its place.
class NewFile {
  public:
    NewFile(int descriptor, std::filesystem::path path);
    NewFile(NewFile&& other) noexcept;
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;
    NewFile& operator=(NewFile&& other) noexcept;
    ~NewFile();

    int descriptor() const { return file_.get(); }
    const std::filesystem::path& path() const { return path_; }
    /// Errors: chat.media_disk_full (unavailable), chat.media_io (internal).
    base::Result<void> write(std::span<const std::uint8_t> bytes);
    base::Result<void> sync();
    /// Makes it `place`, durably (within the same folder).
    base::Result<void> move_to(const std::filesystem::path& place);

  private:
    wire::Descriptor file_;
    std::filesystem::path path_;  ///< empty once moved
};

/// The files of media, all in one folder: "<sha256>", "<sha256>.<width>x<height>-<method>" and
/// "new-<random>". Names are made here from hashes alone, never from what a client said. Everything blocks.
class MediaFiles {
  public:
    explicit MediaFiles(std::filesystem::path directory) : directory_(std::move(directory)) {}

    base::Result<void> prepare() const;  ///< makes the folder and deletes what is half-written
    base::Result<NewFile> create(std::string_view random_name) const;
    std::filesystem::path content_path(const base::Sha256& sha256) const;
    std::filesystem::path thumbnail_path(const base::Sha256& sha256, const ThumbnailSize& size) const;
    /// Nothing where there is no such file.
    static std::optional<OpenFile> open(const std::filesystem::path& path);
    /// The content and its thumbnails.
    void remove(const base::Sha256& sha256) const;
    /// The hashes of all files that are there, each once.
    std::vector<base::Sha256> list() const;

  private:
    std::filesystem::path directory_;
};

}  // namespace chat
