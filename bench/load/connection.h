#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace bench {

namespace asio = boost::asio;
using Endpoint = asio::ip::tcp::endpoint;

/// What came back; the body lives until the handler returns. Status 0: the connection broke.
struct Answer {
    int status = 0;
    std::string_view body;
};
using Done = std::move_only_function<void(const Answer&)>;

/// A keep-alive connection that speaks just as much HTTP/1.1 as our server answers with: a status, a
/// Content-Length or chunks. Requests may be pipelined; answers come in order. One wait for readability is
/// outstanding, bytes are sent and received by the bare system calls.
class Connection : public std::enable_shared_from_this<Connection> {
  public:
    Connection(asio::io_context& io, Endpoint endpoint) : socket_(io), endpoint_(std::move(endpoint)) {}

    /// Connects (on loopback that is at once). False where nobody listens.
    bool open();
    bool is_open() const { return is_open_; }
    void close();
    /// Sends text that is a request (or several) and expects one answer.
    void ask(std::string_view request, Done done);
    std::size_t waiting() const { return waiting_.size(); }

  private:
    void wait_readable();
    void on_readable();
    void wait_writable();
    bool flush();
    bool take_answer();
    void break_off();

    asio::ip::tcp::socket socket_;
    Endpoint endpoint_;
    bool is_open_ = false;
    bool is_waiting_to_write_ = false;
    std::string in_;
    std::string out_;
    std::deque<Done> waiting_;
};

/// "127.0.0.1:8008" (a scheme before it is passed over). Ends the program where it is no loopback address:
/// this generator loads nothing else.
Endpoint loopback_endpoint(std::string_view address);

/// A whole request. `token` may be empty.
std::string request_text(std::string_view method, std::string_view target, std::string_view token,
                         std::string_view body);

/// The text of a member of a JSON object, found by its name: enough for what our server writes.
std::string json_text(std::string_view json, std::string_view name);

}  // namespace bench
