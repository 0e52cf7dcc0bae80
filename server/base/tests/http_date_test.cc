#include <gtest/gtest.h>

#include <base/http_date.h>

namespace base {
namespace {

TEST(HttpDate, goes_there_and_back) {
    EXPECT_EQ(format_http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
    for (const std::int64_t at : {0LL, 951782400LL, 1'700'000'000LL, 4'102'444'800LL}) {
        EXPECT_EQ(parse_http_date(format_http_date(at)), at);
    }
    for (const auto bad : {"", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Feb 1994 08:49:37 GMT",
                           "Sun, 06 Nov 1994 25:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                           "Sun, -6 Nov 1994 08:49:37 GMT"}) {
        EXPECT_FALSE(parse_http_date(bad)) << bad;
    }
}

}  // namespace
}  // namespace base
