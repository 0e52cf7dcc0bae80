#include "request_parser.h"

#include "head_check.h"
#include "text.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

namespace net {

namespace beast = boost::beast;
namespace http = beast::http;

namespace {

std::optional<Method> to_method(http::verb verb) {
    switch (verb) {
        case http::verb::get:
            return Method::get;
        case http::verb::head:
            return Method::head;
        case http::verb::post:
            return Method::post;
        case http::verb::put:
            return Method::put;
        case http::verb::delete_:
            return Method::del;
        case http::verb::patch:
            return Method::patch;
        case http::verb::options:
            return Method::options;
        default:
            return std::nullopt;
    }
}

std::string_view view(beast::string_view text) {
    return {text.data(), text.size()};
}

/// Puts what Beast finds straight into our own types: no second container of fields.
class Parser final : public http::basic_parser<true> {
  public:
    Parser() {
        eager(true);
        body_limit(boost::none);
        // The caller has measured the head already.
        header_limit(std::numeric_limits<std::uint32_t>::max());
    }

    RequestHead head;
    std::string* sink = nullptr;

  private:
    void on_request_impl(http::verb method, beast::string_view, beast::string_view target, int version,
                         beast::error_code& error) override {
        error = {};
        head.method = to_method(method);
        head.target = view(target);
        head.is_1_0 = version == 10;
    }
    void on_response_impl(int, beast::string_view, int, beast::error_code& error) override { error = {}; }
    void on_field_impl(http::field, beast::string_view name, beast::string_view value,
                       beast::error_code& error) override {
        error = {};
        // Trailers come through here too, and must not pass for header fields.
        if (!is_header_done()) head.headers.add(view(name), view(value));
    }
    void on_header_impl(beast::error_code& error) override { error = {}; }
    void on_body_init_impl(const boost::optional<std::uint64_t>&, beast::error_code& error) override {
        error = {};
    }
    std::size_t on_body_impl(beast::string_view body, beast::error_code& error) override {
        error = {};
        sink->append(body.data(), body.size());
        return body.size();
    }
    void on_chunk_header_impl(std::uint64_t, beast::string_view extensions,
                              beast::error_code& error) override {
        error = {};
        // Nobody needs them, and parsers that disagree on them are a way to smuggle requests.
        if (!extensions.empty()) error = http::error::bad_chunk_extension;
    }
    std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body,
                                   beast::error_code& error) override {
        error = {};
        sink->append(body.data(), body.size());
        return body.size();
    }
    void on_finish_impl(beast::error_code& error) override { error = {}; }
};

}  // namespace

struct RequestParser::State {
    Parser parser;
};

RequestParser::RequestParser() : state_(std::make_unique<State>()) {}
RequestParser::~RequestParser() = default;
RequestParser::RequestParser(RequestParser&&) noexcept = default;
RequestParser& RequestParser::operator=(RequestParser&&) noexcept = default;

base::Result<RequestHead> RequestParser::parse_head(std::string_view head) {
    const auto framing = check_head(head);
    if (!framing) return base::fail(framing.error());
    auto& parser = state_->parser;
    beast::error_code error;
    const auto used = parser.put(boost::asio::buffer(head.data(), head.size()), error);
    if (error == http::error::need_more && parser.is_header_done()) error = {};
    if (error || used != head.size() || !parser.is_header_done()) {
        return base::fail(base::ErrorKind::invalid, "net.bad_head", "The request's head is malformed.");
    }
    // Two readers of one head, and both must have read the same length.
    if (parser.chunked() != framing->chunked) {
        return base::fail(base::ErrorKind::invalid, "net.bad_head", "The request's length is ambiguous.");
    }
    parser.head.content_length = framing->content_length;
    parser.head.chunked = framing->chunked;
    parser.head.keep_alive = parser.keep_alive();
    return std::move(parser.head);
}

void RequestParser::set_body_limit(std::uint64_t limit_bytes) {
    state_->parser.body_limit(limit_bytes);
}

base::Result<std::size_t> RequestParser::parse_body(std::string_view bytes, std::string& out) {
    auto& parser = state_->parser;
    std::size_t used = 0;
    parser.sink = &out;
    while (!parser.is_done() && used < bytes.size()) {
        beast::error_code error;
        const auto step = parser.put(boost::asio::buffer(bytes.data() + used, bytes.size() - used), error);
        used += step;
        if (error == http::error::need_more) break;
        if (error == http::error::body_limit) {
            return base::fail(base::ErrorKind::too_large, "net.body_too_large", "The body is too large.");
        }
        if (error)
            return base::fail(base::ErrorKind::invalid, "net.bad_body", "The body's chunks are malformed.");
        if (step == 0) break;
    }
    parser.sink = nullptr;
    return used;
}

bool RequestParser::body_done() const {
    return state_->parser.is_done();
}

}  // namespace net
