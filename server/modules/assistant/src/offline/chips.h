#pragma once

#include "classifier.h"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace assistant::offline {

/// A message of the conversation, newest last.
struct Turn {
    bool own;  ///< of the person whom the chips are for
    std::string text;
};

/// The language that a person's own messages (the newest first) are in; nothing where none tells it. A link
/// or code tells nothing.
std::optional<Language> language_written_in(std::span<const std::string> messages);

struct Chip {
    std::string text;
    Stance stance;
    std::string intent;
};

/// Reply suggestions without a model: three, or none where nothing fits. Immutable; any thread.
class Chips {
  public:
    /// Builds the indexes from the embedded intents: about a tenth of a second, so not on the start path.
    Chips();
    /// The one of this process, built when it is first asked for: it depends on nothing but the executable.
    static const Chips& built();
    ~Chips();

    /// Chips for the last turn, which must be somebody else's. Ranked by the message first, then by what was
    /// said before it; a reply that the person has just written is not offered again. The message is
    /// understood in its own language; the replies are those of the same intent in `reply_language`, else in
    /// the message's.
    std::vector<Chip> suggest(std::span<const Turn> conversation,
                              std::optional<Language> reply_language = std::nullopt) const;

    /// The ranking behind suggest(), for the evaluation: empty where it keeps silent.
    std::vector<Classifier::Match> understand(std::string_view message) const;

  private:
    const Classifier& classifier_for(Language language) const;
    /// The intent of the same name in that language.
    const Intent* counterpart(const Intent& intent, Language language) const;

    std::unique_ptr<Classifier> chinese_;
    std::unique_ptr<Classifier> english_;
};

}  // namespace assistant::offline
