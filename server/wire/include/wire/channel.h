#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <base/result.h>
#include <runtime/runtime.h>
#include <runtime/signal.h>
#include <runtime/task.h>

namespace wire {

/// A file descriptor that travels with a message; closed when dropped.
class Descriptor {
  public:
    Descriptor() = default;
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept;
    ~Descriptor();
    int get() const { return fd_; }
    int release() { return std::exchange(fd_, -1); }

  private:
    int fd_ = -1;
};

/// What both directions carry: small JSON text and, where needed, descriptors. At most 1 MiB of text, 4
/// descriptors: more is refused with wire.too_large, a closed descriptor with wire.bad_descriptor, and the
/// call goes on.
struct Message {
    std::string text;
    std::vector<Descriptor> descriptors;
};

/// One call under way, seen from the caller: messages come from the peer until the end.
class Call {
  public:
    virtual ~Call() = default;
    /// The next message; an error ends the call. wire.end (not_found) after the last one; wire.deadline
    /// (timeout); wire.peer_gone (unavailable); wire.cancelled (cancelled) after cancel(); or the peer's own
    /// error. What came before the end is still handed out. One at a time.
    virtual runtime::Task<base::Result<Message>> next() = 0;
    /// Sends a further message to the peer (the second half of a two-step call).
    virtual runtime::Task<base::Result<void>> send(Message message) = 0;
    /// Tells the peer to stop; destroying the call does it too.
    virtual void cancel() = 0;
    /// Tells the peer to stop, and hears it out: next() goes on to the error or the end that the peer answers
    /// with, for at most `last_words` (then wire.deadline).
    virtual void ask_to_end(std::chrono::steady_clock::duration last_words) = 0;
};

/// When a message leaves: at once, or together with what is sent next, when the turn of the I/O thread ends
/// at the latest. For the last messages of a call, which then cost one system call and wake the caller once.
enum class Leaves : std::uint8_t { at_once, with_next };

/// One call under way, seen from the side that serves it.
class ServedCall {
  public:
    virtual ~ServedCall() = default;
    /// Sends one message; waits for a credit of the caller. wire.cancelled once the caller has gone.
    virtual runtime::Task<base::Result<void>> send(Message message, Leaves leaves = Leaves::at_once) = 0;
    /// A further message of the caller. wire.cancelled (cancelled), wire.deadline (timeout).
    virtual runtime::Task<base::Result<Message>> next() = 0;
    virtual std::chrono::steady_clock::time_point deadline() const = 0;
    /// Whether the caller has given up or gone.
    virtual bool cancelled() const = 0;
    /// Calls `stop` once, in a turn of its own, when the caller has given up or gone or the deadline has
    /// passed: for what waits on something else than this call. Not called any more once the service has
    /// returned.
    virtual void on_cancelled(std::function<void()> stop) = 0;
};

/// Serves one call; `call` lives until it returns. Returning a value ends the call; returning an error ends
/// it with that error, which a caller that gave up and hears this side out gets too. A fault that escapes is
/// logged and ends the call with wire.fault (internal).
using Service =
    std::function<runtime::Task<base::Result<void>>(std::string method, Message request, ServedCall& call)>;

struct ChannelOptions {
    std::size_t calls_limit = 1024;  ///< calls under way in one direction; more are refused: wire.busy
    std::uint32_t credits = 64;      ///< messages a caller lets come before it has read them
    std::size_t write_queue_limit_bytes = 8 * 1024 * 1024;
    /// What may lie received and unread; above it the socket is not read on. A descriptor counts as 256 KiB.
    std::size_t read_queue_limit_bytes = 64 * 1024 * 1024;
};

struct ChannelState;

/// Frames over one connected AF_UNIX stream socket: multiplexed calls with credits, deadlines, cancellation
/// and descriptor passing. Asio only. I/O thread only.
class Channel {
  public:
    /// Takes `socket_fd` over. `service` may be null for a side that only calls.
    Channel(runtime::Runtime& runtime, int socket_fd, Service service, ChannelOptions options = {});
    ~Channel();
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;

    /// Begins a call. Fails at once: wire.peer_gone; wire.busy (unavailable) when too many calls are under
    /// way or too much waits to be written; wire.deadline; wire.too_large; wire.bad_descriptor;
    /// wire.bad_method (invalid).
    base::Result<std::unique_ptr<Call>> call(std::string_view method, Message request,
                                             std::chrono::steady_clock::time_point deadline);
    /// Resolves when the peer has gone or sent a malformed frame.
    runtime::Task<void> closed();
    bool is_open() const;
    /// Whether this side has begun a call over it.
    bool has_called() const;
    /// Closes, cancels the services under way and waits for them.
    runtime::Task<void> stop();

  private:
    std::shared_ptr<ChannelState> state_;
};

/// A peer that may come and go (restarted by the supervisor): holds the current channel.
/// The supervisor hands a fresh socket over a control socket at each restart of the peer.
class Peer {
  public:
    explicit Peer(runtime::Runtime& runtime, ChannelOptions options = {})
        : runtime_(runtime), options_(options), attached_(runtime) {}
    /// Replaces the channel by a new one over `socket_fd`, which it takes over; calls of the old one get
    /// wire.peer_gone.
    void attach(int socket_fd);
    bool is_open() const;
    /// Returns once there is a peer, none is expected any more, or `limit` has passed.
    runtime::Task<void> wait_until_open(std::chrono::steady_clock::duration limit);
    /// This process is about to stop: nobody waits for a peer that is away.
    void expect_no_other();
    /// Whether this process has been asked anything since it was attached.
    bool has_been_called() const;
    /// wire.peer_gone (unavailable) while there is none.
    base::Result<std::unique_ptr<Call>> call(std::string_view method, Message request,
                                             std::chrono::steady_clock::time_point deadline);
    runtime::Task<void> stop();

  private:
    runtime::Runtime& runtime_;
    ChannelOptions options_;
    std::unique_ptr<Channel> channel_;
    bool expects_another_ = true;
    runtime::Notifier attached_;
};

}  // namespace wire
