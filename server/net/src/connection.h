#pragma once

#include "deadline_wheel.h"
#include "request_head.h"
#include "server_core.h"
#include "transport.h"
#include "turn_share.h"

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace net {

class Body;
class Events;

/// One client's connection: reads a request, has it answered, writes the answer, again. While it idles and
/// while a handler runs it holds no buffer and no parser; bytes of the next request that come early are kept,
/// up to a bound.
///
/// There is at most one outstanding wait for readability. It serves whoever reads; while a handler runs it
/// watches for the client's going away, which cancels a handler that only reads (GET, HEAD, and
/// RateClass::sync).
class Connection final : public std::enable_shared_from_this<Connection>, public DeadlineWheel::Entry {
  public:
    Connection(std::shared_ptr<ServerCore> core, boost::asio::posix::stream_descriptor descriptor,
               IpAddress peer);
    ~Connection() override;

    static runtime::Task<void> run(std::shared_ptr<Connection> self);
    /// Cancels this connection's task; null before it started and after it ended.
    boost::asio::cancellation_signal* cancel_signal = nullptr;
    bool finished = false;

    /// Ends the connection where no request is under way.
    void close_if_idle();
    /// Ends it whatever is under way, and closes its socket at once.
    void abort();
    void on_deadline() override;
    const IpAddress& peer() const { return peer_; }

    std::list<Connection*>::iterator place;  // in the core's list

  private:
    friend class Body;
    friend class Events;
    friend class ChunkWriter;

    /// What one request and its answer need to know of each other.
    struct Exchange {
        std::chrono::steady_clock::time_point began;
        std::optional<Method> method;
        const Surface* surface = nullptr;
        RateClass rate = RateClass::none;
        std::string_view operation_id;
        bool keep_alive = false;
        bool is_1_0 = false;
        bool accepts_gzip = false;
        std::string token;  // of a request that may be parked: asked again when there is an answer
        std::string if_none_match, if_modified_since, range, if_range;
        std::unique_ptr<Body> body;  // null where the request has none
        std::unique_ptr<Request> request;
        const Handler* handler = nullptr;
        bool may_cancel = false;
        bool is_lost = false;        // nobody is there to be answered
        bool is_unreadable = false;  // what follows on this connection cannot be told apart
    };

    // Reading
    runtime::Task<bool> handshake();
    runtime::Task<bool> wait_for_request(bool is_first);
    runtime::Task<base::Result<RequestHead>> read_head();
    runtime::Task<bool> fill(std::size_t limit_bytes);
    runtime::Task<void> wait_readable();
    runtime::Task<void> wait_writable();
    /// Lets the other connections have their turn once this one has used up its share.
    runtime::Task<void> share_turn();
    void arm_read();
    void on_readable(bool is_cancelled);
    void wake_reader();
    void start_watching(bool may_cancel);
    void stop_watching() { watching_ = false; }
    void watch();
    void on_peer_gone();

    // Answering (exchange.cc)
    runtime::Task<bool> exchange();
    /// Reads a request up to what its handler is given. An answer where it comes to no handler.
    runtime::Task<std::optional<Response>> prepare(Exchange& ex);
    runtime::Task<std::optional<Response>> prepare_routed(RequestHead head, Exchange& ex);
    runtime::Task<base::Result<void>> admit(const Route& route, Request& request, Exchange& ex);
    runtime::Task<Response> unless_ended(Response response, const Exchange& ex);
    runtime::Task<Response> run_handler(Exchange& ex);
    Response error_response(const base::Error& error, const Exchange& ex) const;
    IpAddress client_of(const Headers& headers) const;

    // Writing (answer.cc)
    runtime::Task<bool> send(Response response, Exchange& ex);
    runtime::Task<bool> send_file(int descriptor, std::uint64_t from, std::uint64_t bytes);
    runtime::Task<bool> send_over_time(Response response, Exchange& ex, std::string head);
    runtime::Task<bool> write(std::string_view first, std::string_view second = {});
    runtime::Task<void> linger();

    void close_socket();
    void set_deadline(std::chrono::milliseconds from_now);
    void clear_deadline() { DeadlineWheel::clear(*this); }
    bool is_over() const { return aborted_ || timed_out_; }

    std::shared_ptr<ServerCore> core_;
    boost::asio::posix::stream_descriptor descriptor_;
    Transport transport_;
    TurnShare turn_;
    IpAddress peer_;
    std::int64_t user_number_ = 0;            // who asked; 0: nobody in particular
    std::string in_;                          // came, and is not yet understood
    std::move_only_function<void()> reader_;  // the coroutine that waits for readability
    Events* events_ = nullptr;                // of the event stream under way
    bool read_armed_ = false;
    bool readable_ = false;  // became so while nobody waited
    bool watching_ = false;
    bool may_cancel_ = false;
    bool idle_ = true;
    bool peer_gone_ = false;
    bool timed_out_ = false;
    bool aborted_ = false;
};

}  // namespace net
