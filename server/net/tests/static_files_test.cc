#include "test_server.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include <net/static_files.h>

namespace net::test {
namespace {

class StaticFiles : public testing::Test {
  protected:
    StaticFiles() {
        put("index.html", "<index>");
        put("index.html.br", "<index br>");
        put("index.html.gz", "<index gz>");
        put("setup.html", "<setup>");
        put("invite.html", "<invite>");
        put("reset.html", "<reset>");
        put("sw.js", "worker");
        put("assets/app-1a2b.js", "code");
        put("assets/app-1a2b.js.gz", "code gz");
        put("assets/logo.svg", "<svg>");
        put(".secret", "hidden");
        put("../outside.txt", "outside");
        std::filesystem::create_symlink("../outside.txt", root / "link.txt");
        std::filesystem::create_directory_symlink("..", root / "up");
        server = std::make_unique<TestServer>(std::vector<Route>{}, ServerOptions{}, [this](Server& made) {
            made.set_fallback(static_files(root));
        });
    }
    ~StaticFiles() override {
        server.reset();
        std::filesystem::remove_all(root.parent_path());
    }
    void put(const std::string& name, std::string_view text) {
        std::filesystem::create_directories((root / name).parent_path());
        std::ofstream(root / name) << text;
    }
    Answer fetch(std::string_view path, std::string_view headers = {}) {
        return get(server->port(), path, headers);
    }

    std::filesystem::path root = [] {
        std::string name = (std::filesystem::temp_directory_path() / "net-static-XXXXXX").string();
        return std::filesystem::path(mkdtemp(name.data())) / "web";
    }();
    std::unique_ptr<TestServer> server;
};

TEST_F(StaticFiles, answers_every_place_of_the_application_with_its_page) {
    for (const auto path : {"/", "/index.html", "/rooms/!a:b/x", "/settings/", "/%E4%BD%A0"}) {
        const auto answer = fetch(path);
        // A room's name may hold a dot; then it looks like a file, and that is the client's to avoid.
        EXPECT_EQ(answer.body, "<index>") << path;
        EXPECT_EQ(answer.field("Content-Type"), "text/html; charset=utf-8");
        EXPECT_EQ(answer.field("Cache-Control"), "no-cache");
    }
    EXPECT_EQ(fetch("/setup").body, "<setup>");
    EXPECT_EQ(fetch("/invite").body, "<invite>");
    EXPECT_EQ(fetch("/reset/").body, "<reset>");
    EXPECT_EQ(request(server->port(), "POST", "/", "x").status, 404);
}

TEST_F(StaticFiles, gives_the_smallest_form_that_is_accepted) {
    const auto br = fetch("/", "Accept-Encoding: gzip, br\r\n");
    EXPECT_EQ(br.body, "<index br>");
    EXPECT_EQ(br.field("Content-Encoding"), "br");
    EXPECT_EQ(br.field("Vary"), "Accept-Encoding");
    EXPECT_EQ(fetch("/", "Accept-Encoding: gzip\r\n").body, "<index gz>");
    EXPECT_EQ(fetch("/", "Accept-Encoding: br;q=0\r\n").body, "<index>");
    const auto script = fetch("/assets/app-1a2b.js", "Accept-Encoding: gzip, br\r\n");
    EXPECT_EQ(script.body, "code gz");
    EXPECT_EQ(script.field("Content-Type"), "text/javascript; charset=utf-8");
    EXPECT_NE(br.field("ETag"), fetch("/").field("ETag"));
}

TEST_F(StaticFiles, hashed_assets_are_kept_and_pages_are_asked_for_again) {
    const auto asset = fetch("/assets/app-1a2b.js");
    EXPECT_EQ(asset.field("Cache-Control"), "public, max-age=31536000, immutable");
    const auto page = fetch("/");
    EXPECT_EQ(fetch("/", "If-None-Match: " + page.field("ETag") + "\r\n").status, 304);
    put("index.html", "<new index>");
    EXPECT_EQ(fetch("/", "If-None-Match: " + page.field("ETag") + "\r\n").body, "<new index>");
    EXPECT_EQ(fetch("/sw.js").field("Cache-Control"), "no-cache");
}

TEST_F(StaticFiles, missing_assets_are_missing) {
    for (const auto path : {"/assets/app-0000.js", "/assets/none", "/assets/", "/favicon.ico", "/assets"}) {
        const auto answer = fetch(path);
        EXPECT_EQ(answer.status, 404) << path;
        EXPECT_EQ(answer.field("Cache-Control"), "no-cache") << path;
    }
}

TEST_F(StaticFiles, nothing_outside_or_hidden_is_given_out) {
    for (const auto path :
         {"/../outside.txt", "/%2e%2e/outside.txt", "/..%2foutside.txt", "/assets/../../outside.txt",
          "/assets/..%2f..%2foutside.txt", "/.secret", "/%2esecret", "/link.txt", "/up/outside.txt",
          "//etc/passwd", "/..%5coutside.txt", "/assets/%2e%2e/%2e%2e/outside.txt", "/index.html%00.txt",
          "/./outside.txt", "/%ff.txt"}) {
        const auto answer = fetch(path);
        EXPECT_GE(answer.status, 400) << path;
        EXPECT_EQ(answer.body.find("outside"), std::string::npos) << path;
        EXPECT_EQ(answer.body.find("hidden"), std::string::npos) << path;
    }
}

TEST_F(StaticFiles, carry_strict_security_headers_errors_included) {
    for (const auto path : {"/", "/assets/app-1a2b.js", "/nothing.js"}) {
        const auto answer = fetch(path);
        const auto policy = answer.field("Content-Security-Policy");
        EXPECT_NE(policy.find("default-src 'self'"), std::string::npos);
        EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos);
        EXPECT_EQ(policy.find("unsafe-eval"), std::string::npos);
        EXPECT_EQ(answer.field("X-Content-Type-Options"), "nosniff");
        EXPECT_EQ(answer.field("Referrer-Policy"), "no-referrer");
    }
}

TEST_F(StaticFiles, never_hide_an_unknown_endpoint) {
    EXPECT_EQ(code_of(fetch("/api/unknown")), "net.no_route");
}

}  // namespace
}  // namespace net::test
