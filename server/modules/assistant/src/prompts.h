#pragma once

#include "excerpt.h"

#include <string>
#include <string_view>
#include <vector>

#include <egress/model.h>

namespace assistant {

/// Prompts: instructions of ours in the system message; the words of people only as quoted JSON in the user's
/// message, which the instructions say is never to be obeyed.

/// In the language in which the person writes; where the excerpt holds nothing of theirs in `language`, and
/// where that is empty in the conversation's.
std::vector<egress::PromptMessage> suggestions_prompt(const Excerpt& excerpt, std::string_view language);
std::vector<egress::PromptMessage> translation_prompt(std::string_view text,
                                                      std::string_view target_language);

struct Exchange {
    std::string question;
    std::string answer;
};
/// What the asker and the assistant said before, oldest first, then the question.
std::vector<egress::PromptMessage> conversation_prompt(const std::vector<Exchange>& before,
                                                       std::string_view question);

/// Whether `code` can be a language ("zh", "en-GB", "zh-Hant").
bool is_language(std::string_view code);

/// The suggestions in a model's answer: the JSON that was asked for, also inside a code block or beside
/// chatter; else its lines, without numbers and bullets. At most three, different, on one line each, made
/// inert.
std::vector<std::string> read_suggestions(std::string_view answer);

}  // namespace assistant
