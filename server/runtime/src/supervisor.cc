#include "child.h"
#include "supervisor_socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <ranges>
#include <utility>

#include <base/log.h>
#include <runtime/sandbox.h>
#include <runtime/supervisor.h>

namespace runtime {
namespace {

using Clock = Child::Clock;
constexpr int kExitSoftware = 70;  // EX_SOFTWARE

class OwnedFd {
  public:
    OwnedFd() = default;
    explicit OwnedFd(int fd) : fd_(fd) {}
    OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    OwnedFd& operator=(OwnedFd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~OwnedFd() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const { return fd_; }

  private:
    int fd_ = -1;
};

/// Two connected ends, or two of -1.
std::pair<OwnedFd, OwnedFd> socket_pair(int type) {
    std::array<int, 2> fds{-1, -1};
    if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds.data()) != 0) {
        base::log_error("supervisor.socketpair_failed", {{"error", std::strerror(errno)}});
    }
    return {OwnedFd(fds[0]), OwnedFd(fds[1])};
}

/// Takes the supervisor's signals as readable bytes for as long as it lives.
class Signals {
  public:
    Signals() {
        sigset_t wanted;
        sigemptyset(&wanted);
        for (const int number : {SIGTERM, SIGINT, SIGCHLD}) sigaddset(&wanted, number);
        struct sigaction hangup{};
        ::sigaction(SIGHUP, nullptr, &hangup);
        if (hangup.sa_handler != SIG_IGN) sigaddset(&wanted, SIGHUP);  // nohup means it
        ::signal(SIGCHLD, SIG_DFL);  // where it was ignored, children would vanish unseen
        ::sigprocmask(SIG_BLOCK, &wanted, &before_);
        fd_ = OwnedFd(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
    }
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;
    ~Signals() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }

    int fd() const { return fd_.get(); }
    const sigset_t& mask_before() const { return before_; }
    /// The next signal that has come, 0 when there is none.
    int take() {
        signalfd_siginfo info{};
        return ::read(fd_.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
    }

  private:
    sigset_t before_{};
    OwnedFd fd_;
};

class Supervision {
  public:
    explicit Supervision(SupervisorPlan plan) : plan_(std::move(plan)) {
        core_.name = "core";
        for (const Helper& helper : plan_.helpers) helpers_.push_back({.name = helper.name});
    }

    int run() {
        core_.start_at = Clock::now();
        for (Child& helper : helpers_) helper.start_at = core_.start_at;
        while (!ended_) {
            step();
            if (!ended_) wait();
        }
        remove_process_file();
        base::log_info("supervisor.ended", {{"exit_code", exit_code_}});
        return exit_code_;
    }

  private:
    /// Does whatever is due now.
    void step() {
        while (const int signal = signals_.take()) {
            if (signal != SIGCHLD) on_stop_signal(signal);
        }
        take_packets();
        reap();
        const auto now = Clock::now();
        if (!stopping_) {
            start_due(now);
        } else {
            advance_stop(now);
        }
        for (Child* child : children()) {
            if (!child->is_running() || !child->kill_at || now < *child->kill_at) continue;
            base::log_warning("supervisor.child_killed", {{"child", child->name}, {"pid", child->pid}});
            ::kill(child->pid, SIGKILL);
            child->kill_at.reset();
        }
        if (processes_changed_) write_process_file();
    }

    void wait() const {
        std::optional<Clock::time_point> next;
        const auto consider = [&next](const std::optional<Clock::time_point>& at) {
            if (at && (!next || *at < *next)) next = at;
        };
        const auto due = [this, &consider](const Child& child) {
            if (child.is_running()) {
                consider(child.kill_at);
            } else if (!stopping_ && (&child == &core_ || core_.is_running())) {
                consider(child.start_at);
            }
        };
        due(core_);
        std::ranges::for_each(helpers_, due);
        int timeout_ms = -1;
        if (next) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - Clock::now()).count();
            timeout_ms = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
        }
        std::array<pollfd, 2> watched{pollfd{signals_.fd(), POLLIN, 0},
                                      pollfd{core_socket_.get(), POLLIN, 0}};
        // A gone core's socket would be readable for ever; its end comes as a signal.
        ::poll(watched.data(), core_.is_running() && !core_hung_up_ ? 2 : 1, timeout_ms);
    }

