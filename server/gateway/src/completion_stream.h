#pragma once

#include "sse_parser.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <base/result.h>

namespace gateway {

/// What a streamed chat completion says, whichever server speaks (OpenAI's dialect as servers really speak
/// it): usage in a chunk without choices or never, `[DONE]` or not, reasoning beside the content, errors
/// inside a 200 stream.
class CompletionStream {
  public:
    struct Usage {
        std::int64_t input_tokens = 0;
        std::int64_t output_tokens = 0;
    };

    /// Takes the next bytes of the body; returns the answer's text that they hold (whole UTF-8 characters).
    /// Errors: model.bad_answer, model.refused (both unavailable; refused only where nothing had come before:
    /// whoever has begun to answer wants to be paid).
    base::Result<std::string> feed(std::string_view bytes);
    /// The end of the body. Errors: model.bad_answer where nothing of the dialect came, or the stream was
    /// cut.
    base::Result<std::string> finish();

    /// Whether any content or reasoning has come: what the first-token deadline waits for.
    bool started() const { return started_; }
    bool done() const { return done_; }
    /// What the server counted; nothing where it did not, or where that cannot be: a prompt is never nothing,
    /// nor is an answer that came.
    std::optional<Usage> usage() const;
    const std::string& finish_reason() const { return finish_reason_; }
    /// Bytes of content and reasoning so far: the upper estimate of the tokens where no usable usage comes.
    std::int64_t received_bytes() const { return received_bytes_; }
    /// Whether more has come than an answer of so many tokens can be: more pieces, each of which is a token
    /// at least; more bytes than so many tokens have in any language; or more by the server's own running
    /// count.
    bool is_longer_than(std::int64_t tokens) const;
    /// What an answer of at most `limit_tokens` spent, where the server does not say: a byte counts as a
    /// token, which is never less than what is true. Who kept to the limit spent no more than that, and who
    /// did not no less, however little of it came.
    std::int64_t estimated_tokens(std::int64_t limit_tokens) const;

  private:
    base::Result<void> take_event(std::string_view data, std::string& text);

    SseParser parser_;
    Usage usage_;  ///< the most that was said: some servers count with every piece
    std::string finish_reason_;
    std::int64_t received_bytes_ = 0;
    std::int64_t pieces_ = 0;  ///< of content and of reasoning
    bool started_ = false;
    bool understood_ = false;
    bool done_ = false;
};

}  // namespace gateway
