// Every attempt runs twice in a process of its own: free, where it must succeed (else the check could not
// fail), and locked into a role, where it must be refused.
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <thread>

#include <gtest/gtest.h>

#include <runtime/sandbox.h>

namespace runtime {
namespace {

constexpr int kLockFailed = 250;

int errno_of(bool succeeded) {
    return succeeded ? 0 : errno;
}

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}
const sockaddr* as_sockaddr(const auto& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

class Sandbox : public testing::Test {
  protected:
    Sandbox() {
        char name[] = "/tmp/lingxi_sandbox_XXXXXX";
        root_ = ::mkdtemp(name);
        for (const char* folder : {"core", "gateway", "outside", "static"}) {
            std::filesystem::create_directory(root_ / folder);
            std::ofstream(root_ / folder / "file") << "contents";
        }
        std::filesystem::copy_file("/bin/true", root_ / "program");
        // A listener that a process may connect to, and one that plays core's own.
        listener_ = listen_on_loopback();
        own_listener_ = listen_on_loopback();
        port_ = port_of(listener_);
        unix_listener_ = ::socket(AF_UNIX, SOCK_STREAM, 0);
        const auto address = unix_address();
        EXPECT_EQ(::bind(unix_listener_, as_sockaddr(address), sizeof address), 0);
        EXPECT_EQ(::listen(unix_listener_, 8), 0);
    }
    ~Sandbox() override {
        for (const int fd : {listener_, own_listener_, unix_listener_}) ::close(fd);
        std::filesystem::remove_all(root_);
    }

    static int listen_on_loopback() {
        const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
        const auto address = loopback(0);
        EXPECT_EQ(::bind(fd, as_sockaddr(address), sizeof address), 0);
        EXPECT_EQ(::listen(fd, 64), 0);
        return fd;
    }
    static std::uint16_t port_of(int fd) {
        sockaddr_in address{};
        socklen_t length = sizeof address;
        EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length), 0);
        return ntohs(address.sin_port);
    }
    sockaddr_un unix_address() const {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, (root_ / "outside" / "socket").c_str(), sizeof address.sun_path - 1);
        return address;
    }

    Allowances core() const { return core_allowances(root_ / "core", {root_ / "static"}); }
    Allowances gateway() const { return gateway_allowances(root_ / "gateway", {}); }

    SupervisorAllowances supervisor() const {
        return {{root_ / "program"}, {root_ / "core", root_ / "gateway"}};
    }

    using Lock = std::function<base::Result<LockReport>()>;
    Lock as(const Allowances& allowances) const {
        return [allowances] { return lock_down(allowances); };
    }
    Lock as_supervisor() const {
        return [allowances = supervisor()] { return lock_supervisor(allowances); };
    }

    /// What `attempt` answers (0 or an errno) in a process of its own, locked or free.
    int outcome(const Lock& lock, const std::function<int()>& attempt) const {
        const pid_t child = ::fork();
        if (child == 0) {
            if (before_lock_) before_lock_();
            if (lock) {
                const auto locked = lock();
                if (!locked) {
                    std::fprintf(stderr, "%s\n", locked.error().message.c_str());
                    ::_exit(kLockFailed);
                }
            }
            ::_exit(attempt());
        }
        int status = 0;
        EXPECT_EQ(::waitpid(child, &status, 0), child);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
    }

    void expect_refused(const Lock& lock, const std::string& what,
                        const std::function<int()>& attempt) const {
        EXPECT_EQ(outcome(nullptr, attempt), 0)
            << what << " must work without the lock, or this proves nothing";
        const int locked = outcome(lock, attempt);
        EXPECT_TRUE(locked == EPERM || locked == EACCES || locked == ENOSYS) << what << ": " << locked;
    }
    void expect_refused(const Allowances& allowances, const char* what,
                        const std::function<int()>& attempt) const {
        expect_refused(as(allowances), what + (" as " + allowances.role), attempt);
    }
    /// Where the machine forbids it to all, there is nothing to refuse.
    void expect_refused_where_it_works(const Lock& lock, const std::string& what,
                                       const std::function<int()>& attempt) const {
        if (outcome(nullptr, attempt) == 0) expect_refused(lock, what, attempt);
    }
    void expect_allowed(const Allowances& allowances, const char* what,
                        const std::function<int()>& attempt) const {
        EXPECT_EQ(outcome(as(allowances), attempt), 0) << what << " as " << allowances.role;
    }
    void expect_allowed_to_supervisor(const char* what, const std::function<int()>& attempt) const {
        EXPECT_EQ(outcome(as_supervisor(), attempt), 0) << what;
    }

    std::function<int()> tcp_connect() const {
        return [port = port_] {
            const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
            const auto address = loopback(port);
            return errno_of(fd >= 0 && ::connect(fd, as_sockaddr(address), sizeof address) == 0);
        };
    }
    std::function<int()> udp_sendto() const {
        return [port = port_] {
            const int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
            const auto address = loopback(port);
            return errno_of(fd >= 0 && ::sendto(fd, "x", 1, 0, as_sockaddr(address), sizeof address) == 1);
        };
    }
    std::function<int()> open_for(std::filesystem::path path, int flags) const {
        return [path = std::move(path), flags] {
            return errno_of(::open(path.c_str(), flags | O_CLOEXEC, 0600) >= 0);
        };
    }
    /// Starts a program and waits for its end: 0 where it ended well, else why it did not begin.
    static std::function<int()> start_program(std::filesystem::path path) {
        return [path = std::move(path)] {
            const pid_t child = ::fork();
            if (child == 0) {
                ::execl(path.c_str(), path.c_str(), nullptr);
                ::_exit(errno);
            }
            int status = 0;
            if (child < 0 || ::waitpid(child, &status, 0) != child) return errno;
            return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
        };
    }
    bool has_landlock() const {
        const auto allowances = core();
        return outcome(nullptr, [&allowances] {
                   const auto report = lock_down(allowances);
                   return report && report->landlock_version > 0 ? 0 : 1;
               }) == 0;
    }

    std::filesystem::path root_;
    int listener_ = -1;
    int own_listener_ = -1;
    std::function<void()> before_lock_;
    int unix_listener_ = -1;
    std::uint16_t port_ = 0;
};

