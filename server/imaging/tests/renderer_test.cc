// Core's side against a render that answers as it likes.
#include <fcntl.h>
#include <sys/socket.h>

#include <array>

#include <gtest/gtest.h>

#include <imaging/protocol.h>
#include <imaging/renderer.h>
#include <runtime/task_group.h>

namespace imaging {
namespace {

using runtime::Runtime;
using runtime::Task;

wire::Descriptor file() {
    return wire::Descriptor(::open("/dev/null", O_RDWR | O_CLOEXEC));
}

struct Outcome {
    base::Result<Picture> picture = base::fail(base::ErrorKind::internal, "test.none", "");
    base::Result<Thumbnail> thumbnail = base::fail(base::ErrorKind::internal, "test.none", "");
};

Task<void> ask_both(Runtime& runtime, wire::Service service, Outcome& outcome) {
    std::array<int, 2> fds{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), 0);
    wire::Peer peer(runtime);
    peer.attach(fds[0]);
    auto render = std::make_unique<wire::Channel>(runtime, fds[1], std::move(service));
    Renderer renderer(peer);
    EXPECT_TRUE(renderer.is_up());
    outcome.picture = co_await renderer.inspect(file());
    outcome.thumbnail = co_await renderer.thumbnail(file(), {.width = 100, .height = 80}, file());
    co_await render->stop();
    co_await peer.stop();
    runtime.stop();
}

/// What core makes of a render that says "begun" and then `answer` to everything.
Outcome after(const std::string& answer) {
    Runtime runtime;
    Outcome outcome;
    runtime::TaskGroup group(runtime, "test");
    const wire::Service service = [&answer](std::string, wire::Message, wire::ServedCall& call) {
        return [](const std::string& text, wire::ServedCall& c) -> Task<base::Result<void>> {
            const auto begun = co_await c.send({std::string(kBegun), {}});
            if (!begun) co_return base::fail(begun.error());
            co_return co_await c.send({text, {}});
        }(answer, call);
    };
    group.spawn(ask_both(runtime, service, outcome));
    runtime.run();
    return outcome;
}

/// What core makes of a render that answers with this error, before or after it has begun.
Outcome after_error(const std::string& code, bool begins) {
    Runtime runtime;
    Outcome outcome;
    runtime::TaskGroup group(runtime, "test");
    const wire::Service service = [&code, begins](std::string, wire::Message, wire::ServedCall& call) {
        return
            [](const std::string& c, bool says_begun, wire::ServedCall& served) -> Task<base::Result<void>> {
                if (says_begun) {
                    const auto begun = co_await served.send({std::string(kBegun), {}});
                    if (!begun) co_return base::fail(begun.error());
                }
                co_return base::fail(base::ErrorKind::invalid, c, "");
            }(code, begins, call);
    };
    group.spawn(ask_both(runtime, service, outcome));
    runtime.run();
    return outcome;
}

TEST(Renderer, reads_what_render_answers) {
    const auto picture = after(R"({"mime_type":"image/png","width":30,"height":40,"pages":2})").picture;
    ASSERT_TRUE(picture.has_value());
    EXPECT_EQ(picture->mime_type, "image/png");
    EXPECT_EQ(picture->width, 30);
    EXPECT_EQ(picture->height, 40);
    EXPECT_EQ(picture->pages, 2);
    const auto thumbnail = after(R"({"mime_type":"image/jpeg","width":30,"height":40})").thumbnail;
    ASSERT_TRUE(thumbnail.has_value());
    EXPECT_EQ(thumbnail->mime_type, "image/jpeg");
}

TEST(Renderer, believes_no_answer_that_cannot_be) {
    for (const char* lie :
         {"", "{", "[]", "{}", R"({"mime_type":"text/html","width":30,"height":40,"pages":1})",
          R"({"mime_type":"image/png","width":0,"height":40,"pages":1})",
          R"({"mime_type":"image/png","width":30,"height":-4,"pages":1})",
          R"({"mime_type":"image/png","width":30,"height":400000,"pages":1})",
          R"({"mime_type":"image/png","width":"30","height":40,"pages":1})"}) {
        const auto outcome = after(lie);
        ASSERT_FALSE(outcome.picture.has_value()) << lie;
        EXPECT_EQ(outcome.picture.error().code, "imaging.bad_message") << lie;
        ASSERT_FALSE(outcome.thumbnail.has_value()) << lie;
        EXPECT_EQ(outcome.thumbnail.error().code, "imaging.bad_message") << lie;
    }
    // 100 × 80 was asked for; a GIF is never made.
    EXPECT_FALSE(after(R"({"mime_type":"image/jpeg","width":101,"height":40})").thumbnail.has_value());
    EXPECT_FALSE(after(R"({"mime_type":"image/gif","width":10,"height":10})").thumbnail.has_value());
}

TEST(Renderer, passes_only_codes_of_imaging_on) {
    EXPECT_EQ(after_error("imaging.broken", true).picture.error().code, "imaging.broken");
    EXPECT_EQ(after_error("imaging.busy", false).picture.error().code, "imaging.busy");
    EXPECT_EQ(after_error("M_UNKNOWN_TOKEN", true).picture.error().code, "imaging.died");
    EXPECT_EQ(after_error("M_UNKNOWN_TOKEN", false).picture.error().code, "imaging.away");
}

TEST(Renderer, a_picture_whose_time_went_in_waiting_is_late_though_it_was_begun) {
    EXPECT_EQ(after_error("wire.deadline", true).picture.error().code, "imaging.late");
    EXPECT_EQ(after_error("wire.deadline", true).thumbnail.error().code, "imaging.late");
    EXPECT_EQ(after_error("wire.deadline", false).picture.error().code, "imaging.late");
}

TEST(Renderer, is_away_while_there_is_none) {
    Runtime runtime;
    runtime::TaskGroup group(runtime, "test");
    std::string code;
    group.spawn([](Runtime& r, std::string& c) -> Task<void> {
        wire::Peer peer(r);
        Renderer renderer(peer);
        EXPECT_FALSE(renderer.is_up());
        c = (co_await renderer.inspect(file())).error().code;
        r.stop();
    }(runtime, code));
    runtime.run();
    EXPECT_EQ(code, "imaging.away");
}

TEST(Protocol, refuses_requests_out_of_bounds) {
    EXPECT_TRUE(decode_request(encode(ThumbnailRequest{2048, 1, Method::crop})).has_value());
    EXPECT_FALSE(decode_request(encode(ThumbnailRequest{2049, 1, Method::crop})).has_value());
    EXPECT_FALSE(decode_request(encode(ThumbnailRequest{0, 1, Method::scale})).has_value());
    EXPECT_FALSE(decode_request(R"({"width":1,"height":1,"method":"stretch"})").has_value());
}

}  // namespace
}  // namespace imaging
