#include "child.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <runtime/runtime.h>
#include <runtime/signal.h>
#include <runtime/supervisor.h>
#include <runtime/supervisor_link.h>
#include <runtime/task_group.h>

namespace runtime {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

void note(const std::filesystem::path& file, const std::string& line) {
    const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const std::string text = line + "\n";
    EXPECT_GT(::write(fd, text.data(), text.size()), 0);
    ::close(fd);
}

/// A core in small: notes which helper it was connected to, serves "core PID" to whoever connects.
struct TestCore {
    std::filesystem::path events;
    bool ignores_sigterm = false;

    int operator()(CoreStart start) const {
        if (ignores_sigterm) std::signal(SIGTERM, SIG_IGN);
        note(events, start.is_heard ? "core is heard" : "core is not heard");
        Runtime runtime;
        SupervisorLink link(runtime, start.supervisor_fd, [file = events](std::string_view name, int fd) {
            // The helper speaks first, and at once.
            std::array<char, 32> text{};
            const auto count = ::recv(fd, text.data(), text.size(), 0);
            note(file, "attached " + std::string(name) + " " +
                           std::string(text.data(), count > 0 ? static_cast<std::size_t>(count) - 1 : 0));
        });
        TaskGroup group(runtime, "core");
        std::thread server([listeners = start.listeners] {
            while (!listeners.empty()) {
                const int fd = ::accept(listeners[0], nullptr, nullptr);
                const auto text = "core " + std::to_string(::getpid());
                if (::send(fd, text.data(), text.size(), MSG_NOSIGNAL) < 0) return;
                ::close(fd);
            }
        });
        server.detach();
        if (!ignores_sigterm) {
            group.spawn([](Runtime& r) -> Task<void> {
                co_await wait_for_shutdown_signal();
                r.stop();
            }(runtime));
        }
        // After the wait has begun: a signal that comes as soon as we are ready ends us as it should.
        group.spawn([](SupervisorLink& l, bool is_heard) -> Task<void> {
            l.ready(is_heard ? "open the link" : "");
            co_return;
        }(link, start.is_heard));
        runtime.run();
        note(events, "core ended");
        return 0;
    }
};

class SupervisorTest : public testing::Test {
  protected:
    SupervisorTest() {
        char name[] = "/tmp/lingxi_supervisor_XXXXXX";
        root_ = ::mkdtemp(name);
        events_ = root_ / "events";
        std::ofstream(events_).flush();
        // The children of a supervisor that was killed become ours, so that they can be awaited.
        ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    }
    ~SupervisorTest() override {
        if (supervisor_ > 0) {
            ::kill(supervisor_, SIGKILL);
            ::waitpid(supervisor_, nullptr, 0);
        }
        while (::waitpid(-1, nullptr, 0) > 0) {
        }
        std::filesystem::remove_all(root_);
    }

    SupervisorPlan plan(std::vector<std::string> modes) {
        SupervisorPlan out;
        out.core = TestCore{events_};
        int number = 0;
        for (const std::string& mode : modes) {
            std::vector<std::string> arguments{events_.string()};
            std::istringstream words(mode);
            for (std::string word; words >> word;) arguments.push_back(word);
            out.helpers.push_back({.name = "helper" + std::to_string(++number),
                                   .executable = LINGXI_PROBE,
                                   .arguments = arguments});
        }
        out.run_directory = root_ / "run";
        out.writable = {root_};
        out.backoff = {.first = 5ms, .longest = 50ms, .stable = 10s};
        out.on_ready = [file = events_](std::string_view text) { note(file, "ready " + std::string(text)); };
        return out;
    }

    void start(SupervisorPlan plan) {
        supervisor_ = ::fork();
        if (supervisor_ == 0) ::_exit(supervise(std::move(plan)));
    }
    int wait_for_end() {
        int status = 0;
        EXPECT_EQ(::waitpid(std::exchange(supervisor_, -1), &status, 0) > 0, true);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }

