#include "completion_stream.h"

#include <algorithm>
#include <array>

#include <base/encoding.h>
#include <base/json.h>
#include <egress/model.h>

namespace gateway {
namespace {

namespace json = base::json;

constexpr std::size_t kChunkBytes = 4096;
constexpr std::size_t kChunkLimitBytes = std::size_t{1024} * 1024;
constexpr std::size_t kChunkDepth = 64;

std::unexpected<base::Error> bad_answer(std::string message) {
    return base::fail(base::ErrorKind::unavailable, "model.bad_answer", std::move(message));
}

}  // namespace

base::Result<std::string> CompletionStream::feed(std::string_view bytes) {
    auto events = parser_.feed(bytes);
    if (!events) return base::fail(std::move(events.error()));
    std::string text;
    for (const std::string& event : *events) {
        if (auto taken = take_event(event, text); !taken) return base::fail(std::move(taken.error()));
    }
    return text;
}

base::Result<std::string> CompletionStream::finish() {
    std::string text;
    if (const auto last = parser_.finish()) {
        // A last event without its blank line counts if it is whole; half a JSON text is a cut stream.
        if (auto taken = take_event(*last, text); !taken) return base::fail(std::move(taken.error()));
    }
    if (!understood_)
        return bad_answer("The model server answered with something other than a stream of completions.");
    if (!done_ && finish_reason_.empty()) return bad_answer("The model server's answer was cut off.");
    return text;
}

std::optional<CompletionStream::Usage> CompletionStream::usage() const {
    const bool counts_too_little =
        usage_.input_tokens == 0 || (usage_.output_tokens == 0 && received_bytes_ > 0);
    return counts_too_little ? std::nullopt : std::optional(usage_);
}

bool CompletionStream::is_longer_than(std::int64_t tokens) const {
    return pieces_ > tokens || received_bytes_ > tokens * egress::kTokenLimitBytes ||
           usage_.output_tokens > tokens;
}

std::int64_t CompletionStream::estimated_tokens(std::int64_t limit_tokens) const {
    return is_longer_than(limit_tokens) ? std::max(received_bytes_, limit_tokens)
                                        : std::min(received_bytes_, limit_tokens);
}

base::Result<void> CompletionStream::take_event(std::string_view data, std::string& text) {
    if (done_) return {};
    if (data == "[DONE]") {
        understood_ = done_ = true;
        return {};
    }
    // A chunk a token, each read and dropped at once: most fit here, and need no allocation.
    std::array<unsigned char, kChunkBytes> buffer;
    json::monotonic_resource memory(buffer.data(), buffer.size());
    const auto value = base::parse_json(data, kChunkLimitBytes, kChunkDepth, &memory);
    if (!value || !value->is_object()) return bad_answer("The model server sent a chunk that is not JSON.");
    const json::object& chunk = value->get_object();
    // Some servers say in each chunk that there is none.
    if (const auto* error = chunk.if_contains("error"); error != nullptr && !error->is_null()) {
        if (received_bytes_ > 0) return bad_answer("The model server broke its answer off with an error.");
        return base::fail(base::ErrorKind::unavailable, "model.refused",
                          "The model server reported an error.");
    }
    if (const json::object* usage = base::get_object(chunk, "usage")) {
        const auto input = base::get_int(*usage, "prompt_tokens");
        const auto output = base::get_int(*usage, "completion_tokens");
        if (input && output && *input >= 0 && *output >= 0)
            usage_ = {std::max(usage_.input_tokens, *input), std::max(usage_.output_tokens, *output)};
        understood_ = true;
    }
    const json::array* choices = base::get_array(chunk, "choices");
    if (choices == nullptr || choices->empty()) return {};
    const json::object* choice = choices->front().if_object();
    if (choice == nullptr) return bad_answer("The model server sent a choice that is no object.");
    understood_ = true;
    if (const auto reason = base::get_string(*choice, "finish_reason")) finish_reason_ = *reason;
    const json::object* delta = base::get_object(*choice, "delta");
    if (delta == nullptr) return {};
    const auto piece_of = [&](std::string_view name) {
        const auto piece = base::get_string(*delta, name).value_or(std::string_view{});
        received_bytes_ += static_cast<std::int64_t>(piece.size());
        return piece;
    };
    // Some servers say the same under both names.
    const auto reasoning_content = piece_of("reasoning_content");
    const auto reasoning = piece_of("reasoning");
    const auto content = piece_of("content");
    if (!reasoning_content.empty() || !reasoning.empty()) ++pieces_;
    if (!content.empty()) ++pieces_;
    started_ = started_ || pieces_ > 0;
    text += content;
    return {};
}

}  // namespace gateway
