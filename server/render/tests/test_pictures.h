#pragma once

#include "../src/vips_object.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include <wire/channel.h>

namespace render {

/// A folder of its own for each test, gone afterwards.
class Folder {
  public:
    Folder() {
        char name[] = "/tmp/lingxi_render_XXXXXX";
        path_ = ::mkdtemp(name);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path_); }
    std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

  private:
    std::filesystem::path path_;
};

inline wire::Descriptor open_to_read(const std::filesystem::path& path) {
    return wire::Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}
inline wire::Descriptor open_to_write(const std::filesystem::path& path) {
    return wire::Descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
}

inline void write_file(const std::filesystem::path& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}
inline std::string read_file(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// A picture that is red above and blue below; `bands` 3, or 4 with this alpha everywhere but in one corner.
inline Owned<VipsImage> two_halves(int width, int height, int bands = 3, int alpha = 255) {
    std::vector<unsigned char> pixels;
    pixels.reserve(static_cast<std::size_t>(width) * static_cast<std::size_t>(height * bands));
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            pixels.push_back(y < height / 2 ? 250 : 0);
            pixels.push_back(0);
            pixels.push_back(y < height / 2 ? 0 : 250);
            if (bands == 4) pixels.push_back(static_cast<unsigned char>(alpha));
        }
    }
    Owned<VipsImage> raw(vips_image_new_from_memory_copy(pixels.data(), pixels.size(), width, height, bands,
                                                         VIPS_FORMAT_UCHAR));
    VipsImage* copy = nullptr;
    EXPECT_EQ(vips_copy(raw.get(), &copy, "interpretation", VIPS_INTERPRETATION_sRGB, nullptr), 0);
    return Owned<VipsImage>(copy);
}

/// Saves by the ending of its name, with all savers allowed for as long as it takes.
inline bool save_picture(VipsImage* image, const std::filesystem::path& path) {
    vips_operation_block_set("VipsForeignSave", FALSE);
    const bool saved = vips_image_write_to_file(image, path.c_str(), nullptr) == 0;
    vips_operation_block_set("VipsForeignSave", TRUE);
    for (const char* served : {"VipsForeignSaveJpeg", "VipsForeignSavePng", "VipsForeignSaveWebp"}) {
        vips_operation_block_set(served, FALSE);
    }
    vips_error_clear();
    return saved;
}

/// The colour of one pixel of a file that we made.
inline std::array<double, 3> pixel(const std::filesystem::path& path, int x, int y) {
    const Owned<VipsImage> image(vips_image_new_from_file(path.c_str(), nullptr));
    EXPECT_NE(image, nullptr);
    double* values = nullptr;
    int count = 0;
    EXPECT_EQ(vips_getpoint(image.get(), &values, &count, x, y, nullptr), 0);
    const std::array<double, 3> out{values[0], count > 1 ? values[1] : 0, count > 2 ? values[2] : 0};
    g_free(values);
    return out;
}

}  // namespace render
