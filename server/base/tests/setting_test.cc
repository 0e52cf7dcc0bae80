#include <gtest/gtest.h>

#include <base/metrics.h>
#include <base/setting.h>

namespace base {
namespace {

constexpr Setting kRows[] = {
    {"listen", SettingType::text, "127.0.0.1:8008", "", "", false, "Where to listen."},
    {"rate-limits", SettingType::boolean, "on", "", "", false, "Whether clients are slowed."},
    {"registration", SettingType::choice, "invitation", "", "open|invitation|closed", false,
     "Who may register."},
    {"upload-limit", SettingType::integer, "100", "bytes", "", false, "Largest upload."},
};

TEST(Settings, later_sources_win) {
    Settings settings(kRows);
    ASSERT_TRUE(settings.apply_toml("listen = \"a:1\"\nrate_limits = false\n", "file").has_value());
    ASSERT_TRUE(settings.apply_environment({{"LINGXI_LISTEN", "b:2"}, {"PATH", "x"}}).has_value());
    std::vector<std::string> rest;
    const std::string_view arguments[] = {"serve", "--upload-limit=7", "--registration", "open"};
    ASSERT_TRUE(settings.apply_arguments(arguments, rest).has_value());

    EXPECT_EQ(settings.text("listen"), "b:2");
    EXPECT_FALSE(settings.boolean("rate-limits"));
    EXPECT_EQ(settings.integer("upload-limit"), 7);
    EXPECT_EQ(settings.text("registration"), "open");
    EXPECT_EQ(rest, std::vector<std::string>{"serve"});
}

TEST(Settings, unknown_names_and_bad_values_are_refused_with_a_code) {
    Settings settings(kRows);
    std::vector<std::string> rest;
    const auto refused = [&](std::string_view argument) {
        const std::string_view arguments[] = {argument};
        const auto done = settings.apply_arguments(arguments, rest);
        return done ? std::string() : done.error().code;
    };
    EXPECT_EQ(refused("--nonsense=1"), "base.unknown_setting");
    EXPECT_EQ(refused("--upload-limit=-1"), "base.bad_setting");
    EXPECT_EQ(refused("--upload-limit=9x"), "base.bad_setting");
    EXPECT_EQ(refused("--registration=maybe"), "base.bad_setting");
    EXPECT_EQ(refused("--rate-limits=often"), "base.bad_setting");
    EXPECT_EQ(refused("--listen"), "base.bad_setting");
    EXPECT_EQ(settings.apply_toml("listen = ", "file").error().code, "base.bad_setting");
}

TEST(Settings, variables_that_no_setting_has_are_refused_unless_they_are_somebody_elses) {
    Settings settings(kRows);
    const auto refusal = [&](const std::string& name, const std::string& value = "x") {
        const std::string_view others[] = {"LINGXI_BUILD"};
        const auto done = settings.apply_environment({{name, value}}, others);
        return done ? std::string() : done.error().code + " " + done.error().message;
    };
    const auto words = refusal("LINGXI_LISTN");
    EXPECT_NE(words.find("base.unknown_setting"), std::string::npos) << words;
    EXPECT_NE(words.find("'LINGXI_LISTN'; did you mean 'LINGXI_LISTEN'?"), std::string::npos) << words;
    EXPECT_NE(refusal("LINGXI_"), "");
    EXPECT_NE(refusal("LINGXI_LISTEN_TOO"), "");
    EXPECT_NE(refusal("LINGXI_listen"), "");
    EXPECT_NE(refusal("LINGXI_PORT", "8008"), "");
    EXPECT_NE(refusal("LINGXI_PORT_"), "");
    for (const auto* name :
         {"LINGXI_BUILD", "lingxi_listn", "LINGXI", "XLINGXI_LISTN", "LINGXI_SERVICE_HOST",
          "LINGXI_SERVICE_PORT", "LINGXI_SERVICE_PORT_HTTP", "LINGXI_PORT_8008_TCP_ADDR"}) {
        EXPECT_EQ(refusal(name), "");
    }
    EXPECT_EQ(refusal("LINGXI_PORT", "tcp://10.0.0.1:8008"), "");
    // Of a service "lingxi-metrics".
    EXPECT_EQ(refusal("LINGXI_METRICS_PORT", "tcp://10.0.0.2:9008"), "");
    EXPECT_NE(refusal("LINGXI_METRICS_PORT", "9008"), "");
    for (const auto* name : {"LINGXI_METRICS_SERVICE_HOST", "LINGXI_METRICS_SERVICE_PORT_HTTP",
                             "LINGXI_METRICS_PORT_9008_TCP", "LINGXI_METRICS_PORT_9008_TCP_PROTO"}) {
        EXPECT_EQ(refusal(name), "");
    }
    EXPECT_FALSE(settings.is_set("listen"));
}

TEST(Metrics, text_is_prometheus_with_escaped_labels) {
    Metrics metrics;
    metrics.counter("sends_total", "Sends.", {{"kind", "a\"b"}}).add(3);
    metrics.histogram("seconds", "Time.", {0.1, 1}).observe(0.5);
    const std::string text = metrics.text();
    EXPECT_NE(text.find("sends_total{kind=\"a\\\"b\"} 3\n"), std::string::npos);
    EXPECT_NE(text.find("seconds_bucket{le=\"0.1\"} 0\n"), std::string::npos);
    EXPECT_NE(text.find("seconds_bucket{le=\"1\"} 1\n"), std::string::npos);
    EXPECT_NE(text.find("seconds_bucket{le=\"+Inf\"} 1\n"), std::string::npos);
}

}  // namespace
}  // namespace base
