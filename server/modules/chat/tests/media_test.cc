// Media over a real database and real files; only render is played, at the other end of a real wire.
#include "house.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include <gtest/gtest.h>

#include <base/crypto.h>
#include <chat/media.h>
#include <identity/identity.h>
#include <identity/users.h>
#include <imaging/protocol.h>
#include <runtime/task_group.h>

namespace chat {
namespace {

using namespace std::string_literals;

const std::string kPng = "\x89PNG\r\n\x1a\n"s + std::string("\0\0\0\rIHDR", 8) + std::string(60, 'p');
const std::string kJpeg = "\xff\xd8\xff\xe0"s + std::string(80, 'j');
constexpr std::size_t kPieceBytes = 7;

class Pieces final : public net::BodyReader {
  public:
    explicit Pieces(std::string body) : body_(std::move(body)) {}
    runtime::Task<base::Result<std::span<const std::uint8_t>>> next() override {
        const auto piece = base::as_bytes(std::string_view(body_).substr(at_, kPieceBytes));
        at_ += piece.size();
        co_return piece;
    }

  private:
    std::string body_;
    std::size_t at_ = 0;
};

struct Got {
    int status = 0;
    std::string body;
    net::Headers headers;

    std::string text(std::string_view key) const {
        const auto parsed = base::parse_json(body, 4096);
        return parsed ? std::string(base::get_string(parsed->as_object(), key).value_or("")) : "";
    }
    std::string header(std::string_view name) const { return std::string(headers.get(name).value_or("")); }
};

class MediaHouse : public testing::Test {
  protected:
    MediaHouse() : work_(runtime_.io().get_executor()), peer_(runtime_), renderer_(peer_) {
        base::initialise_crypto();
        directory_ = (std::filesystem::temp_directory_path() / "lingxi-media-XXXXXX").string();
        EXPECT_NE(::mkdtemp(directory_.data()), nullptr);
        auto opened =
            storage::Database::open(runtime_, {.path = std::filesystem::path(directory_) / "test.db"},
                                    {identity::migrations(), migrations()});
        EXPECT_TRUE(opened.has_value());
        database_ = std::move(*opened);
        const auto made =
            await(database_->write({"test"}, [](storage::Transaction& tx) -> base::Result<void> {
                if (auto named = identity::name_server(tx, "x"); !named) return named;
                for (const auto* name : {"one", "two"})  // their numbers, too
                    if (const auto user = identity::create_account(tx, {.localpart = name}); !user)
                        return base::fail(user.error());
                return {};
            }));
        EXPECT_TRUE(made.has_value());
        start();
    }

    ~MediaHouse() override {
        await(media_->stop());
        await(tasks_.stop());
        if (render_) await(render_->stop());
        await(peer_.stop());
        routes_.clear();
        media_.reset();
        database_->close();
        std::error_code ignored;  // a directory that stays behind harms no test
        std::filesystem::remove_all(directory_, ignored);
    }

    void start() {
        media_ = std::make_unique<Media>(runtime_, *database_, clock_, random_, renderer_, news_,
                                         Media::Options{.directory = folder(),
                                                        .upload_limit_bytes = 1000,
                                                        .quota_bytes = 2000,
                                                        .server_name = [] { return "x"s; }});
        routes_ = media_->routes();
        const auto started = await(media_->start());
        ASSERT_TRUE(started.has_value()) << started.error().message;
    }
    void restart() {
        await(media_->stop());
        routes_.clear();
        media_.reset();
        start();
    }