TEST_F(Sandbox, core_and_render_reach_nobody_over_the_network) {
    for (const auto& role : {core(), render_allowances()}) {
        expect_refused(role, "TCP connect", tcp_connect());
        expect_refused(role, "UDP sendto", udp_sendto());
        expect_refused(role, "UDP over IPv6",
                       [] { return errno_of(::socket(AF_INET6, SOCK_DGRAM, 0) >= 0); });
        expect_refused(role, "TCP Fast Open", [this] {
            const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
            const auto address = loopback(port_);
            return errno_of(fd >= 0 &&
                            ::sendto(fd, "x", 1, MSG_FASTOPEN, as_sockaddr(address), sizeof address) == 1);
        });
        expect_refused(role, "netlink",
                       [] { return errno_of(::socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) >= 0); });
        expect_refused(role, "unix connect", [this] {
            const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
            const auto address = unix_address();
            return errno_of(fd >= 0 && ::connect(fd, as_sockaddr(address), sizeof address) == 0);
        });
    }
}

TEST_F(Sandbox, core_cannot_turn_a_socket_that_it_has_into_a_way_out) {
    // After shutdown() a listener is a plain TCP socket again.
    // Each process makes its own, since what one does to a shared socket is done for all.
    before_lock_ = [this] { ::dup2(listen_on_loopback(), own_listener_); };
    expect_refused(core(), "connect of the listener", [this] {
        ::shutdown(own_listener_, SHUT_RDWR);
        const auto address = loopback(port_);
        return errno_of(::connect(own_listener_, as_sockaddr(address), sizeof address) == 0);
    });
    expect_refused(core(), "Fast Open of the listener by sendto", [this] {
        ::shutdown(own_listener_, SHUT_RDWR);
        const auto address = loopback(port_);
        return errno_of(::sendto(own_listener_, "x", 1, MSG_FASTOPEN, as_sockaddr(address), sizeof address) ==
                        1);
    });
    expect_refused(core(), "Fast Open of the listener by sendmsg", [this] {
        ::shutdown(own_listener_, SHUT_RDWR);
        auto address = loopback(port_);
        iovec part{const_cast<char*>("x"), 1};
        msghdr header{};
        header.msg_name = &address;
        header.msg_namelen = sizeof address;
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        return errno_of(::sendmsg(own_listener_, &header, MSG_FASTOPEN) == 1);
    });
}