    std::vector<std::string> events(std::string_view prefix = "") const {
        std::vector<std::string> found;
        std::ifstream in(events_);
        for (std::string line; std::getline(in, line);) {
            if (line.starts_with(prefix)) found.push_back(line);
        }
        return found;
    }
    /// Waits until `holds`; false after a minute.
    static bool eventually(const std::function<bool()>& holds) {
        for (int i = 0; i < 12'000; ++i) {
            if (holds()) return true;
            std::this_thread::sleep_for(5ms);
        }
        return false;
    }
    json::object processes() const {
        std::ifstream in(root_ / "run" / "processes.json");
        std::stringstream text;
        text << in.rdbuf();
        boost::system::error_code error;
        auto value = json::parse(text.str(), error);
        return value.is_object() ? value.as_object() : json::object{};
    }
    pid_t pid_of(const char* name) const {
        const auto all = processes();
        const auto* pid = all.if_contains(name);
        return pid != nullptr && pid->is_int64() ? static_cast<pid_t>(pid->as_int64()) : -1;
    }
    bool is_up(const char* name) const { return pid_of(name) > 0 && processes()["ready"] == true; }
    /// Whether core has been connected to the process that processes.json names.
    bool is_attached(const char* name) const {
        const auto wanted = "attached " + std::string(name) + " " + std::to_string(pid_of(name));
        const auto seen = events(wanted);
        return !seen.empty();
    }
    static bool is_gone(pid_t pid) {
        ::waitpid(pid, nullptr, WNOHANG);
        return ::kill(pid, 0) != 0;
    }

    static rlim_t first_free_descriptor(pid_t pid) {
        rlim_t number = 0;
        const auto open = std::filesystem::path("/proc") / std::to_string(pid) / "fd";
        while (std::filesystem::is_symlink(open / std::to_string(number))) ++number;
        return number;
    }

    std::filesystem::path root_;
    std::filesystem::path events_;
    pid_t supervisor_ = -1;
};

TEST_F(SupervisorTest, connects_core_with_its_helpers_and_says_once_when_core_serves) {
    start(plan({"serve", "serve"}));
    ASSERT_TRUE(
        eventually([this] { return is_up("core") && is_attached("helper1") && is_attached("helper2"); }));
    EXPECT_EQ(processes()["supervisor"], supervisor_);
    ASSERT_TRUE(eventually([this] { return !events("ready").empty(); }));
    const auto before = pid_of("core");
    ::kill(before, SIGKILL);
    ASSERT_TRUE(eventually([this, before] { return is_up("core") && pid_of("core") != before; }));
    EXPECT_EQ(events("ready"), std::vector<std::string>{"ready open the link"});
    EXPECT_EQ(events("core is"), (std::vector<std::string>{"core is heard", "core is not heard"}));
}

TEST_F(SupervisorTest, a_helper_that_was_killed_is_restarted_and_core_gets_its_new_socket) {
    start(plan({"serve", "serve"}));
    ASSERT_TRUE(
        eventually([this] { return is_up("core") && is_attached("helper1") && is_attached("helper2"); }));
    const auto core = pid_of("core");
    const auto other = pid_of("helper2");
    for (int i = 0; i < 3; ++i) {
        const auto before = pid_of("helper1");
        ::kill(before, SIGKILL);
        ASSERT_TRUE(
            eventually([this, before] { return pid_of("helper1") != before && is_attached("helper1"); }));
    }
    EXPECT_EQ(pid_of("core"), core);
    EXPECT_EQ(pid_of("helper2"), other);
}

TEST_F(SupervisorTest, a_core_that_was_killed_is_restarted_with_its_helpers_and_refuses_nobody_meanwhile) {
    auto with_listener = plan({"serve"});
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), length), 0);
    ASSERT_EQ(::listen(listener, 8), 0);
    ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length), 0);
    with_listener.listeners = {listener};
    with_listener.backoff = {.first = 200ms, .longest = 200ms, .stable = 10s};
    start(std::move(with_listener));
    ::close(listener);
    ASSERT_TRUE(eventually([this] { return is_up("core") && is_attached("helper1"); }));
    const auto core = pid_of("core");
    const auto helper = pid_of("helper1");
    ::kill(core, SIGKILL);
    ASSERT_TRUE(eventually([this, core] { return pid_of("core") != core; }));

    const int client = ::socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(::connect(client, reinterpret_cast<sockaddr*>(&address), length), 0);
    std::array<char, 64> text{};
    const auto count = ::recv(client, text.data(), text.size() - 1, 0);
    ::close(client);
    EXPECT_GT(count, 0);
    EXPECT_NE(std::string(text.data()), "core " + std::to_string(core));
    ASSERT_TRUE(eventually([this, helper] { return pid_of("helper1") != helper && is_attached("helper1"); }));
}

