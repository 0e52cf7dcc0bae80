#include <gtest/gtest.h>

#include <imaging/renderer.h>

namespace imaging {
namespace {

using namespace std::string_view_literals;

TEST(PictureType, is_told_by_the_first_bytes) {
    EXPECT_EQ(sniff_picture_type("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"sv), "image/png");
    EXPECT_EQ(sniff_picture_type("\xff\xd8\xff\xe1"sv), "image/jpeg");
    EXPECT_EQ(sniff_picture_type("GIF87a"sv), "image/gif");
    EXPECT_EQ(sniff_picture_type("GIF89a"sv), "image/gif");
    EXPECT_EQ(sniff_picture_type("RIFF\x24\0\0\0WEBPVP8X"sv), "image/webp");
    EXPECT_EQ(sniff_picture_type("\0\0\0\x1c"
                                 "ftypheic\0\0\0\0mif1heic"sv),
              "image/heic");
    EXPECT_EQ(sniff_picture_type("\0\0\0\x1c"
                                 "ftypmif1\0\0\0\0mif1heix"sv),
              "image/heic");
    EXPECT_EQ(sniff_picture_type("\0\0\0\x20"
                                 "ftypavif\0\0\0\0avifmif1"sv),
              "image/avif");
}

TEST(PictureType, is_nothing_for_what_we_do_not_decode) {
    EXPECT_EQ(sniff_picture_type(""), "");
    EXPECT_EQ(sniff_picture_type("<svg xmlns=\"http://www.w3.org/2000/svg\"/>"), "");
    EXPECT_EQ(sniff_picture_type("%PDF-1.7"), "");
    EXPECT_EQ(sniff_picture_type("RIFF\x24\0\0\0WAVEfmt "sv), "");
    EXPECT_EQ(sniff_picture_type("\0\0\0\x1c"
                                 "ftypisom\0\0\0\0isommp42"sv),
              "");
    EXPECT_EQ(sniff_picture_type("\xff\xff\xff\xff"
                                 "ftypheic\0\0\0\0"sv),
              "");
    // A brand beyond the box that lists brands is none.
    EXPECT_EQ(sniff_picture_type("\0\0\0\x10"
                                 "ftypisom\0\0\0\0heic"sv),
              "");
    EXPECT_EQ(sniff_picture_type("II*\0"sv), "");
}

}  // namespace
}  // namespace imaging