TEST_F(Sandbox, core_still_serves_those_who_come) {
    const int client = ::socket(AF_INET, SOCK_STREAM, 0);
    const auto address = loopback(port_of(own_listener_));
    ASSERT_EQ(::connect(client, as_sockaddr(address), sizeof address), 0);
    expect_allowed(core(), "accept and answer", [this] {
        const int fd = ::accept4(own_listener_, nullptr, nullptr, SOCK_CLOEXEC);
        return errno_of(fd >= 0 && ::send(fd, "hi", 2, MSG_NOSIGNAL) == 2);
    });
    ::close(client);
    expect_allowed(core(), "a unix socket", [] { return errno_of(::socket(AF_UNIX, SOCK_STREAM, 0) >= 0); });
}

TEST_F(Sandbox, the_gateway_reaches_out_but_lets_nobody_in) {
    expect_allowed(gateway(), "TCP connect", tcp_connect());
    expect_allowed(gateway(), "UDP sendto", udp_sendto());
    expect_allowed(gateway(), "netlink",
                   [] { return errno_of(::socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) >= 0); });
    expect_refused(gateway(), "listen", [] {
        const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
        return errno_of(fd >= 0 && ::listen(fd, 1) == 0);
    });
    expect_refused(gateway(), "accept", [this] {
        ::fcntl(listener_, F_SETFL, O_NONBLOCK);
        while (::accept4(listener_, nullptr, nullptr, 0) >= 0) {
        }
        return errno == EAGAIN ? 0 : errno;
    });
    expect_refused(gateway(), "unix connect", [this] {
        const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
        const auto address = unix_address();
        return errno_of(fd >= 0 && ::connect(fd, as_sockaddr(address), sizeof address) == 0);
    });
    if (::geteuid() == 0) {
        expect_refused(gateway(), "raw socket",
                       [] { return errno_of(::socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) >= 0); });
    }
}

TEST_F(Sandbox, the_gateway_still_finds_addresses_by_name) {
    expect_allowed(gateway(), "localhost", [] {
        addrinfo hints{};
        hints.ai_socktype = SOCK_STREAM;
        addrinfo* found = nullptr;
        const int failure = ::getaddrinfo("localhost", "443", &hints, &found);
        if (failure == 0) ::freeaddrinfo(found);
        return failure == 0 ? 0 : 1;
    });
    expect_allowed(gateway(), "a name that no server knows", [] {
        addrinfo* found = nullptr;
        // Whatever the answer is, it is one: no library stumbles over a refused call.
        return ::getaddrinfo("no-such-name.invalid", "443", nullptr, &found) != 0 ? 0 : 1;
    });
    expect_allowed(gateway(), "certificate authorities", [] {
        constexpr const char* kBundle = "/etc/ssl/certs/ca-certificates.crt";
        return ::access(kBundle, F_OK) != 0 || ::open(kBundle, O_RDONLY) >= 0 ? 0 : errno;
    });
}

TEST_F(Sandbox, nobody_starts_or_touches_another_process) {
    for (const auto& role : {core(), gateway(), render_allowances()}) {
        expect_refused(role, "exec", [] {
            ::execl("/bin/true", "true", nullptr);
            return errno;
        });
        expect_refused(role, "fork", [] {
            const pid_t child = ::fork();
            if (child == 0) ::_exit(0);
            return errno_of(child > 0);
        });
        expect_refused(role, "ptrace",
                       [] { return errno_of(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0); });
        expect_refused(role, "process_vm_readv", [] {
            char from = 'x';
            char to = 0;
            iovec local{&to, 1};
            iovec remote{&from, 1};
            return errno_of(::process_vm_readv(::getpid(), &local, 1, &remote, 1, 0) == 1);
        });
        expect_refused(role, "kill of another", [] { return errno_of(::kill(::getppid(), 0) == 0); });
        expect_refused(role, "signals to another by a descriptor",
                       [] { return errno_of(::fcntl(STDERR_FILENO, F_SETOWN, ::getppid()) == 0); });
        expect_refused(role, "a choice of that signal",
                       [] { return errno_of(::fcntl(STDERR_FILENO, F_SETSIG, SIGKILL) == 0); });
        const auto io_uring = [] {
            std::array<char, 256> params{};
            return errno_of(::syscall(SYS_io_uring_setup, 1, params.data()) >= 0);
        };
        expect_refused_where_it_works(as(role), "io_uring as " + role.role, io_uring);
        expect_refused(role, "to become dumpable again",
                       [] { return errno_of(::prctl(PR_SET_DUMPABLE, 1) == 0); });
        expect_refused(role, "memfd", [] { return errno_of(::syscall(SYS_memfd_create, "x", 0) >= 0); });
        if (::geteuid() == 0) {
            expect_refused(role, "chroot", [] { return errno_of(::chroot("/") == 0); });
            expect_refused(role, "setuid", [] { return errno_of(::setuid(65534) == 0); });
        }
        expect_allowed(role, "a thread", [] {
            int answer = 1;
            std::thread([&answer] { answer = 0; }).join();
            return answer;
        });
    }
}