    /// A render that fails with the code, or writes a JPEG.
    void begin_render(std::string failure = {}) {
        std::array<int, 2> fds{};
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), 0);
        peer_.attach(fds[0]);
        render_ = std::make_unique<wire::Channel>(
            runtime_, fds[1], [this, failure](std::string, wire::Message request, wire::ServedCall& call) {
                ++rendered_;
                return play(std::move(request), failure, call);
            });
    }
    static runtime::Task<base::Result<void>> play(wire::Message request, std::string failure,
                                                  wire::ServedCall& call) {
        const auto begun = co_await call.send({std::string(imaging::kBegun), {}});
        if (!begun) co_return base::fail(begun.error());
        if (!failure.empty()) co_return base::fail(base::ErrorKind::invalid, failure, "");
        EXPECT_EQ(::write(request.descriptors.at(1).get(), kJpeg.data(), kJpeg.size()), std::ssize(kJpeg));
        co_return co_await call.send({R"({"mime_type":"image/jpeg","width":30,"height":20})", {}});
    }

    /// A render that dies of the picture that it has begun, as often as said, and then is well; each time it
    /// is back a moment later, as the supervisor starts it.
    void begin_mortal_render(int deaths) {
        if (deaths == 0) return begin_render();
        std::array<int, 2> fds{};
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), 0);
        peer_.attach(fds[0]);
        render_ = std::make_unique<wire::Channel>(
            runtime_, fds[1], [this, deaths](std::string, wire::Message, wire::ServedCall& call) {
                ++rendered_;
                return begin_and_die(deaths, call);
            });
    }
    runtime::Task<base::Result<void>> begin_and_die(int deaths, wire::ServedCall& call) {
        const auto begun = co_await call.send({std::string(imaging::kBegun), {}});
        if (!begun) co_return base::fail(begun.error());
        tasks_.spawn(die_and_come_back(deaths - 1));
        const auto more = co_await call.next();
        co_return base::fail(more.error());
    }
    runtime::Task<void> die_and_come_back(int deaths) {
        co_await render_->stop();
        co_await runtime::sleep_for(std::chrono::milliseconds(50));
        begin_mortal_render(deaths);
    }

    Got call(const std::string& operation, std::vector<std::pair<std::string, std::string>> path,
             std::vector<std::pair<std::string, std::string>> query = {}, std::int64_t user = 1,
             const std::string& body = {}, const std::string& type = {}) {
        net::Request request;
        request.path_values = std::move(path);
        for (auto& [name, value] : query) request.query.add(name, value);
        if (!type.empty()) request.headers.set("Content-Type", type);
        request.principal = net::Principal{.user_id = "@u:x", .user_number = user};
        Pieces pieces(body);
        request.body_reader = &pieces;
        const auto route = std::ranges::find(routes_, operation, &net::Route::operation_id);
        if (route == routes_.end()) throw std::runtime_error("no such route");
        auto response = await(route->handler(std::move(request)));
        Got got{response.status, response.body, response.headers};
        if (response.file) {
            got.body.resize(response.file->size_bytes);
            EXPECT_EQ(::read(response.file->descriptor, got.body.data(), got.body.size()),
                      std::ssize(got.body));
        }
        return got;
    }
    Got upload(const std::string& body, const std::string& type, const std::string& name = {},
               std::int64_t user = 1) {
        std::vector<std::pair<std::string, std::string>> query;
        if (!name.empty()) query.emplace_back("filename", name);
        return call("uploadContent", {}, query, user, body, type);
    }
    static std::string id_of(const Got& got) { return got.text("content_uri").substr("mxc://x/"s.size()); }
    Got download(const std::string& id, const std::string& server = "x") {
        return call("getContentAuthed", {{"serverName", server}, {"mediaId", id}}, {{"timeout_ms", "0"}});
    }
    Got thumbnail(const std::string& id, const std::string& side = "96", const std::string& method = "crop") {
        return call("getContentThumbnailAuthed", {{"serverName", "x"}, {"mediaId", id}},
                    {{"width", side}, {"height", side}, {"method", method}});
    }
    std::filesystem::path folder() const { return std::filesystem::path(directory_) / "media"; }
    std::ptrdiff_t files() const {
        return std::distance(std::filesystem::directory_iterator(folder()),
                             std::filesystem::directory_iterator());
    }

    template <class T>
    T await(runtime::Task<T> task) {
        return chat::await(runtime_, std::move(task));
    }

    std::string directory_;
    runtime::Runtime runtime_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    base::ManualClock clock_;
    base::SystemRandom random_;
    std::unique_ptr<storage::Database> database_;
    wire::Peer peer_;
    imaging::Renderer renderer_;
    std::unique_ptr<wire::Channel> render_;
    runtime::TaskGroup tasks_{runtime_, "test"};
    News news_;
    std::unique_ptr<Media> media_;
    std::vector<net::Route> routes_;
    int rendered_ = 0;
};

