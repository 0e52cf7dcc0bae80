#include <gtest/gtest.h>

#include <base/crypto.h>
#include <base/encoding.h>
#include <base/json.h>

namespace base {
namespace {

TEST(Encoding, base64_is_unpadded_and_reads_both_forms) {
    EXPECT_EQ(base64_encode(as_bytes("fo")), "Zm8");
    EXPECT_EQ(base64url_encode(as_bytes("\xfb\xff")), "-_8");
    EXPECT_EQ(*base64_decode("Zm8="), Bytes({'f', 'o'}));
    EXPECT_EQ(*base64_decode("Zm8"), Bytes({'f', 'o'}));
    EXPECT_FALSE(base64_decode("Zm8*").has_value());
}

TEST(Encoding, utf8_refuses_overlong_forms_surrogates_and_cut_characters) {
    EXPECT_TRUE(is_utf8("灵犀 Lingxi 🐉"));
    EXPECT_FALSE(is_utf8("\xc0\xaf"));
    EXPECT_FALSE(is_utf8("\xed\xa0\x80"));
    EXPECT_FALSE(is_utf8("\xf4\x90\x80\x80"));
    EXPECT_FALSE(is_utf8("\xe7\x81"));
    EXPECT_EQ(utf8_prefix("灵犀", 5), "灵");
}

TEST(Encoding, percent_decoding_refuses_a_cut_escape) {
    EXPECT_EQ(*percent_decode("%E7%81%B5"), "灵");
    EXPECT_EQ(*percent_decode("a%2Fb"), "a/b");
    EXPECT_FALSE(percent_decode("%4").has_value());
    EXPECT_FALSE(percent_decode("%zz").has_value());
    EXPECT_EQ(percent_encode("a b/灵"), "a%20b%2F%E7%81%B5");
}

TEST(Crypto, hashes_what_FIPS_180_hashes_whole_and_in_pieces) {
    initialise_crypto();
    constexpr std::string_view kText = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    constexpr std::string_view kDigest = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
    EXPECT_EQ(hex_encode(sha256(kText)), kDigest);
    EXPECT_EQ(hex_encode(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    Sha256Stream stream;
    for (int again = 0; again < 2; ++again) {
        for (const char& c : kText) stream.update(as_bytes({&c, 1}));
        EXPECT_EQ(hex_encode(stream.finish()), kDigest);
    }
}

TEST(Crypto, signs_what_the_matrix_appendix_signs) {
    initialise_crypto();
    // Appendix "Signing JSON", test vectors: seed, the signature of "{}" is over its canonical form.
    const auto seed = base64_decode("YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1");
    ASSERT_TRUE(seed.has_value());
    std::array<std::uint8_t, 32> bytes{};
    std::copy(seed->begin(), seed->end(), bytes.begin());
    const SigningKey key = SigningKey::from_seed(bytes);
    EXPECT_EQ(base64_encode(key.sign("{}")),
              "K8280/U9SSy9IVtjBuVeLr+HpOB4BQFWbg+UZaADMtTdGYI7Geitb76LTrr5QV/7Xg4ahLwYGYZzuHGZKM5ZAQ");
    EXPECT_TRUE(verify_ed25519(key.public_key(), "{}", key.sign("{}")));
    EXPECT_FALSE(verify_ed25519(key.public_key(), "{ }", key.sign("{}")));
}

TEST(Crypto, a_password_verifies_against_its_own_hash_only) {
    initialise_crypto();
    const std::string phc = hash_password("correct horse", {.operations = 1, .memory_bytes = 8192 * 16});
    EXPECT_TRUE(phc.starts_with("$argon2id$"));
    EXPECT_TRUE(verify_password(phc, "correct horse"));
    EXPECT_FALSE(verify_password(phc, "correct house"));
    EXPECT_FALSE(verify_password("not a hash", "correct horse"));
}

TEST(Json, refuses_numbers_that_it_could_not_write_again) {
    for (const std::string_view text : {"1e400", "[-1e400]", "[0e410]", R"({"a":[{"b":1e309}]})"}) {
        const auto value = parse_json(text, 1000);
        ASSERT_FALSE(value) << text;
        EXPECT_EQ(value.error().code, "base.not_json");
    }
    EXPECT_TRUE(parse_json("[1e308,-0.0,1e-400]", 1000));
}

TEST(Json, refuses_depth_size_and_garbage_with_a_code_each) {
    EXPECT_EQ(parse_json("[", 10).error().code, "base.not_json");
    EXPECT_EQ(parse_json(std::string(100, ' '), 10).error().code, "base.json_too_large");
    EXPECT_EQ(parse_json(std::string(70, '[') + std::string(70, ']'), 1000).error().code,
              "base.json_too_deep");
    EXPECT_EQ(parse_json("\"\xff\"", 10).error().code, "base.not_json");
}

}  // namespace
}  // namespace base
