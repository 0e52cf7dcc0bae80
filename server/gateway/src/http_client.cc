#include "http_client.h"

#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <unordered_map>
#include <unordered_set>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <curl/curl.h>

#include <base/encoding.h>
#include <runtime/signal.h>

namespace gateway {
namespace {

namespace asio = boost::asio;

/// Unread bytes at which a transfer is paused: a slow reader slows the server, it does not fill memory.
constexpr std::size_t kBufferLimitBytes = 256 * 1024;
constexpr std::size_t kHeadersLimitBytes = 64 * 1024;
constexpr long kConnectionsKept = 64;
constexpr std::size_t kHandlesKept = 64;

/// `anything_sent`: whether a byte of the request has left. Without one, no server has worked on it, whatever
/// the failure looks like: a connection that takes too long to come about is no answer that does.
base::Error error_of(CURLcode code, bool anything_sent) {
    const auto make = [](base::ErrorKind kind, std::string_view name, std::string message) {
        return base::Error{kind, std::string(name), std::move(message)};
    };
    const auto unreached = [&] {
        return make(base::ErrorKind::unavailable, "http.connect", "The server cannot be reached.");
    };
    switch (code) {
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CONNECT_ERROR:
            // Over a connection that was used again the request may have left before another was tried.
            if (anything_sent) break;
            return make(base::ErrorKind::unavailable, "http.tls", "The server's certificate is not trusted.");
        case CURLE_OPERATION_TIMEDOUT:
            if (!anything_sent) return unreached();
            return make(base::ErrorKind::timeout, "http.timeout", "The server did not answer in time.");
        default:
            break;
    }
    if (!anything_sent) return unreached();
    return make(base::ErrorKind::unavailable, "http.io", "The connection to the server broke.");
}

}  // namespace

struct HttpClient::State : std::enable_shared_from_this<HttpClient::State> {
    class Transfer;
    struct Socket {
        explicit Socket(asio::io_context& io, int fd) : descriptor(io, fd) {}
        asio::posix::stream_descriptor descriptor;
        int wanted = 0;             ///< CURL_POLL_* of now
        bool is_connected = false;  ///< curl has begun to read from it
        bool reading = false, writing = false;
    };

    /// What is left of a transfer that is over.
    struct Over {
        CURL* easy;
        curl_slist* header_lines;
    };

    explicit State(runtime::Runtime& r) : runtime(r), timer(r.io()) {}

    void start();
    void close();
    void act(curl_socket_t socket, int event);
    void finish_ended();
    void watch(const std::shared_ptr<Socket>& socket, int fd);
    void forget(int fd);
    void add(CURL* easy);
    CURL* take_handle();
    void retire(Over over);
    void give_back(Over over);

    static int on_socket(CURL* easy, curl_socket_t fd, int what, void* self, void* socket);
    static int on_timer(CURLM* multi, long timeout_ms, void* self);
    static curl_socket_t on_open(void* self, curlsocktype purpose, curl_sockaddr* address);
    static int on_close(void* self, curl_socket_t fd);