TEST_F(SupervisorTest, who_is_told_that_core_is_ready_finds_it_so_in_the_process_file) {
    auto curious = plan({"serve"});
    curious.on_ready = [file = events_, place = root_ / "run" / "processes.json"](std::string_view) {
        std::ifstream in(place);
        std::string text;
        std::getline(in, text);
        note(file, "found " + text);
    };
    start(std::move(curious));
    ASSERT_TRUE(eventually([this] { return !events("found").empty(); }));
    const auto found = events("found").front();
    EXPECT_NE(found.find("\"ready\":true"), std::string::npos) << found;
    EXPECT_EQ(found.find("null"), std::string::npos) << found;
}

TEST_F(SupervisorTest, a_core_for_which_there_is_no_socket_is_started_later) {
    start(plan({}));
    ASSERT_TRUE(eventually([this] { return is_up("core"); }));
    // One more descriptor, which the process file takes, and no second one.
    rlimit before{};
    ASSERT_EQ(::prlimit(supervisor_, RLIMIT_NOFILE, nullptr, &before), 0);
    const rlimit short_of_one{.rlim_cur = first_free_descriptor(supervisor_) + 1,
                              .rlim_max = before.rlim_max};
    ASSERT_EQ(::prlimit(supervisor_, RLIMIT_NOFILE, &short_of_one, nullptr), 0);
    const auto core = pid_of("core");
    ::kill(core, SIGKILL);
    // The file is written anew when core has ended, and at each try.
    std::filesystem::file_time_type written{};
    int times = 0;
    ASSERT_TRUE(eventually([&] {
        const auto last = std::filesystem::last_write_time(root_ / "run" / "processes.json");
        if (std::exchange(written, last) != last) ++times;
        return times > 4;
    }));
    EXPECT_EQ(events("core is").size(), 1U);
    ASSERT_EQ(::prlimit(supervisor_, RLIMIT_NOFILE, &before, nullptr), 0);
    EXPECT_TRUE(eventually([this, core] { return is_up("core") && pid_of("core") != core; }));
}

TEST_F(SupervisorTest, every_child_dies_with_a_supervisor_that_is_killed) {
    start(plan({"serve", "stubborn"}));
    ASSERT_TRUE(
        eventually([this] { return is_up("core") && is_attached("helper1") && is_attached("helper2"); }));
    const std::array children{pid_of("core"), pid_of("helper1"), pid_of("helper2")};
    ::kill(supervisor_, SIGKILL);
    EXPECT_EQ(wait_for_end(), -SIGKILL);
    for (const pid_t child : children) EXPECT_TRUE(eventually([child] { return is_gone(child); }));
}

TEST_F(SupervisorTest, stops_core_first_and_then_the_helpers) {
    start(plan({"serve", "serve"}));
    ASSERT_TRUE(
        eventually([this] { return is_up("core") && is_attached("helper1") && is_attached("helper2"); }));
    ::kill(supervisor_, SIGTERM);
    EXPECT_EQ(wait_for_end(), 0);
    const auto seen = events();
    ASSERT_FALSE(seen.empty());
    const auto core = std::ranges::find(seen, "core ended");
    EXPECT_NE(core, seen.end());
    EXPECT_EQ(std::find(seen.begin(), core, "helper ended"), core);
    EXPECT_FALSE(std::filesystem::exists(root_ / "run" / "processes.json"));
}

