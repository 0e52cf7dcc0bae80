#include "completion_stream.h"

#include "completion_chunk.h"

#include <algorithm>

#include <egress/model.h>

namespace gateway {
namespace {

constexpr std::size_t kChunkDepth = 64;

std::unexpected<base::Error> bad_answer(std::string message) {
    return base::fail(base::ErrorKind::unavailable, "model.bad_answer", std::move(message));
}

}  // namespace

base::Result<std::string> CompletionStream::feed(std::string_view bytes) {
    std::string text;
    const auto taken = parser_.feed(bytes, [&](std::string_view event) { return take_event(event, text); });
    if (!taken) return base::fail(taken.error());
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
    const auto chunk = read_completion_chunk(data, kChunkDepth);
    if (!chunk) return bad_answer("The model server sent a chunk that is not JSON.");
    if (chunk->reports_error) {
        if (received_bytes_ > 0) return bad_answer("The model server broke its answer off with an error.");
        return base::fail(base::ErrorKind::unavailable, "model.refused",
                          "The model server reported an error.");
    }
    if (chunk->has_usage) {
        const auto& input = chunk->input_tokens;
        const auto& output = chunk->output_tokens;
        if (input && output && *input >= 0 && *output >= 0)
            usage_ = {std::max(usage_.input_tokens, *input), std::max(usage_.output_tokens, *output)};
        understood_ = true;
    }
    if (chunk->choice == CompletionChunk::Choice::none) return {};
    if (chunk->choice == CompletionChunk::Choice::other)
        return bad_answer("The model server sent a choice that is no object.");
    understood_ = true;
    if (chunk->finish_reason) finish_reason_ = *chunk->finish_reason;
    // Some servers say the same under both names.
    const bool reasons = !chunk->reasoning_content.empty() || !chunk->reasoning.empty();
    received_bytes_ += static_cast<std::int64_t>(chunk->reasoning_content.size() + chunk->reasoning.size() +
                                                 chunk->content.size());
    if (reasons) ++pieces_;
    if (!chunk->content.empty()) ++pieces_;
    started_ = started_ || pieces_ > 0;
    text += chunk->content;
    return {};
}

}  // namespace gateway