    runtime::Runtime& runtime;
    asio::steady_timer timer;
    CURLM* multi = nullptr;
    /// Those of connections stay while no transfer uses them: the next one finds its socket registered.
    std::unordered_map<int, std::shared_ptr<Socket>> sockets;
    std::unordered_set<int> connections;  ///< sockets that curl opened for requests, not for its own ends
    std::vector<CURL*> handles;           ///< to be used again
    std::vector<Over> retired;            ///< still to be taken out of `multi`
    bool is_adding = false;
    bool is_due = false;  ///< curl wants its turn as soon as the transfer is added
    std::unordered_map<CURL*, Transfer*> transfers;
};

class HttpClient::State::Transfer final : public HttpTransfer {
  public:
    Transfer(std::shared_ptr<State> state, HttpRequest request)
        : state_(std::move(state)),
          request_(std::move(request)),
          news_(state_->runtime),
          easy_(state_->take_handle()) {
        for (const auto& [name, value] : request_.headers) {
            header_lines_ = curl_slist_append(header_lines_, (name + ": " + value).c_str());
        }
        header_lines_ = curl_slist_append(header_lines_, "Expect:");  // no 100-continue round trip
        curl_easy_setopt(easy_, CURLOPT_URL, request_.url.c_str());
        curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(easy_, CURLOPT_FOLLOWLOCATION, 0L);
        curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(easy_, CURLOPT_TCP_NODELAY, 1L);
        curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
        curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, header_lines_);
        curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS,
                         static_cast<long>(request_.connect_timeout.count()));
        if (!request_.use_proxy) curl_easy_setopt(easy_, CURLOPT_PROXY, "");
        if (request_.method == "POST") {
            curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE,
                             static_cast<curl_off_t>(request_.body.size()));
            curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, request_.body.data());
        }
        curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &Transfer::on_data);
        curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
        curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
        curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
        curl_easy_setopt(easy_, CURLOPT_OPENSOCKETFUNCTION, &State::on_open);
        curl_easy_setopt(easy_, CURLOPT_OPENSOCKETDATA, state_.get());
        curl_easy_setopt(easy_, CURLOPT_CLOSESOCKETFUNCTION, &State::on_close);
        curl_easy_setopt(easy_, CURLOPT_CLOSESOCKETDATA, state_.get());
    }

    void begin() override {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            request_.deadline - std::chrono::steady_clock::now());
        curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, std::max(1L, static_cast<long>(left.count())));
        state_->transfers.emplace(easy_, this);
        state_->add(easy_);
    }

    ~Transfer() override {
        const bool has_begun = state_->transfers.erase(easy_) > 0;
        if (has_begun && ended_ && !error_ && state_->multi != nullptr) {
            state_->retire({easy_, header_lines_});
            return;
        }
        if (has_begun && state_->multi != nullptr) curl_multi_remove_handle(state_->multi, easy_);
        curl_easy_cleanup(easy_);
        curl_slist_free_all(header_lines_);
    }
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

    runtime::Task<base::Result<int>> status(std::chrono::steady_clock::time_point deadline) override {
        for (;;) {
            if (headers_done_) co_return status_;
            if (error_) co_return base::fail(*error_);
            if (ended_) co_return base::fail(failure(CURLE_GOT_NOTHING));
            if (!co_await wait(deadline)) co_return base::fail(failure(CURLE_OPERATION_TIMEDOUT));
        }
    }

    runtime::Task<base::Result<std::string>> read(std::chrono::steady_clock::time_point deadline) override {
        for (;;) {
            if (!buffer_.empty()) {
                std::string piece = std::exchange(buffer_, {});
                if (std::exchange(paused_, false)) resume();
                co_return piece;
            }
            if (error_) co_return base::fail(*error_);
            if (ended_) co_return std::string();
            if (!co_await wait(deadline)) co_return base::fail(failure(CURLE_OPERATION_TIMEDOUT));
        }
    }

    std::optional<std::string> header(std::string_view name) const override {
        const auto found = headers_.find(name);
        return found == headers_.end() ? std::nullopt : std::optional(found->second);
    }

    void abort() override {
        if (ended_) return;
        ended_ = true;
        buffer_.clear();
        error_ = base::Error{base::ErrorKind::cancelled, "http.aborted", "The transfer was given up.", {}};
        news_.notify();
    }

    bool anything_sent() const override {
        long request_bytes = 0;
        curl_easy_getinfo(easy_, CURLINFO_REQUEST_SIZE, &request_bytes);
        return request_bytes > 0;
    }

    void end(CURLcode code) {
        if (ended_) return;
        ended_ = true;
        if (code != CURLE_OK) error_ = failure(code);
        news_.notify();
    }

  private:
    base::Error failure(CURLcode code) const { return error_of(code, anything_sent()); }

    runtime::Task<bool> wait(std::chrono::steady_clock::time_point deadline) {
        const auto left = deadline - std::chrono::steady_clock::now();
        if (left <= std::chrono::steady_clock::duration::zero()) co_return false;
        co_return co_await news_.wait(left);
    }

    void resume() {
        // Not from inside the reader's turn: curl may call back at once.
        asio::post(state_->runtime.executor(), [weak = std::weak_ptr(alive_), this] {
            if (weak.expired() || ended_) return;
            curl_easy_pause(easy_, CURLPAUSE_CONT);
            state_->finish_ended();
        });
    }

    static std::size_t on_data(char* data, std::size_t size, std::size_t count, void* self) {
        auto& transfer = *static_cast<Transfer*>(self);
        if (transfer.buffer_.size() >= kBufferLimitBytes) {
            transfer.paused_ = true;
            return CURL_WRITEFUNC_PAUSE;
        }
        transfer.buffer_.append(data, size * count);
        transfer.news_.notify();
        return size * count;
    }

    static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self) {
        auto& transfer = *static_cast<Transfer*>(self);
        std::string_view line(data, size * count);
        transfer.header_bytes_ += line.size();
        if (transfer.header_bytes_ > kHeadersLimitBytes) return 0;  // ends the transfer
        while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
        if (line.starts_with("HTTP/")) {
            transfer.headers_.clear();  // of a 100 before
            return size * count;
        }
        if (line.empty()) {
            long code = 0;
            curl_easy_getinfo(transfer.easy_, CURLINFO_RESPONSE_CODE, &code);
            if (code >= 200) {
                transfer.status_ = static_cast<int>(code);
                transfer.headers_done_ = true;
                transfer.news_.notify();
            }
            return size * count;
        }
        if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
            std::string_view value = line.substr(colon + 1);
            while (value.starts_with(' ')) value.remove_prefix(1);
            transfer.headers_[base::ascii_lower(line.substr(0, colon))] = value;
        }
        return size * count;
    }

    std::shared_ptr<State> state_;
    HttpRequest request_;  // curl reads the body from here
    runtime::Notifier news_;
    CURL* easy_;
    curl_slist* header_lines_ = nullptr;
    std::map<std::string, std::string, std::less<>> headers_;
    std::string buffer_;
    std::optional<base::Error> error_;
    std::size_t header_bytes_ = 0;
    int status_ = 0;
    bool headers_done_ = false;
    bool paused_ = false;
    bool ended_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

