#pragma once

#include "socket_io.h"
#include "stream.h"

#include <map>

#include <boost/asio/local/stream_protocol.hpp>

#include <runtime/task_group.h>

namespace wire {

/// What a channel is made of. Its two tasks and the calls share it; close() ends them all.
struct ChannelState : std::enable_shared_from_this<ChannelState> {
    ChannelState(runtime::Runtime& runtime, int socket_fd, Service service, ChannelOptions options);

    void start();
    void close();
    bool is_open() const { return open_ && !write_failed_; }
    bool has_called() const { return last_call_ > 0; }
    void cancel_tasks() { tasks_.cancel(); }
    static runtime::Task<void> closed(std::shared_ptr<ChannelState> self);
    static runtime::Task<void> stop(std::shared_ptr<ChannelState> self);

    base::Result<std::shared_ptr<Stream>> begin(std::string_view method, Message request,
                                                std::chrono::steady_clock::time_point deadline);
    static runtime::Task<base::Result<void>> send(std::shared_ptr<ChannelState> self,
                                                  std::shared_ptr<Stream> stream, Message message,
                                                  Leaves leaves);
    static runtime::Task<base::Result<Message>> next(std::shared_ptr<ChannelState> self,
                                                     std::shared_ptr<Stream> stream);
    /// Gives a call of ours up.
    void cancel(Stream& stream);
    /// The same, but what the peer says to that is heard for so long.
    void ask_to_end(Stream& stream, std::chrono::steady_clock::duration last_words);
    /// The caller reads no more: drops what came.
    void drop_inbox(Stream& stream);
    /// Calls the service's on_cancelled callback, in a turn of its own.
    void announce_stop(const std::shared_ptr<Stream>& stream);

  private:
    using Streams = std::map<std::uint64_t, std::shared_ptr<Stream>>;

    // The receiving task.
    static runtime::Task<void> read(std::shared_ptr<ChannelState> self);
    struct Taken {
        std::string_view fault;  ///< why a frame is malformed
        bool more = false;       ///< there may be further whole frames
    };
    /// Handles a turn's worth of whole frames.
    Taken take_frames();
    // Each handle_* answers what is wrong with the frame, or nothing.
    std::string_view handle(Frame frame, std::vector<Descriptor> descriptors);
    std::string_view handle_call(Frame frame, std::vector<Descriptor> descriptors);
    std::string_view handle_message(Stream& stream, Frame frame, std::vector<Descriptor> descriptors);
    std::string_view handle_credit(Stream& stream, std::uint32_t credits);
    static runtime::Task<void> serve(std::shared_ptr<ChannelState> self, std::shared_ptr<Stream> stream,
                                     std::string method, Message request);
    void answer(std::uint64_t number, const base::Result<void>& result);

    // Writing: at once where the socket takes it, or together with what comes next in this turn, else by the
    // writing task.
    void enqueue(Frame frame, std::vector<Descriptor> descriptors = {}, Leaves leaves = Leaves::at_once);
    void plan_flush();
    void flush();
    static runtime::Task<void> write(std::shared_ptr<ChannelState> self);

    /// The peer does not take what we send: the reader takes what is left to read, then closes.
    void fail_writing();
    void end(Stream& stream, base::Error why);
    void grant(Stream& stream);

    runtime::Runtime& runtime_;
    ChannelOptions options_;
    Service service_;
    boost::asio::local::stream_protocol::socket socket_;
    bool open_ = false;

    FrameDecoder decoder_;
    std::vector<Descriptor> arrived_;  ///< received, their frame not whole yet
    std::size_t unread_bytes_ = 0;
    runtime::Notifier drained_;

    std::deque<OutgoingFrame> queue_;
    std::size_t queued_bytes_ = 0;
    bool writing_ = false;
    bool flush_planned_ = false;  ///< what is queued leaves when this turn ends
    bool write_failed_ = false;
    runtime::Notifier writable_;

    Streams calls_;   ///< we are the caller
    Streams served_;  ///< the peer is
    std::uint64_t last_call_ = 0;
    std::uint64_t last_served_ = 0;

    runtime::Notifier closed_;
    runtime::TaskGroup tasks_;
};

}  // namespace wire