TEST_F(MediaHouse, gives_back_what_was_uploaded_with_safe_headers) {
    const auto uploaded = upload(kPng, "text/html", "照片.png");
    ASSERT_EQ(uploaded.status, 200) << uploaded.body;
    const auto got = download(id_of(uploaded));
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.body, kPng);
    EXPECT_EQ(got.header("Content-Type"), "image/png");  // by its bytes, not by what was said
    EXPECT_EQ(got.header("Content-Disposition"),
              "inline; filename=\"__.png\"; filename*=UTF-8''%E7%85%A7%E7%89%87.png");
    EXPECT_EQ(got.header("X-Content-Type-Options"), "nosniff");
    EXPECT_TRUE(got.header("Content-Security-Policy").starts_with("sandbox; default-src 'none'"));
    EXPECT_EQ(got.header("Cross-Origin-Resource-Policy"), "cross-origin");
    EXPECT_TRUE(got.header("Cache-Control").ends_with("immutable"));
}

TEST_F(MediaHouse, sends_what_a_browser_could_run_as_bytes_to_keep) {
    for (const char* type :
         {"text/html", "image/svg+xml", "image/png", "application/xhtml+xml", "text/javascript",
          "application/javascript", "text/javascript1.5", "application/xml", "text/xml; charset=utf-8",
          "text/css", "application/rss+xml", "multipart/x-mixed-replace", "nonsense", "text/html\r\nX: y"}) {
        const auto got = download(id_of(upload("<script>alert(1)</script>", type)));
        EXPECT_EQ(got.header("Content-Type"), "application/octet-stream") << type;
        EXPECT_EQ(got.header("Content-Disposition"), "attachment") << type;
    }
    const auto text = download(id_of(upload("hello", "text/plain; charset=UTF-8", "a\"b\r\n.txt")));
    EXPECT_EQ(text.header("Content-Type"), "text/plain; charset=utf-8");
    EXPECT_EQ(text.header("Content-Disposition"), "inline; filename=\"a_b.txt\"; filename*=UTF-8''a%22b.txt");
}

TEST_F(MediaHouse, names_what_nothing_runs_as_its_uploader_did) {
    for (const char* type : {"application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                             "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                             "application/postscript", "application/pdf", "application/zip", "image/bmp",
                             "image/tiff", "message/rfc822", "text/calendar"}) {
        const auto got = download(id_of(upload("bytes", type)));
        EXPECT_EQ(got.header("Content-Type"), type);
        EXPECT_EQ(got.header("Content-Disposition"), "attachment") << type;
        EXPECT_EQ(got.header("X-Content-Type-Options"), "nosniff");
        EXPECT_TRUE(got.header("Content-Security-Policy").starts_with("sandbox; default-src 'none'"));
    }
}

TEST_F(MediaHouse, keeps_the_same_bytes_once_until_the_last_owner_is_erased) {
    const auto mine = id_of(upload("the same", "text/plain", "", 1));
    const auto theirs = id_of(upload("the same", "text/plain", "", 2));
    EXPECT_EQ(files(), 1);
    ASSERT_TRUE(await(media_->erase_user({1})).has_value());
    EXPECT_EQ(download(mine).status, 404);
    EXPECT_EQ(download(theirs).body, "the same");
    ASSERT_TRUE(await(media_->erase_user({2})).has_value());
    EXPECT_EQ(download(theirs).status, 404);
    EXPECT_EQ(files(), 0);
}

