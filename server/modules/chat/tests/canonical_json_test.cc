#include "event/canonical_json.h"

#include <gtest/gtest.h>

namespace chat {
namespace {

std::string canonical(std::string_view text, Floats floats = Floats::refuse) {
    const auto value = base::parse_json(text, 100'000);
    if (!value) return "unreadable";
    const auto out = canonical_json(*value, floats);
    return out ? *out : out.error().code;
}

// The examples of the specification's appendices.
TEST(CanonicalJson, writes_the_examples_of_the_specification) {
    EXPECT_EQ(canonical("{}"), "{}");
    EXPECT_EQ(canonical(R"({ "one": 1, "two": "Two" })"), R"({"one":1,"two":"Two"})");
    EXPECT_EQ(canonical(R"({"b":"2","a":"1"})"), R"({"a":"1","b":"2"})");
    EXPECT_EQ(
        canonical(
            R"({"auth":{"success":true,"mxid":"@john.doe:example.com","profile":{"display_name":"John Doe",
        "three_pids":[{"medium":"email","address":"john.doe@example.org"},{"medium":"msisdn","address":"123456789"}]}}})"),
        R"({"auth":{"mxid":"@john.doe:example.com","profile":{"display_name":"John Doe","three_pids":[{"address")"
        R"(:"john.doe@example.org","medium":"email"},{"address":"123456789","medium":"msisdn"}]},"success":true}})");
    EXPECT_EQ(canonical(R"({"a":"日本語"})"), R"({"a":"日本語"})");
    EXPECT_EQ(canonical(R"({"本":2,"日":1})"), R"({"日":1,"本":2})");
    EXPECT_EQ(canonical(R"({"a":"\u65E5"})"), R"({"a":"日"})");
    EXPECT_EQ(canonical(R"({"a":null})"), R"({"a":null})");
    EXPECT_EQ(canonical(R"({"a":-0,"b":1e10})", Floats::write_integral), R"({"a":0,"b":10000000000})");
}

TEST(CanonicalJson, escapes_as_little_as_it_can) {
    EXPECT_EQ(canonical(R"(["\u0000\u0001\b\t\n\u000b\f\r\u001f\"\\\/\u007f"])"),
              "[\"\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f\\\"\\\\/\x7f\"]");
}

TEST(CanonicalJson, sorts_by_code_point_and_not_by_utf16_unit) {
    // U+FF61 sorts before U+1F600, whose first UTF-16 unit is smaller.
    EXPECT_EQ(canonical(R"({"😀":1,"｡":2})"), R"({"｡":2,"😀":1})");
}

TEST(CanonicalJson, refuses_numbers_that_it_cannot_hold) {
    EXPECT_EQ(canonical("[9007199254740991]"), "[9007199254740991]");
    EXPECT_EQ(canonical("[-9007199254740991]"), "[-9007199254740991]");
    EXPECT_EQ(canonical("[9007199254740992]"), "M_BAD_JSON");
    EXPECT_EQ(canonical("[-9007199254740992]"), "M_BAD_JSON");
    EXPECT_EQ(canonical("[18446744073709551615]"), "M_BAD_JSON");
    EXPECT_EQ(canonical("[1.5]"), "M_BAD_JSON");
    EXPECT_EQ(canonical("[1e2]"), "M_BAD_JSON");
    EXPECT_EQ(canonical("[1e300]", Floats::write_integral), "M_BAD_JSON");
    EXPECT_EQ(canonical("[0.5]", Floats::write_integral), "M_BAD_JSON");
}

}  // namespace
}  // namespace chat