    std::vector<Child*> children() {
        std::vector<Child*> all{&core_};
        for (Child& helper : helpers_) all.push_back(&helper);
        return all;
    }

    // Starting.

    void start_due(Clock::time_point now) {
        if (!core_.is_running() && core_.start_at && now >= *core_.start_at) start_core(now);
        if (!core_.is_running()) return;  // a helper is nothing without it
        for (std::size_t i = 0; i < helpers_.size(); ++i) {
            if (!helpers_[i].is_running() && helpers_[i].start_at && now >= *helpers_[i].start_at)
                start_helper(i, now);
        }
    }

    void start_core(Clock::time_point now) {
        auto [ours, its] = socket_pair(SOCK_SEQPACKET);
        // Without it core would serve nobody: it could not be told of its helpers.
        if (its.get() < 0) return note_start(core_, -1, now);
        const pid_t pid = fork_child(setup(), [this, fd = its.get()] {
            std::vector<int> kept = plan_.listeners;
            kept.push_back(fd);
            close_descriptors_except(kept);
            return plan_.core({.listeners = plan_.listeners, .supervisor_fd = fd, .is_heard = !ever_ready_});
        });
        core_socket_ = std::move(ours);
        core_hung_up_ = false;
        core_ready_ = false;
        note_start(core_, pid, now);
    }

    void start_helper(std::size_t index, Clock::time_point now) {
        auto [cores, its] = socket_pair(SOCK_STREAM);
        const Helper& helper = plan_.helpers[index];
        const pid_t pid = fork_child(setup(), [&helper, fd = its.get()] { return exec_helper(helper, fd); });
        note_start(helpers_[index], pid, now);
        // A core that takes no message closes the socket by that, and the helper ends for want of a peer.
        if (!send_packet(core_socket_.get(), helper.name, cores.get())) {
            base::log_warning("supervisor.core_takes_no_socket", {{"child", helper.name}});
        }
    }

    ChildSetup setup() const { return {.supervisor = ::getpid(), .signal_mask = signals_.mask_before()}; }

    void note_start(Child& child, pid_t pid, Clock::time_point now) {
        child.started_at = now;
        child.told_to_end = false;
        child.kill_at.reset();
        processes_changed_ = true;
        if (pid < 0) {  // no process or no socket to be had: try again later
            child.start_at = now + restart_delay(child, plan_.backoff, now);
            return;
        }
        child.pid = pid;
        child.start_at.reset();
        base::log_info("supervisor.child_started", {{"child", child.name}, {"pid", pid}});
    }

    // What comes from core.

    void take_packets() {
        SupervisorPacket packet;
        while (core_socket_.get() >= 0 && !core_hung_up_) {
            const auto outcome = receive_packet(core_socket_.get(), packet);
            if (outcome == PacketOutcome::none_yet) return;
            if (outcome == PacketOutcome::gone) {
                core_hung_up_ = true;
                return;
            }
            if (packet.fd >= 0) ::close(packet.fd);  // core has nothing to hand over
            if (packet.text.starts_with("ready ")) on_ready(std::string_view(packet.text).substr(6));
        }
    }

    void on_ready(std::string_view note) {
        if (core_ready_) return;
        core_ready_ = true;
        write_process_file();  // who is told that core is ready may look there
        base::log_info("supervisor.core_ready", {{"pid", core_.pid}});
        if (!std::exchange(ever_ready_, true) && plan_.on_ready) plan_.on_ready(note);
    }

    // Ends.

    void reap() {
        for (;;) {
            int status = 0;
            const pid_t pid = ::waitpid(-1, &status, WNOHANG);
            if (pid < 0 && errno == EINTR) continue;
            if (pid <= 0) return;
            for (Child* child : children()) {
                if (child->pid == pid) on_end(*child, status);
            }
        }
    }

