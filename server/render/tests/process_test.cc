// The real executable, locked as it is in service, behind core's client.
#include "test_pictures.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include <gtest/gtest.h>

#include <imaging/protocol.h>
#include <imaging/renderer.h>
#include <render/picture.h>
#include <runtime/runtime.h>
#include <runtime/supervisor.h>
#include <runtime/task_group.h>

namespace render {
namespace {

using runtime::Runtime;
using runtime::Task;

/// Starts lingxi-render as the supervisor does.
class Process {
  public:
    explicit Process(std::vector<std::string> arguments = {}) {
        std::array<int, 2> fds{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::dup2(fds[1], runtime::kWireDescriptor);
            if (fds[1] == runtime::kWireDescriptor) ::fcntl(fds[1], F_SETFD, 0);
            const char* other = std::getenv("LINGXI_RENDER");  // to test a release build
            const char* executable = other != nullptr ? other : LINGXI_RENDER;
            std::vector<char*> words{const_cast<char*>(executable)};
            for (auto& argument : arguments) words.push_back(argument.data());
            words.push_back(nullptr);
            ::execv(executable, words.data());
            ::_exit(127);
        }
        ::close(fds[1]);
        socket_ = fds[0];
    }
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    int take_socket() { return std::exchange(socket_, -1); }
    void kill() const { ::kill(pid_, SIGKILL); }
    void pause() const { ::kill(pid_, SIGSTOP); }
    int wait_for_end() {
        int status = 0;
        ::waitpid(std::exchange(pid_, -1), &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }

  private:
    pid_t pid_ = -1;
    int socket_ = -1;
};

class RenderProcess : public testing::Test {
  protected:
    static void SetUpTestSuite() { ASSERT_TRUE(start_decoders()); }

    /// Runs `body` with a client of the process.
    template <class F>
    void with(Process& process, F body) {
        Runtime runtime;
        wire::Peer peer(runtime);
        peer.attach(process.take_socket());
        imaging::Renderer renderer(peer);
        runtime::TaskGroup group(runtime, "test");
        group.spawn([](Runtime& r, wire::Peer& p, imaging::Renderer& client, F& f,
                       const Folder& files) -> Task<void> {
            co_await f(r, client, files);
            co_await p.stop();
            r.stop();
        }(runtime, peer, renderer, body, folder));
        runtime.run();
    }

