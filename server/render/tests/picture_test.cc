#include "test_pictures.h"

#include <array>
#include <bit>

#include <gtest/gtest.h>

#include <imaging/protocol.h>
#include <render/picture.h>

// The encoder that makes our HEIC files leaks; render itself encodes none.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
    return "leak:libx265";
}

namespace render {
namespace {

class PictureTest : public testing::Test {
  protected:
    static void SetUpTestSuite() { ASSERT_TRUE(start_decoders()); }

    std::string inspect_code(std::string_view name) const {
        const auto picture = open_to_read(folder / name);
        const auto result = inspect(picture.get());
        return result ? result->mime_type : result.error().code;
    }
    base::Result<imaging::Thumbnail> thumbnail(std::string_view name,
                                               imaging::ThumbnailRequest request) const {
        const auto picture = open_to_read(folder / name);
        const auto output = open_to_write(folder / "out");
        return make_thumbnail(picture.get(), request, output.get());
    }
    std::string thumbnail_code(std::string_view name) const {
        const auto made = thumbnail(name, {.width = 100, .height = 100});
        return made ? made->mime_type : made.error().code;
    }

    Folder folder;
};

TEST_F(PictureTest, tells_type_and_size_of_what_it_serves) {
    const auto image = two_halves(60, 40);
    for (const auto& [name, type] : {std::pair{"a.png", "image/png"},
                                     {"a.jpg", "image/jpeg"},
                                     {"a.webp", "image/webp"},
                                     {"a.gif", "image/gif"},
                                     {"a.heic", "image/heic"},
                                     {"a.avif", "image/avif"}}) {
        if (!save_picture(image.get(), folder / name)) {
            ADD_FAILURE() << "no encoder for " << name;
            continue;
        }
        const auto picture = open_to_read(folder / name);
        const auto result = inspect(picture.get());
        ASSERT_TRUE(result.has_value()) << name << " " << result.error().code;
        EXPECT_EQ(result->mime_type, type);
        EXPECT_EQ(result->width, 60);
        EXPECT_EQ(result->height, 40);
        EXPECT_EQ(result->pages, 1);
        EXPECT_EQ(thumbnail_code(name), "image/jpeg") << name;
    }
}

TEST_F(PictureTest, the_name_of_a_file_means_nothing) {
    save_picture(two_halves(60, 40).get(), folder / "a.png");
    std::filesystem::rename(folder / "a.png", folder / "a.jpg");
    EXPECT_EQ(inspect_code("a.jpg"), "image/png");
}

TEST_F(PictureTest, scales_within_the_size_and_never_enlarges) {
    save_picture(two_halves(600, 300).get(), folder / "a.png");
    auto made = thumbnail("a.png", {.width = 100, .height = 100});
    EXPECT_EQ(made->width, 100);
    EXPECT_EQ(made->height, 50);
    made = thumbnail("a.png", {.width = 1000, .height = 1000});
    EXPECT_EQ(made->width, 600);
    EXPECT_EQ(made->height, 300);
}

TEST_F(PictureTest, crops_to_the_size_and_never_enlarges) {
    save_picture(two_halves(600, 300).get(), folder / "a.png");
    auto made = thumbnail("a.png", {.width = 100, .height = 100, .method = imaging::Method::crop});
    EXPECT_EQ(made->width, 100);
    EXPECT_EQ(made->height, 100);
    made = thumbnail("a.png", {.width = 1000, .height = 200, .method = imaging::Method::crop});
    EXPECT_LE(made->width, 600);
    EXPECT_LE(made->height, 200);
}

TEST_F(PictureTest, keeps_transparency_in_a_format_that_has_it) {
    save_picture(two_halves(60, 40, 4, 100).get(), folder / "a.png");
    save_picture(two_halves(60, 40, 4, 100).get(), folder / "a.webp");
    save_picture(two_halves(60, 40, 4, 255).get(), folder / "opaque.png");
    EXPECT_EQ(thumbnail_code("a.png"), "image/png");
    EXPECT_EQ(thumbnail_code("a.webp"), "image/webp");
    EXPECT_EQ(thumbnail_code("opaque.png"), "image/jpeg");
}

TEST_F(PictureTest, follows_the_orientation_and_drops_all_metadata) {
    const auto image = two_halves(60, 40);
    vips_image_set_int(image.get(), "orientation", 6);  // EXIF: turn it right by 90 degrees to see it
    vips_image_set_string(image.get(), "exif-ifd0-ImageDescription",
                          "taken at home (taken at home, ASCII, 14 components, 14 bytes)");
    ASSERT_TRUE(save_picture(image.get(), folder / "a.jpg"));
    ASSERT_NE(read_file(folder / "a.jpg").find("taken at home"), std::string::npos);

    const auto picture = open_to_read(folder / "a.jpg");
    EXPECT_EQ(inspect(picture.get())->width, 40);
    EXPECT_EQ(inspect(picture.get())->height, 60);
    const auto made = thumbnail("a.jpg", {.width = 20, .height = 30});
    EXPECT_EQ(made->width, 20);
    EXPECT_EQ(made->height, 30);
    // The red half was above; turned right, it is at the right.
    EXPECT_GT(pixel(folder / "out", 17, 15)[0], 200);
    EXPECT_GT(pixel(folder / "out", 2, 15)[2], 200);
    const auto bytes = read_file(folder / "out");
    EXPECT_EQ(bytes.find("taken at home"), std::string::npos);
    EXPECT_EQ(bytes.find("Exif"), std::string::npos);
}

TEST_F(PictureTest, counts_the_frames_of_an_animation_and_shows_the_first) {
    const auto first = two_halves(30, 20);
    const auto second = two_halves(30, 20);
    std::array<VipsImage*, 2> frames{first.get(), second.get()};
    VipsImage* joined = nullptr;
    ASSERT_EQ(vips_arrayjoin(frames.data(), &joined, 2, "across", 1, nullptr), 0);
    const Owned<VipsImage> animation(joined);
    vips_image_set_int(joined, "page-height", 20);
    for (const char* name : {"a.gif", "a.webp"}) {
        ASSERT_TRUE(save_picture(joined, folder / name)) << name;
        const auto picture = open_to_read(folder / name);
        const auto result = inspect(picture.get());
        ASSERT_TRUE(result.has_value()) << name;
        EXPECT_GE(result->pages, 1) << name;
        EXPECT_EQ(result->height, 20) << name;
        const auto made = thumbnail(name, {.width = 100, .height = 100});
        ASSERT_TRUE(made.has_value()) << name << made.error().code;
        EXPECT_EQ(made->height, 20) << name;
    }
}

TEST_F(PictureTest, refuses_what_is_no_picture_whatever_it_is_called) {
    write_file(
        folder / "a.svg",
        R"(<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><image href="file:///etc/passwd"/></svg>)");
    write_file(folder / "a.pdf", "%PDF-1.4\n1 0 obj\n<</Type/Catalog>>\nendobj\n");
    write_file(folder / "a.png", "<html><script>alert(1)</script></html>");
    write_file(folder / "empty.png", "");
    write_file(folder / "a.ppm", "P6 10 10 255\n" + std::string(300, 'x'));
    for (const char* name : {"a.svg", "a.pdf", "a.png", "empty.png", "a.ppm"}) {
        EXPECT_EQ(inspect_code(name), "imaging.not_a_picture") << name;
        EXPECT_EQ(thumbnail_code(name), "imaging.not_a_picture") << name;
    }
    // No file at all: it would never end.
    const auto device = open_to_read("/dev/zero");
    EXPECT_EQ(inspect(device.get()).error().code, "imaging.not_a_picture");
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const wire::Descriptor read_end(ends[0]);
    const wire::Descriptor write_end(ends[1]);
    EXPECT_EQ(inspect(read_end.get()).error().code, "imaging.not_a_picture");
}

TEST_F(PictureTest, a_picture_that_is_cut_off_anywhere_is_an_error_and_no_fault) {
    const auto image = two_halves(200, 200, 4, 100);
    for (const char* name : {"a.png", "a.jpg", "a.webp", "a.gif", "a.heic", "a.avif"}) {
        ASSERT_TRUE(save_picture(image.get(), folder / name)) << name;
        const auto whole = read_file(folder / name);
        ASSERT_GT(whole.size(), 100U);
        for (const std::size_t length :
             {std::size_t{16}, std::size_t{40}, whole.size() / 4, whole.size() / 2}) {
            write_file(folder / "cut", std::string_view(whole).substr(0, length));
            const auto made = thumbnail("cut", {.width = 100, .height = 100});
            EXPECT_FALSE(made.has_value()) << name << " cut to " << length << " of " << whole.size();
        }
    }
}

std::string big_endian(std::uint32_t value) {
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8)
        out += static_cast<char>((value >> static_cast<unsigned>(shift)) & 0xffU);
    return out;
}

/// A PNG whose header claims this size; the checksum is right, so that the size is what is judged.
std::string png_claiming(std::uint32_t width, std::uint32_t height) {
    using namespace std::string_literals;
    const auto chunk = [](const std::string& name, const std::string& data) {
        std::uint32_t crc = 0xffffffffU;
        for (const char c : name + data) {
            crc ^= static_cast<unsigned char>(c);
            for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xedb88320U : 0U);
        }
        return big_endian(static_cast<std::uint32_t>(data.size())) + name + data + big_endian(~crc);
    };
    return "\x89PNG\r\n\x1a\n"s +
           chunk("IHDR", big_endian(width) + big_endian(height) + "\x08\x06\x00\x00\x00"s) +
           chunk("IDAT", "\x78\x9c\x03\x00\x00\x00\x00\x01"s) + chunk("IEND", "");
}

TEST_F(PictureTest, a_header_that_claims_too_much_is_refused_before_anything_is_decoded) {
    write_file(folder / "wide.png", png_claiming(2'000'000'000, 1));
    write_file(folder / "huge.png", png_claiming(30'000, 30'000));
    EXPECT_TRUE(inspect_code("wide.png") == "imaging.too_large" ||
                inspect_code("wide.png") == "imaging.broken");
    EXPECT_EQ(inspect_code("huge.png"), "imaging.too_large");
    EXPECT_EQ(thumbnail_code("huge.png"), "imaging.too_large");

    using namespace std::string_literals;
    write_file(folder / "huge.gif", "GIF89a\xff\x7f\xff\x7f\xf0\x00\x00"s + std::string(6, '\0') +
                                        ",\0\0\0\0\xff\x7f\xff\x7f\0\x02\x02\x4c\x01\0;"s);
    EXPECT_EQ(inspect_code("huge.gif"), "imaging.too_large");
    // JPEG: the frame header of a small picture, forged.
    save_picture(two_halves(60, 40).get(), folder / "a.jpg");
    auto jpeg = read_file(folder / "a.jpg");
    const auto frame = jpeg.find("\xff\xc0\x00\x11"s);
    ASSERT_NE(frame, std::string::npos);
    jpeg.replace(frame + 5, 4, "\x7f\xff\x7f\xff");
    write_file(folder / "huge.jpg", jpeg);
    EXPECT_EQ(inspect_code("huge.jpg"), "imaging.too_large");
    // WebP: the canvas of an extended file.
    write_file(folder / "huge.webp", "RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\xff\x00\xff\xff\x00"s);
    EXPECT_TRUE(inspect_code("huge.webp") == "imaging.too_large" ||
                inspect_code("huge.webp") == "imaging.broken");
}

TEST_F(PictureTest, a_header_that_claims_more_than_the_file_holds_is_broken) {
    write_file(folder / "a.png", png_claiming(4000, 4000));
    EXPECT_EQ(inspect_code("a.png"), "image/png");
    EXPECT_EQ(thumbnail_code("a.png"), "imaging.broken");
}

TEST_F(PictureTest, one_type_dressed_as_another_is_refused) {
    using namespace std::string_literals;
    // A PNG's first bytes and a JPEG's body, and the other way round.
    save_picture(two_halves(60, 40).get(), folder / "a.jpg");
    save_picture(two_halves(60, 40).get(), folder / "a.png");
    write_file(folder / "b", "\x89PNG\r\n\x1a\n"s + read_file(folder / "a.jpg"));
    write_file(folder / "c", "\xff\xd8\xff"s + read_file(folder / "a.png"));
    write_file(folder / "d",
               "\0\0\0\x1c"
               "ftypheic\0\0\0\0mif1heic"s +
                   read_file(folder / "a.png"));
    for (const char* name : {"b", "c", "d"}) {
        const auto code = thumbnail_code(name);
        EXPECT_TRUE(code == "imaging.broken" || code == "imaging.not_a_picture") << name << " " << code;
    }
}

TEST_F(PictureTest, any_damage_gives_an_answer) {
    unsigned seed = 20240601;
    const auto next = [&seed] { return seed = seed * 1664525U + 1013904223U; };
    const auto image = two_halves(64, 64, 4, 100);
    for (const char* name : {"a.png", "a.jpg", "a.webp", "a.gif", "a.heic"}) {
        ASSERT_TRUE(save_picture(image.get(), folder / name));
        const auto whole = read_file(folder / name);
        for (int round = 0; round < 25; ++round) {
            auto damaged = whole;
            for (int i = 0; i < 4; ++i) damaged[next() % damaged.size()] = static_cast<char>(next() >> 16U);
            write_file(folder / "damaged", damaged);
            const auto made = thumbnail("damaged", {.width = 32, .height = 32});
            if (!made) EXPECT_TRUE(made.error().code.starts_with("imaging.")) << made.error().code;
        }
    }
}

}  // namespace
}  // namespace render