TEST_F(Sandbox, the_supervisor_starts_its_own_programs_and_no_others) {
    expect_allowed_to_supervisor("its own program", start_program(root_ / "program"));
    if (!has_landlock()) GTEST_SKIP() << "this kernel has no Landlock: programs are not confined";
    expect_refused(as_supervisor(), "another program", start_program("/bin/true"));
    expect_refused(as_supervisor(), "a program that it wrote itself", [this] {
        const auto path = root_ / "core" / "written";
        std::error_code error;
        std::filesystem::copy_file("/bin/true", path, std::filesystem::copy_options::overwrite_existing,
                                   error);
        return error ? error.value() : start_program(path)();
    });
}

TEST_F(Sandbox, the_supervisor_has_no_power_over_the_machine_or_the_memory_of_others) {
    const auto lock = as_supervisor();
    expect_refused(lock, "ptrace",
                   [] { return errno_of(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0); });
    expect_refused(lock, "process_vm_readv", [] {
        char from = 'x';
        char to = 0;
        iovec local{&to, 1};
        iovec remote{&from, 1};
        return errno_of(::process_vm_readv(::getpid(), &local, 1, &remote, 1, 0) == 1);
    });
    expect_refused(lock, "to become dumpable again",
                   [] { return errno_of(::prctl(PR_SET_DUMPABLE, 1) == 0); });
    expect_refused(lock, "memfd", [] { return errno_of(::syscall(SYS_memfd_create, "x", 0) >= 0); });
    expect_refused(lock, "execveat", [this] {
        const pid_t child = ::fork();
        if (child == 0) {
            std::array<char*, 1> nothing{};
            ::syscall(SYS_execveat, AT_FDCWD, (root_ / "program").c_str(), nothing.data(), nothing.data(), 0);
            ::_exit(errno);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        return WEXITSTATUS(status);
    });
    expect_refused_where_it_works(lock, "io_uring", [] {
        std::array<char, 256> params{};
        return errno_of(::syscall(SYS_io_uring_setup, 1, params.data()) >= 0);
    });
    expect_refused_where_it_works(lock, "userfaultfd",
                                  [] { return errno_of(::syscall(SYS_userfaultfd, 0) >= 0); });
    expect_refused_where_it_works(lock, "a key of the kernel's",
                                  [] { return errno_of(::syscall(SYS_keyctl, 0, -2, 1) >= 0); });
    expect_refused_where_it_works(lock, "a user namespace",
                                  [] { return errno_of(::unshare(CLONE_NEWUSER) == 0); });
    expect_refused_where_it_works(lock, "a process in a namespace of its own", [] {
        const auto child = ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
        if (child == 0) ::_exit(0);
        return errno_of(child > 0);
    });
    expect_refused_where_it_works(lock, "BPF", [] {
        std::array<char, 128> attributes{};
        const std::uint32_t array = 2;
        const std::uint32_t four = 4;
        std::memcpy(attributes.data(), &array, sizeof array);
        for (const std::size_t at : {4U, 8U, 12U}) std::memcpy(attributes.data() + at, &four, sizeof four);
        return errno_of(::syscall(SYS_bpf, 0, attributes.data(), attributes.size()) >= 0);
    });
    if (::geteuid() == 0) {
        expect_refused(lock, "a mount namespace", [] { return errno_of(::unshare(CLONE_NEWNS) == 0); });
        expect_refused(lock, "chroot", [] { return errno_of(::chroot("/") == 0); });
        expect_refused(lock, "setuid", [] { return errno_of(::setuid(65534) == 0); });
        expect_refused(lock, "raw socket",
                       [] { return errno_of(::socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) >= 0); });
        expect_refused(lock, "packets of the machine",
                       [] { return errno_of(::socket(AF_PACKET, SOCK_RAW, 0) >= 0); });
        expect_refused(lock, "a file of somebody's that it may give away", [this] {
            return errno_of(::chown((root_ / "core" / "file").c_str(), 65534, 65534) == 0);
        });
    }
}

