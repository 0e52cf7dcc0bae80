// Bytes of a connection: the head's scanner and check, Beast's parser, and the decoder of bodies of each
// framing, fed in pieces. What must hold: no fault, nothing read past the head, a body never over its limit,
// and the same outcome however the bytes are cut.
#include "body_decoder.h"
#include "fuzz.h"
#include "head_check.h"
#include "request_head.h"

#include <string>
#include <string_view>

namespace {

using fuzz::require;

constexpr std::uint64_t kBodyLimitBytes = 4096;

struct Outcome {
    std::string code;
    std::string target;
    std::string body;
    bool body_done = false;
    bool operator==(const Outcome&) const = default;
};

Outcome read_request(std::string_view bytes, std::size_t step) {
    Outcome outcome;
    net::HeadScanner scanner;
    auto state = net::HeadScanner::State::need_more;
    std::size_t come = 0;
    while (state == net::HeadScanner::State::need_more && come < bytes.size()) {
        come = std::min(bytes.size(), come + step);
        state = scanner.scan(bytes.substr(0, come));
    }
    if (state != net::HeadScanner::State::complete) {
        outcome.code = state == net::HeadScanner::State::bad ? "bad" : "more";
        return outcome;
    }
    require(scanner.size() <= bytes.size());
    const auto head = net::parse_request_head(bytes.substr(0, scanner.size()));
    if (!head) {
        outcome.code = head.error().code;
        return outcome;
    }
    require(!(head->chunked && head->content_length));
    outcome.target = head->target;
    net::BodyDecoder decoder(head->content_length, head->chunked, kBodyLimitBytes);
    auto rest = bytes.substr(scanner.size());
    while (!decoder.done() && !rest.empty()) {
        const auto piece = rest.substr(0, step);
        const auto used = decoder.take(piece, outcome.body);
        if (!used) {
            outcome.code = used.error().code;
            break;
        }
        require(*used == piece.size() || (decoder.done() && *used < piece.size()));
        rest.remove_prefix(*used);
    }
    outcome.body_done = decoder.done();
    if (head->chunked) require(outcome.body.size() <= kBodyLimitBytes);
    if (head->content_length) require(outcome.body.size() <= *head->content_length);
    return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = fuzz::text_of(data, size);
    const auto whole = read_request(bytes, size + 1);
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}}) {
        const auto cut = read_request(bytes, step);
        require(cut.code == whole.code && cut.body_done == whole.body_done && cut.target == whole.target);
        // A body that is refused on its way may have given out more or less before.
        if (whole.body_done) require(cut.body == whole.body);
    }
    return 0;
}