TEST_F(MediaHouse, refuses_a_file_that_is_too_large_and_leaves_nothing) {
    const auto got = upload(std::string(1001, 'x'), "text/plain");
    EXPECT_EQ(got.status, 413);
    EXPECT_EQ(got.text("errcode"), "M_TOO_LARGE");
    EXPECT_EQ(files(), 0);
}

/// Comes while its sender's account ends.
class LastPiece final : public net::BodyReader {
  public:
    LastPiece(storage::Database& database, std::int64_t user) : database_(database), user_(user) {}
    runtime::Task<base::Result<std::span<const std::uint8_t>>> next() override {
        if (std::exchange(is_given_, true)) co_return std::span<const std::uint8_t>{};
        const auto ended = co_await database_.write(
            {"test"}, [user = user_](storage::Transaction& tx) -> base::Result<void> {
                tx.prepare("UPDATE identity_accounts SET deactivated_at_ms = 1 WHERE user_number = ?1")
                    .bind(user)
                    .run();
                return {};
            });
        EXPECT_TRUE(ended);
        co_return base::as_bytes("too late");
    }

  private:
    storage::Database& database_;
    std::int64_t user_;
    bool is_given_ = false;
};

TEST_F(MediaHouse, keeps_nothing_that_ends_after_its_account) {
    const auto promised = id_of(call("createContent", {}));
    for (const std::string operation : {"uploadContent", "uploadContentToMXC"}) {
        net::Request request;
        request.path_values = {{"serverName", "x"}, {"mediaId", promised}};
        request.principal = net::Principal{.user_id = "@one:x", .user_number = 1};
        LastPiece body(*database_, 1);
        request.body_reader = &body;
        const auto route = std::ranges::find(routes_, operation, &net::Route::operation_id);
        const auto response = await(route->handler(std::move(request)));
        EXPECT_EQ(response.status, 401) << operation;
        EXPECT_NE(response.body.find("M_UNKNOWN_TOKEN"), std::string::npos);
        EXPECT_EQ(files(), 0) << operation;
    }
}

TEST_F(MediaHouse, refuses_what_is_over_the_quota_of_its_person_alone) {
    EXPECT_EQ(upload(std::string(1000, 'a'), "text/plain").status, 200);
    EXPECT_EQ(upload(std::string(900, 'b'), "text/plain").status, 200);
    const auto over = upload(std::string(101, 'c'), "text/plain");
    EXPECT_EQ(over.status, 403);
    EXPECT_EQ(over.text("errcode"), "M_FORBIDDEN");
    EXPECT_EQ(files(), 2);
    EXPECT_EQ(upload(std::string(101, 'c'), "text/plain", "", 2).status, 200);
}

TEST_F(MediaHouse, takes_what_was_promised_once_and_from_its_maker) {
    const auto created = call("createContent", {});
    const auto id = id_of(created);
    const auto put = [&](std::int64_t user) {
        return call("uploadContentToMXC", {{"serverName", "x"}, {"mediaId", id}}, {}, user, "late",
                    "text/plain");
    };
    const auto early = download(id);
    EXPECT_EQ(early.status, 504);
    EXPECT_EQ(early.text("errcode"), "M_NOT_YET_UPLOADED");
    EXPECT_EQ(put(2).text("errcode"), "M_FORBIDDEN");
    EXPECT_EQ(put(1).status, 200);
    EXPECT_EQ(download(id).body, "late");
    const auto again = put(1);
    EXPECT_EQ(again.status, 409);
    EXPECT_EQ(again.text("errcode"), "M_CANNOT_OVERWRITE_MEDIA");
}

TEST_F(MediaHouse, forgets_promises_after_a_day_and_limits_open_ones) {
    const auto id = id_of(call("createContent", {}));
    for (int i = 1; i < 20; ++i) EXPECT_EQ(call("createContent", {}).status, 200);
    EXPECT_EQ(call("createContent", {}).text("errcode"), "M_LIMIT_EXCEEDED");
    clock_.advance(std::chrono::hours(25));
    EXPECT_EQ(download(id).status, 404);
    EXPECT_EQ(call("uploadContentToMXC", {{"serverName", "x"}, {"mediaId", id}}, {}, 1, "late").status, 404);
    EXPECT_EQ(call("createContent", {}).status, 200);
}