TEST_F(Sandbox, the_supervisor_writes_in_its_data_alone_and_lets_nobody_in) {
    if (!has_landlock()) GTEST_SKIP() << "this kernel has no Landlock: file access is not confined";
    const auto lock = as_supervisor();
    expect_allowed_to_supervisor("making a file", open_for(root_ / "core" / "new", O_RDWR | O_CREAT));
    expect_allowed_to_supervisor("moving one from folder to folder", [this] {
        return errno_of(::rename((root_ / "core" / "file").c_str(), (root_ / "gateway" / "moved").c_str()) ==
                        0);
    });
    expect_refused(lock, "making a file outside", open_for(root_ / "outside" / "new", O_WRONLY | O_CREAT));
    expect_refused(lock, "writing outside", open_for(root_ / "outside" / "file", O_WRONLY));
    expect_refused(lock, "listening over TCP", [] {
        const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
        const auto address = loopback(0);
        return errno_of(::bind(fd, as_sockaddr(address), sizeof address) == 0);
    });
}

TEST_F(Sandbox, the_children_of_the_supervisor_do_their_work_under_its_lock) {
    expect_allowed_to_supervisor("ends a child", [] {
        std::array<int, 2> ends{};
        if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) return errno;
        const pid_t child = ::fork();
        if (child == 0) {
            ::setpgid(0, 0);
            for (;;) ::pause();
        }
        int status = 0;
        return errno_of(::kill(child, SIGKILL) == 0 && ::waitpid(child, &status, 0) == child);
    });
    const auto under_supervisor = [this](Allowances role) -> Lock {
        return [first = as_supervisor(), role = std::move(role)]() -> base::Result<LockReport> {
            if (auto locked = first(); !locked) return locked;
            return lock_down(role);
        };
    };
    EXPECT_EQ(outcome(under_supervisor(gateway()), tcp_connect()), 0) << "the one door out stays open";
    EXPECT_EQ(outcome(under_supervisor(core()), open_for(root_ / "core" / "file", O_RDWR)), 0);
    EXPECT_EQ(outcome(under_supervisor(core()), open_for(root_ / "static" / "file", O_RDONLY)), 0);
    expect_refused(under_supervisor(core()), "TCP connect of core", tcp_connect());
    expect_refused(under_supervisor(render_allowances()), "a process of render",
                   start_program(root_ / "program"));
    if (has_landlock())
        expect_refused(under_supervisor(core()), "core in the gateway's folder",
                       open_for(root_ / "gateway" / "file", O_RDONLY));
}

