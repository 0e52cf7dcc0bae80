#include <gtest/gtest.h>

#include <base/metrics_json.h>

namespace base {
namespace {

/// One family of render's with these members changed.
std::string family(std::string_view name, std::string_view rest) {
    return R"({"families":[{"name":")" + std::string(name) + R"(","help":"Help.",)" + std::string(rest) +
           "}]}";
}

TEST(MetricsJson, what_a_process_hands_over_reads_the_same) {
    Metrics metrics;
    metrics.counter("render_pictures_total", "Pictures.", {{"work", "inspect"}, {"outcome", "made"}}).add(3);
    metrics.counter("render_pictures_total", "Pictures.", {{"work", "thumbnail"}}).add(0.5);
    metrics.gauge("render_waiting", "Who waits,\nand where.").set(-2);
    auto& seconds = metrics.histogram("render_seconds", "Time.", {0.1, 1, 10});
    for (const double value : {0.05, 0.5, 0.5, 100.0}) seconds.observe(value);
    const auto read = read_metrics(metrics_json(metrics.read()), "render");
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(metrics_text(*read), metrics.text());
}

TEST(MetricsJson, nobody_speaks_for_another) {
    constexpr std::string_view kRest = R"("kind":"counter","readings":[{"labels":{},"value":1}])";
    EXPECT_TRUE(read_metrics(family("render_x", kRest), "render").has_value());
    for (const std::string_view name : {"gateway_x", "render", "renders_x", "storage_failed_commits_total",
                                        "", "render_x 1\\nstorage_y", "render_X"}) {
        EXPECT_FALSE(read_metrics(family(name, kRest), "render").has_value()) << name;
    }
}

TEST(MetricsJson, what_cannot_be_is_refused_whole) {
    for (const std::string_view rest :
         {R"("kind":"counter","readings":[])", R"("kind":"summary","readings":[{"labels":{},"value":1}])",
          R"("kind":"counter","readings":[{"labels":{},"value":-1}])",
          R"("kind":"gauge","readings":[{"labels":{},"value":1e999}])",
          R"("kind":"gauge","readings":[{"labels":{},"value":"1"}])",
          R"("kind":"gauge","readings":[{"value":1}])",
          R"("kind":"gauge","readings":[{"labels":{"a":"b\"} 1"},"value":1}])",
          R"("kind":"gauge","readings":[{"labels":{"le":"x"},"value":1}])",
          R"("kind":"gauge","readings":[{"labels":{},"value":1},{"labels":{},"value":2}])",
          R"("kind":"histogram","readings":[{"labels":{},"bounds":[1],"counts":[2,1],"sum":1}])",
          R"("kind":"histogram","readings":[{"labels":{},"bounds":[2,1],"counts":[1,2,3],"sum":1}])",
          R"("kind":"histogram","readings":[{"labels":{},"bounds":[1],"counts":[1],"sum":1}])",
          R"("kind":"histogram","readings":[{"labels":{},"bounds":[1],"counts":[-1,1],"sum":1}])"}) {
        EXPECT_FALSE(read_metrics(family("render_x", rest), "render").has_value()) << rest;
    }
    EXPECT_FALSE(read_metrics("[]", "render").has_value());
    EXPECT_FALSE(read_metrics("nonsense", "render").has_value());
}

TEST(MetricsJson, there_is_a_limit_to_what_is_taken_over) {
    Metrics metrics;
    for (int i = 0; i < 256; ++i) metrics.gauge("render_x", "X.", {{"n", "v" + std::to_string(i)}}).set(i);
    EXPECT_TRUE(read_metrics(metrics_json(metrics.read()), "render").has_value());
    metrics.gauge("render_y", "Y.").set(1);
    EXPECT_FALSE(read_metrics(metrics_json(metrics.read()), "render").has_value());
    EXPECT_EQ(read_metrics(std::string(65 * 1024, ' ') + "{}", "render").error().code, "base.json_too_large");
}

}  // namespace
}  // namespace base