    Folder folder;
};

TEST_F(RenderProcess, serves_every_type_while_it_is_locked) {
    const auto image = two_halves(400, 300, 4, 100);
    std::vector<std::string> names{"a.png", "a.jpg", "a.webp", "a.gif", "a.heic", "a.avif"};
    for (const auto& name : names) ASSERT_TRUE(save_picture(image.get(), folder / name)) << name;
    Process process;
    with(process, [&names](Runtime&, imaging::Renderer& renderer, const Folder& files) -> Task<void> {
        for (const auto& name : names) {
            const auto picture = co_await renderer.inspect(open_to_read(files / name));
            EXPECT_TRUE(picture.has_value()) << name << " " << picture.error().code;
            if (picture) EXPECT_EQ(picture->width, 400) << name;
            const auto made = co_await renderer.thumbnail(
                open_to_read(files / name), {.width = 80, .height = 80}, open_to_write(files / "out"));
            EXPECT_TRUE(made.has_value()) << name << " " << made.error().code;
            if (made) EXPECT_EQ(made->width, 80) << name;
            EXPECT_EQ(imaging::sniff_picture_type(read_file(files / "out")), made ? made->mime_type : "")
                << name;
        }
    });
    EXPECT_EQ(process.wait_for_end(), 0);  // its core has gone
}

Task<void> make_one(imaging::Renderer& renderer, std::filesystem::path picture, std::filesystem::path output,
                    std::vector<std::string>& outcomes) {
    const auto made = co_await renderer.thumbnail(open_to_read(picture), {.width = 80, .height = 80},
                                                  open_to_write(output));
    outcomes.push_back(made ? made->mime_type : made.error().code);
}

TEST_F(RenderProcess, many_at_once_are_all_answered_and_bad_ones_harm_nobody) {
    ASSERT_TRUE(save_picture(two_halves(400, 300).get(), folder / "good.png"));
    write_file(folder / "bad.png", read_file(folder / "good.png").substr(0, 60));
    Process process;
    with(process, [](Runtime& runtime, imaging::Renderer& renderer, const Folder& files) -> Task<void> {
        std::vector<std::string> outcomes;
        runtime::TaskGroup group(runtime, "callers");
        for (int i = 0; i < 90; ++i) {
            const auto* name = i % 2 == 0 ? "good.png" : "bad.png";
            group.spawn(make_one(renderer, files / name, files / ("out" + std::to_string(i)), outcomes));
        }
        EXPECT_TRUE(co_await group.wait(std::chrono::seconds(100)));
        const auto good = std::ranges::count(outcomes, "image/jpeg");
        const auto bad = std::ranges::count(outcomes, "imaging.broken");
        const auto busy = std::ranges::count(outcomes, "imaging.busy");
        // One at work and 64 that wait; the others are told at once, and may come again.
        EXPECT_EQ(good + bad + busy, 90);
        EXPECT_GE(good + bad, 65);
        EXPECT_GE(good, 20);
        EXPECT_GE(bad, 20);
    });
}

TEST_F(RenderProcess, ends_itself_over_a_picture_that_takes_too_long) {
    ASSERT_TRUE(save_picture(two_halves(3000, 2250).get(), folder / "slow.png"));
    Process process({"--job-limit-ms", "1"});
    with(process, [](Runtime&, imaging::Renderer& renderer, const Folder& files) -> Task<void> {
        const auto made = co_await renderer.thumbnail(
            open_to_read(files / "slow.png"), {.width = 80, .height = 80}, open_to_write(files / "out"));
        EXPECT_FALSE(made.has_value());
        if (!made) EXPECT_EQ(made.error().code, "imaging.died");
    });
    EXPECT_EQ(process.wait_for_end(), 75);
}

TEST_F(RenderProcess, begins_no_picture_that_core_may_give_up_amid_the_work) {
    ASSERT_TRUE(save_picture(two_halves(40, 30).get(), folder / "a.png"));
    Process process(
        {"--job-limit-ms", std::to_string(std::chrono::milliseconds(imaging::kCallLimit).count())});
    with(process, [](Runtime&, imaging::Renderer& renderer, const Folder& files) -> Task<void> {
        const auto made = co_await renderer.inspect(open_to_read(files / "a.png"));
        EXPECT_FALSE(made.has_value());
        if (!made) EXPECT_EQ(made.error().code, "imaging.late");
    });
}

TEST_F(RenderProcess, a_call_whose_turn_had_not_come_is_not_blamed_for_its_end) {
    ASSERT_TRUE(save_picture(two_halves(40, 30).get(), folder / "a.png"));
    Process process;
    process.pause();
    with(process, [&process](Runtime&, imaging::Renderer& renderer, const Folder& files) -> Task<void> {
        process.kill();
        const auto made = co_await renderer.inspect(open_to_read(files / "a.png"));
        EXPECT_FALSE(made.has_value());
        if (!made) EXPECT_EQ(made.error().code, "imaging.away");
    });
}

TEST_F(RenderProcess, ends_when_its_core_goes_before_there_was_work) {
    Process process;
    ::close(process.take_socket());
    EXPECT_EQ(process.wait_for_end(), 0);
}

TEST_F(RenderProcess, refuses_arguments_that_it_does_not_know) {
    Process process({"--help"});
    ::close(process.take_socket());
    EXPECT_EQ(process.wait_for_end(), 64);
}

}  // namespace
}  // namespace render