TEST_F(Sandbox, new_code_enters_neither_core_nor_render) {
    for (const auto& role : {core(), render_allowances()}) {
        expect_refused(role, "mmap of code", [] {
            return errno_of(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
        });
        expect_refused(role, "mprotect to code", [] {
            void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            return errno_of(::mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0);
        });
    }
}

TEST_F(Sandbox, files_outside_its_own_are_closed_to_each) {
    if (!has_landlock()) GTEST_SKIP() << "this kernel has no Landlock: file access is not confined";
    for (const auto& role : {core(), gateway()}) {
        const auto own = root_ / role.role;
        const auto others = root_ / (role.role == "core" ? "gateway" : "core");
        expect_allowed(role, "reading its own", open_for(own / "file", O_RDONLY));
        expect_allowed(role, "making its own", open_for(own / "new", O_RDWR | O_CREAT));
        expect_allowed(role, "folders of its own", [own] {
            return errno_of(
                ::mkdir((own / "sub").c_str(), 0700) == 0 &&
                ::rename((own / "new").c_str(), (own / "sub" / "new").c_str()) == 0 &&
                ::ftruncate(::open((own / "sub" / "new").c_str(), O_WRONLY | O_CLOEXEC), 0) == 0 &&
                ::unlink((own / "sub" / "new").c_str()) == 0 && ::rmdir((own / "sub").c_str()) == 0);
        });
        expect_refused(role, "reading another's", open_for(others / "file", O_RDONLY));
        expect_refused(role, "writing another's", open_for(others / "file", O_WRONLY));
        expect_refused(role, "making a file outside",
                       open_for(root_ / "outside" / "new", O_WRONLY | O_CREAT));
        expect_refused(role, "reading /etc/passwd", open_for("/etc/passwd", O_RDONLY));
        expect_refused(role, "a way round by ..", open_for(own / ".." / "outside" / "file", O_RDONLY));
        before_lock_ = [this] { std::ofstream(root_ / "outside" / "doomed") << "contents"; };
        expect_refused(role, "deleting outside",
                       [this] { return errno_of(::unlink((root_ / "outside" / "doomed").c_str()) == 0); });
        before_lock_ = nullptr;
    }
    expect_allowed(core(), "reading what it serves", open_for(root_ / "static" / "file", O_RDONLY));
    expect_refused(core(), "writing what it serves", open_for(root_ / "static" / "file", O_WRONLY));
    expect_allowed(gateway(), "the resolver's file", [] {
        return ::access("/etc/hosts", F_OK) != 0 || ::open("/etc/hosts", O_RDONLY) >= 0 ? 0 : errno;
    });
}

TEST_F(Sandbox, nobody_changes_a_file_that_it_has_not_opened_whatever_the_kernel) {
    const auto file = root_ / "outside" / "file";
    for (const auto& role : {core(), gateway(), render_allowances()}) {
        expect_refused(role, "its mode", [file] { return errno_of(::chmod(file.c_str(), 0600) == 0); });
        expect_refused(role, "its mode in a folder",
                       [file] { return errno_of(::fchmodat(AT_FDCWD, file.c_str(), 0600, 0) == 0); });
        expect_refused(role, "its length", [file] { return errno_of(::truncate(file.c_str(), 8) == 0); });
        expect_refused(role, "its time",
                       [file] { return errno_of(::utimensat(AT_FDCWD, file.c_str(), nullptr, 0) == 0); });
    }
}

TEST_F(Sandbox, render_opens_nothing_whatever_the_kernel) {
    expect_refused(render_allowances(), "reading", open_for(root_ / "static" / "file", O_RDONLY));
    expect_refused(render_allowances(), "making", open_for(root_ / "outside" / "made", O_WRONLY | O_CREAT));
    expect_allowed(render_allowances(), "what it was handed",
                   [fd = ::open((root_ / "static" / "file").c_str(), O_RDONLY)] {
                       char byte = 0;
                       return errno_of(::pread(fd, &byte, 1, 0) == 1 && byte == 'c');
                   });
}

#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
// A sanitizer reserves more address space than any limit, and may have a thread of its own.
TEST_F(Sandbox, render_has_a_limit_of_memory) {
    expect_refused(render_allowances(), "2 GiB", [] {
        void* memory = ::mmap(nullptr, std::size_t{2} << 30U, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory != MAP_FAILED) return 0;
        return errno == ENOMEM ? EPERM : errno;
    });
}

TEST_F(Sandbox, a_process_with_threads_is_not_locked_by_halves) {
    EXPECT_EQ(outcome(nullptr,
                      [this] {
                          std::atomic<bool> end{false};
                          std::thread other([&end] {
                              while (!end) std::this_thread::yield();
                          });
                          const auto locked = lock_down(core());
                          end = true;
                          other.join();
                          return locked.has_value() ? 1 : 0;
                      }),
              0);
}
#endif

TEST_F(Sandbox, descriptors_that_are_not_kept_are_closed) {
    const int kept = ::open("/dev/null", O_RDONLY);
    const int dropped = ::open("/dev/null", O_RDONLY);
    const int kept_too = ::open("/dev/null", O_RDONLY);
    EXPECT_EQ(outcome(nullptr,
                      [=] {
                          const std::array keep{kept_too, kept};
                          close_descriptors_except(keep);
                          return errno_of(::fcntl(kept, F_GETFD) >= 0 && ::fcntl(kept_too, F_GETFD) >= 0 &&
                                          ::fcntl(dropped, F_GETFD) < 0 && ::fcntl(2, F_GETFD) >= 0);
                      }),
              0);
    for (const int fd : {kept, dropped, kept_too}) ::close(fd);
}

#ifdef LINGXI_PLAIN_SANDBOX_TESTS
/// The executables that people run have no sanitizer, which makes system calls of its own and needs
/// exceptions.
TEST(SandboxTests, hold_without_sanitizers_too) {
    EXPECT_EQ(std::system(LINGXI_PLAIN_SANDBOX_TESTS), 0);
}
#endif

}  // namespace
}  // namespace runtime
