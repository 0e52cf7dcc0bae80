#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace assistant {

/// Makes text of a model harmless as it streams by: control characters (but line breaks and tabs), overrides
/// of the direction of writing, invisible tags and interlinear marks go; so does white space at both ends;
/// what is over the limit is cut. It stays plain text: nobody renders it as HTML.
class InertText {
  public:
    explicit InertText(std::size_t limit_bytes) : limit_bytes_(limit_bytes) {}

    /// What of `piece` (whole UTF-8 characters; broken bytes are dropped) may be shown now.
    std::string feed(std::string_view piece);
    /// All that was shown so far.
    const std::string& text() const { return text_; }
    bool is_full() const { return full_; }

  private:
    std::size_t limit_bytes_;
    std::string text_;
    std::string space_;  ///< white space that is shown only when something follows it
    bool full_ = false;
};

/// The same for a whole text on one line: every run of white space becomes one space.
std::string inert_line(std::string_view text, std::size_t limit_bytes);

}  // namespace assistant