TEST_F(SupervisorTest, what_does_not_stop_within_its_limit_is_killed) {
    auto hung = plan({"stubborn"});
    hung.core = TestCore{events_, true};
    hung.core_stop_limit = 30ms;
    hung.helper_stop_limit = 30ms;
    start(std::move(hung));
    ASSERT_TRUE(eventually([this] { return is_up("core") && is_attached("helper1"); }));
    ::kill(supervisor_, SIGINT);
    EXPECT_EQ(wait_for_end(), 0);
    EXPECT_TRUE(events("core ended").empty());
}

TEST_F(SupervisorTest, a_second_signal_ends_it_at_once) {
    auto hung = plan({"stubborn"});
    hung.core = TestCore{events_, true};
    hung.core_stop_limit = 1h;
    start(std::move(hung));
    ASSERT_TRUE(eventually([this] { return is_up("core"); }));
    // Two that come before it has looked are one to the kernel.
    const auto signal_again = [this] {
        ::kill(supervisor_, SIGINT);
        return ::waitpid(supervisor_, nullptr, WNOHANG) == supervisor_;
    };
    ::kill(supervisor_, SIGINT);
    EXPECT_TRUE(eventually(signal_again));
    supervisor_ = -1;
}

TEST_F(SupervisorTest, a_core_that_is_misconfigured_is_not_restarted) {
    auto bad = plan({"serve"});
    bad.core = [file = events_](CoreStart) {
        note(file, "core began");
        return kExitMisconfigured;
    };
    start(std::move(bad));
    EXPECT_EQ(wait_for_end(), kExitMisconfigured);
    EXPECT_EQ(events("core began").size(), 1U);
}

TEST_F(SupervisorTest, a_core_that_never_serves_is_given_up) {
    auto bad = plan({});
    bad.core = [file = events_](CoreStart) -> int {
        note(file, "core began");
        std::abort();
    };
    bad.attempts_limit = 3;
    start(std::move(bad));
    EXPECT_EQ(wait_for_end(), 70);
    EXPECT_EQ(events("core began").size(), 3U);
}

TEST_F(SupervisorTest, a_helper_that_fails_again_and_again_costs_core_nothing) {
    auto bad = plan({"fail 78", "serve"});
    bad.helpers.push_back({.name = "absent", .executable = "/nonexistent"});
    start(std::move(bad));
    ASSERT_TRUE(eventually(
        [this] { return is_up("core") && is_attached("helper2") && events("helper failed").size() > 4; }));
    EXPECT_EQ(events("core ended").size(), 0U);
    ::kill(supervisor_, SIGTERM);
    EXPECT_EQ(wait_for_end(), 0);
}

TEST_F(SupervisorTest, a_helper_has_its_wire_and_nothing_else_of_ours) {
    ::setenv("LINGXI_TEST_SECRET", "hidden", 1);
    auto bare = plan({"report"});
    bare.helpers[0].environment = {"LANG=C.UTF-8", "ASAN_OPTIONS=detect_leaks=0"};
    const int open_here = ::open("/dev/null", O_RDONLY);  // not close-on-exec
    start(std::move(bare));
    ::close(open_here);
    ASSERT_TRUE(eventually([this] { return !events("environment").empty(); }));
    EXPECT_EQ(events("descriptors"), std::vector<std::string>{"descriptors 0 1 2 3"});
    EXPECT_EQ(events("environment"),
              std::vector<std::string>{"environment LANG=C.UTF-8 ASAN_OPTIONS=detect_leaks=0"});
}

TEST(Backoff, doubles_to_its_longest_and_starts_anew_after_a_stable_run) {
    const Backoff backoff{.first = 50ms, .longest = 300ms, .stable = 10s};
    const Child::Clock::time_point start{};
    Child child{.name = "x", .started_at = start};
    EXPECT_EQ(restart_delay(child, backoff, start + 1s), 50ms);
    EXPECT_EQ(restart_delay(child, backoff, start + 1s), 100ms);
    EXPECT_EQ(restart_delay(child, backoff, start + 1s), 200ms);
    EXPECT_EQ(restart_delay(child, backoff, start + 1s), 300ms);
    EXPECT_EQ(restart_delay(child, backoff, start + 1s), 300ms);
    EXPECT_EQ(restart_delay(child, backoff, start + 10s), 50ms);
}

}  // namespace
}  // namespace runtime
