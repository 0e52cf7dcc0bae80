#include "request_head.h"

#include "head_check.h"
#include "text.h"

#include <limits>

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

/// Puts what Beast finds straight into our own types: no second container of fields. It is given heads only.
class Parser final : public http::basic_parser<true> {
  public:
    Parser() {
        body_limit(boost::none);
        // The caller has measured the head already.
        header_limit(std::numeric_limits<std::uint32_t>::max());
    }

    RequestHead head;

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
        head.headers.add(view(name), view(value));
    }
    void on_header_impl(beast::error_code& error) override { error = {}; }
    void on_body_init_impl(const boost::optional<std::uint64_t>&, beast::error_code& error) override {
        error = {};
    }
    std::size_t on_body_impl(beast::string_view, beast::error_code& error) override {
        error = {};
        return 0;
    }
    void on_chunk_header_impl(std::uint64_t, beast::string_view, beast::error_code& error) override {
        error = {};
    }
    std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view, beast::error_code& error) override {
        error = {};
        return 0;
    }
    void on_finish_impl(beast::error_code& error) override { error = {}; }
};

}  // namespace

base::Result<RequestHead> parse_request_head(std::string_view head) {
    const auto framing = check_head(head);
    if (!framing) return base::fail(framing.error());
    Parser parser;
    beast::error_code error;
    const auto used = parser.put(boost::asio::buffer(head.data(), head.size()), error);
    // Two readers of one head, and both must have read it alike.
    if (error || used != head.size() || !parser.is_header_done() || parser.chunked() != framing->chunked) {
        return base::fail(base::ErrorKind::invalid, "net.bad_head", "The request's head is malformed.");
    }
    parser.head.content_length = framing->content_length;
    parser.head.chunked = framing->chunked;
    parser.head.keep_alive = parser.keep_alive();
    return std::move(parser.head);
}

}  // namespace net
