#pragma once

#include <memory>
#include <string>

#include <net/message.h>

namespace net {

class Connection;

/// The event stream that a connection is writing. What the socket does not take at once waits in a bounded
/// buffer.
class Events final : public EventStream {
  public:
    Events(Connection& connection, bool chunked);
    ~Events() override;
    Events(const Events&) = delete;
    Events& operator=(const Events&) = delete;

    runtime::Task<bool> send(std::string_view event, std::string_view data) override;
    bool closed() const override { return closed_; }

    /// Writes what is left and the end of the body.
    runtime::Task<bool> finish();
    void on_deadline();
    void on_peer_gone() { closed_ = true; }

  private:
    void put(std::string_view text);
    void flush();
    void set_deadline();

    Connection& connection_;
    std::string out_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    bool chunked_;
    bool waiting_ = false;  // for writability
    bool closed_ = false;
};

/// One event in the stream's syntax (HTML, 9.2.6).
std::string format_event(std::string_view event, std::string_view data);

}  // namespace net