void HttpClient::State::start() {
    multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &State::on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &State::on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, kConnectionsKept);
}

void HttpClient::State::close() {
    timer.cancel();
    for (auto& [easy, transfer] : transfers) {
        curl_multi_remove_handle(multi, easy);
        transfer->end(CURLE_ABORTED_BY_CALLBACK);
    }
    for (const Over& over : std::exchange(retired, {})) give_back(over);
    for (CURL* easy : std::exchange(handles, {})) curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
    multi = nullptr;
    for (auto& [fd, socket] : sockets) socket->descriptor.release();
    sockets.clear();
}

CURL* HttpClient::State::take_handle() {
    if (handles.empty()) return curl_easy_init();
    CURL* easy = handles.back();
    handles.pop_back();
    return easy;
}

/// It is taken apart in a turn of its own: whoever waits for the answer does not wait for that.
void HttpClient::State::retire(Over over) {
    retired.push_back(over);
    if (retired.size() > 1) return;
    asio::post(runtime.executor(), [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self || self->multi == nullptr) return;
        for (const Over& one : std::exchange(self->retired, {})) self->give_back(one);
    });
}

void HttpClient::State::give_back(Over over) {
    curl_multi_remove_handle(multi, over.easy);
    curl_slist_free_all(over.header_lines);
    if (handles.size() >= kHandlesKept) return curl_easy_cleanup(over.easy);
    curl_easy_reset(over.easy);
    handles.push_back(over.easy);
}

/// The request leaves in this turn: a timer or a turn more would stand between it and the server.
void HttpClient::State::add(CURL* easy) {
    is_adding = true;
    is_due = false;
    curl_multi_add_handle(multi, easy);
    is_adding = false;
    if (is_due) act(CURL_SOCKET_TIMEOUT, 0);
}

void HttpClient::State::act(curl_socket_t socket, int event) {
    int running = 0;
    curl_multi_socket_action(multi, socket, event, &running);
    finish_ended();
}

void HttpClient::State::finish_ended() {
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi, &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        if (const auto found = transfers.find(message->easy_handle); found != transfers.end()) {
            found->second->end(message->data.result);
        }
    }
}