    void on_end(Child& child, int status) {
        const auto now = Clock::now();
        const pid_t pid = std::exchange(child.pid, -1);
        child.kill_at.reset();
        processes_changed_ = true;
        if (stopping_) {
            base::log_info("supervisor.child_stopped",
                           {{"child", child.name}, {"pid", pid}, {"end", describe_end(status)}});
            return;
        }
        if (&child == &core_) {
            end_helpers(now);  // their wires ended with it
            if (WIFEXITED(status) && WEXITSTATUS(status) == kExitMisconfigured)
                return give_up(kExitMisconfigured, status);
        }
        // What ended because we told it to is no failure of its own.
        const auto delay =
            child.told_to_end ? std::chrono::milliseconds(0) : restart_delay(child, plan_.backoff, now);
        if (&child == &core_ && !ever_ready_ && core_.failures >= plan_.attempts_limit) {
            return give_up(kExitSoftware, status);
        }
        child.start_at = now + delay;
        const auto level = child.told_to_end ? base::LogLevel::info : base::LogLevel::error;
        base::log(level, "supervisor.child_ended",
                  {{"child", child.name},
                   {"pid", pid},
                   {"end", describe_end(status)},
                   {"restart_in_ms", delay.count()}});
    }

    void give_up(int code, int status) {
        base::log_error("supervisor.core_given_up", {{"end", describe_end(status)}});
        exit_code_ = code;
        stopping_ = true;
    }

    void tell_to_end(Child& child, std::chrono::milliseconds limit, Clock::time_point now) {
        if (!child.is_running() || std::exchange(child.told_to_end, true)) return;
        ::kill(child.pid, SIGTERM);
        child.kill_at = now + limit;
    }

    void end_helpers(Clock::time_point now) {
        for (Child& helper : helpers_) tell_to_end(helper, plan_.helper_stop_limit, now);
    }

    void on_stop_signal(int signal) {
        base::log_info("supervisor.stopping", {{"signal", signal}, {"at_once", stopping_}});
        if (std::exchange(stopping_, true)) {  // asked twice: somebody is in a hurry
            for (Child* child : children()) {
                if (child->is_running()) ::kill(child->pid, SIGKILL);
            }
        }
    }

    /// Core first, while the helpers still answer it; then the helpers.
    void advance_stop(Clock::time_point now) {
        if (core_.is_running()) return tell_to_end(core_, plan_.core_stop_limit, now);
        end_helpers(now);
        ended_ = std::ranges::none_of(helpers_, &Child::is_running);
    }

    // processes.json

    std::filesystem::path process_file() const { return plan_.run_directory / "processes.json"; }

    void write_process_file() {
        processes_changed_ = false;
        if (plan_.run_directory.empty()) return;
        std::error_code error;
        std::filesystem::create_directories(plan_.run_directory, error);
        const auto temporary = plan_.run_directory / "processes.json.new";
        std::ofstream out(temporary, std::ios::trunc);
        out << "{\"supervisor\":" << ::getpid()
            << ",\"ready\":" << (core_ready_ && core_.is_running() ? "true" : "false");
        for (const Child* child : children()) {
            out << ",\"" << child->name << "\":";
            if (child->is_running()) {
                out << child->pid;
            } else {
                out << "null";
            }
        }
        out << "}\n";
        out.close();
        if (out) std::filesystem::rename(temporary, process_file(), error);
        if (!out || error) base::log_warning("supervisor.no_process_file", {{"error", error.message()}});
    }

    void remove_process_file() const {
        std::error_code ignored;  // it is only news of who runs
        if (!plan_.run_directory.empty()) std::filesystem::remove(process_file(), ignored);
    }

    SupervisorPlan plan_;
    Signals signals_;
    Child core_;
    std::vector<Child> helpers_;
    OwnedFd core_socket_;
    bool core_hung_up_ = false;
    bool core_ready_ = false;
    bool ever_ready_ = false;
    bool stopping_ = false;
    bool ended_ = false;
    bool processes_changed_ = false;
    int exit_code_ = 0;
};

}  // namespace

int supervise(SupervisorPlan plan) {
    SupervisorAllowances allowances{.executables = {}, .writable = plan.writable};
    for (const Helper& helper : plan.helpers) allowances.executables.push_back(helper.executable);
    if (auto locked = lock_supervisor(allowances); !locked) {
        base::log_error("supervisor.not_locked",
                        {{"code", locked.error().code}, {"what", locked.error().message}});
        return kExitMisconfigured;
    }
    return Supervision(std::move(plan)).run();
}

std::filesystem::path beside_own_executable(std::string_view name) {
    std::error_code error;
    const auto own = std::filesystem::read_symlink("/proc/self/exe", error);
    return own.parent_path() / name;
}

}  // namespace runtime