TEST_F(MediaHouse, knows_no_other_servers_and_no_paths) {
    const auto id = id_of(upload("hello", "text/plain"));
    EXPECT_EQ(download(id, "elsewhere").text("errcode"), "M_NOT_FOUND");
    for (const char* bad : {"../test.db", "..", "/etc/passwd", "a/b", "", "a\0b"})
        EXPECT_EQ(download(bad).text("errcode"), "M_NOT_FOUND") << bad;
}

TEST_F(MediaHouse, makes_a_thumbnail_once_for_each_size_of_its_list) {
    begin_render();
    const auto id = id_of(upload(kPng, "image/png"));
    EXPECT_EQ(rendered_, 0);
    const auto got = thumbnail(id);
    ASSERT_EQ(got.status, 200) << got.body;
    EXPECT_EQ(got.body, kJpeg);
    EXPECT_EQ(got.header("Content-Type"), "image/jpeg");
    EXPECT_EQ(got.header("Content-Disposition"), "inline; filename=\"thumbnail.jpeg\"");
    EXPECT_EQ(thumbnail(id, "90").status, 200);  // the same of the list
    EXPECT_EQ(rendered_, 1);
    restart();
    EXPECT_EQ(thumbnail(id).status, 200);
    EXPECT_EQ(rendered_, 1);
    EXPECT_EQ(thumbnail(id, "5000", "scale").status, 200);
    EXPECT_EQ(rendered_, 2);
    ASSERT_TRUE(await(media_->erase_user({1})).has_value());
    EXPECT_EQ(files(), 0);
}

TEST_F(MediaHouse, asks_render_no_more_about_a_picture_that_cannot_be) {
    const auto id = id_of(upload(kPng, "image/png"));
    EXPECT_EQ(thumbnail(id).status, 503);  // render is away: that is nobody's fault
    begin_render("imaging.too_large");
    EXPECT_EQ(thumbnail(id).text("errcode"), "M_TOO_LARGE");
    EXPECT_EQ(thumbnail(id).status, 413);
    EXPECT_EQ(rendered_, 1);
    EXPECT_EQ(files(), 1);
    EXPECT_EQ(download(id).status, 200);
    const auto text = thumbnail(id_of(upload("hello", "image/png")));
    EXPECT_EQ(text.status, 400);
    EXPECT_EQ(text.text("errcode"), "M_UNKNOWN");
    EXPECT_EQ(rendered_, 1);
    EXPECT_EQ(thumbnail(id, "-1").status, 400);
    EXPECT_EQ(thumbnail(id, "1.5").status, 400);
}

TEST_F(MediaHouse, asks_render_no_more_about_a_picture_of_which_it_died_twice) {
    begin_mortal_render(2);
    const auto id = id_of(upload(kPng, "image/png"));
    const auto got = thumbnail(id);
    EXPECT_EQ(got.status, 400);
    EXPECT_EQ(got.text("errcode"), "M_UNKNOWN");
    EXPECT_EQ(rendered_, 2);
    EXPECT_EQ(thumbnail(id).status, 400);
    EXPECT_EQ(rendered_, 2);
}

TEST_F(MediaHouse, makes_the_thumbnail_of_a_picture_at_which_render_was_killed_once) {
    begin_mortal_render(1);
    EXPECT_EQ(thumbnail(id_of(upload(kPng, "image/png"))).status, 200);
    EXPECT_EQ(rendered_, 2);
}

TEST_F(MediaHouse, clears_away_half_written_files_at_the_start) {
    const int fd = ::open((folder() / "new-abc").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    ASSERT_GE(fd, 0);
    ::close(fd);
    const auto id = id_of(upload("hello", "text/plain"));
    EXPECT_EQ(files(), 2);
    restart();
    EXPECT_EQ(files(), 1);
    EXPECT_EQ(download(id).body, "hello");
}

}  // namespace
}  // namespace chat