void HttpClient::State::watch(const std::shared_ptr<Socket>& socket, int fd) {
    const auto wait = [&](asio::posix::stream_descriptor::wait_type type, bool Socket::* pending, int bit,
                          int event) {
        if ((socket->wanted & bit) == 0 || (*socket).*pending) return;
        (*socket).*pending = true;
        socket->descriptor.async_wait(type, [weak = weak_from_this(), socket, fd, pending, bit,
                                             event](boost::system::error_code error) {
            (*socket).*pending = false;
            const auto self = weak.lock();
            if (!self || self->multi == nullptr) return;
            const auto current = self->sockets.find(fd);
            if (current == self->sockets.end() || current->second != socket)
                return;                               // closed, perhaps opened again
            if ((socket->wanted & bit) == 0) return;  // no transfer uses it now
            self->act(fd, error ? CURL_CSELECT_ERR : event);
            if (const auto again = self->sockets.find(fd);
                again != self->sockets.end() && again->second == socket) {
                self->watch(socket, fd);
            }
        });
    };
    wait(asio::posix::stream_descriptor::wait_read, &Socket::reading, CURL_POLL_IN, CURL_CSELECT_IN);
    wait(asio::posix::stream_descriptor::wait_write, &Socket::writing, CURL_POLL_OUT, CURL_CSELECT_OUT);
}

int HttpClient::State::on_socket(CURL*, curl_socket_t fd, int what, void* self_pointer, void*) {
    auto& self = *static_cast<State*>(self_pointer);
    const auto found = self.sockets.find(fd);
    if (what == CURL_POLL_REMOVE) {
        if (found == self.sockets.end()) return 0;
        found->second->wanted = 0;
        // curl 7.88 closes a socket that has not connected yet without a word (mended in curl by a70d97c46c).
        const bool is_kept = found->second->is_connected && self.connections.contains(fd);
        if (is_kept) return 0;
        self.connections.erase(fd);
        self.forget(fd);
        return 0;
    }
    auto socket =
        found != self.sockets.end()
            ? found->second
            : self.sockets.emplace(fd, std::make_shared<Socket>(self.runtime.io(), fd)).first->second;
    socket->wanted = what;
    socket->is_connected = socket->is_connected || (what & CURL_POLL_IN) != 0;
    self.watch(socket, fd);
    return 0;
}

curl_socket_t HttpClient::State::on_open(void* self_pointer, curlsocktype, curl_sockaddr* address) {
    const int fd = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0) return CURL_SOCKET_BAD;
    auto& self = *static_cast<State*>(self_pointer);
    self.forget(fd);  // whatever had the number before has closed
    self.connections.insert(fd);
    return fd;
}

int HttpClient::State::on_close(void* self_pointer, curl_socket_t fd) {
    auto& self = *static_cast<State*>(self_pointer);
    self.connections.erase(fd);
    self.forget(fd);
    return ::close(fd);
}

/// The descriptor is curl's to close.
void HttpClient::State::forget(int fd) {
    const auto found = sockets.find(fd);
    if (found == sockets.end()) return;
    found->second->wanted = 0;
    found->second->descriptor.release();
    sockets.erase(found);
}

int HttpClient::State::on_timer(CURLM*, long timeout_ms, void* self_pointer) {
    auto& self = *static_cast<State*>(self_pointer);
    self.timer.cancel();
    if (timeout_ms < 0) return 0;
    if (timeout_ms == 0) {
        if (self.is_adding) {
            self.is_due = true;
            return 0;
        }
        // "At once" is most of what curl asks for, and setting the kernel's timer for it costs more than the
        // turn.
        asio::post(self.runtime.executor(), [weak = self.weak_from_this()] {
            const auto state = weak.lock();
            if (state && state->multi != nullptr) state->act(CURL_SOCKET_TIMEOUT, 0);
        });
        return 0;
    }
    self.timer.expires_after(std::chrono::milliseconds(timeout_ms));
    self.timer.async_wait([weak = self.weak_from_this()](boost::system::error_code error) {
        const auto state = weak.lock();
        if (error || !state || state->multi == nullptr) return;
        state->act(CURL_SOCKET_TIMEOUT, 0);
    });
    return 0;
}

HttpClient::HttpClient(runtime::Runtime& runtime) : state_(std::make_shared<State>(runtime)) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    state_->start();
}

HttpClient::~HttpClient() {
    state_->close();
}

std::shared_ptr<HttpTransfer> HttpClient::prepare(HttpRequest request) {
    return std::make_shared<State::Transfer>(state_, std::move(request));
}

std::shared_ptr<HttpTransfer> HttpClient::start(HttpRequest request) {
    auto transfer = prepare(std::move(request));
    transfer->begin();
    return transfer;
}

}  // namespace gateway
