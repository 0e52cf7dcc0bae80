#include "chips.h"

#include <algorithm>
#include <map>

namespace assistant::offline {
namespace {

/// Below these cosines nothing is offered. Set on the development cases, so that about four in five messages
/// that fit nothing meet silence.
constexpr double kChineseFloor = 0.10;
constexpr double kEnglishFloor = 0.17;
/// An intent that leads by this factor is taken as understood: its three stances are offered.
constexpr double kClearLead = 1.25;
/// What was said before counts for this much of what is said now.
constexpr double kContextShare = 0.15;
constexpr std::size_t kContextTurns = 3;
constexpr std::size_t kMessageLimitBytes = 600;
constexpr std::size_t kCandidates = 8;
/// Of each of a person's messages this much tells their language, so that one pasted article does not
/// outweigh the others.
constexpr std::size_t kTellingLimitBytes = 60;

std::unique_ptr<Classifier> build(Language language) {
    std::vector<Intent> intents;
    for (const std::string_view text : embedded_intents(language)) {
        for (Intent& intent : read_intents(text)) intents.push_back(std::move(intent));
    }
    return std::make_unique<Classifier>(std::move(intents), language);
}

/// A link or code asks for no canned reply.
bool is_no_prose(std::string_view message) {
    return message.find("://") != std::string_view::npos || message.find("```") != std::string_view::npos ||
           message.find("();") != std::string_view::npos || message.find("==") != std::string_view::npos;
}

const Reply* pick(const Intent& intent, Stance stance, std::span<const Turn> conversation,
                  const std::vector<Chip>& chosen) {
    for (const Reply& reply : intent.replies) {
        if (reply.stance != stance) continue;
        const bool said = std::ranges::any_of(
            conversation, [&](const Turn& turn) { return turn.own && turn.text == reply.text; });
        const bool offered =
            std::ranges::any_of(chosen, [&](const Chip& chip) { return chip.text == reply.text; });
        if (!said && !offered) return &reply;
    }
    return nullptr;
}

}  // namespace

std::optional<Language> language_written_in(std::span<const std::string> messages) {
    std::string all;
    for (const std::string& message : messages) {
        if (!is_no_prose(message)) all.append(message, 0, kTellingLimitBytes).append("\n");
    }
    return language_if_told(all);
}

Chips::Chips() : chinese_(build(Language::chinese)), english_(build(Language::english)) {}
Chips::~Chips() = default;

const Chips& Chips::built() {
    static const Chips chips;
    return chips;
}

const Classifier& Chips::classifier_for(Language language) const {
    return language == Language::chinese ? *chinese_ : *english_;
}

std::vector<Classifier::Match> Chips::understand(std::string_view message) const {
    if (message.size() > kMessageLimitBytes || is_no_prose(message)) return {};
    const Language language = language_of(message);
    auto matches = classifier_for(language).rank(message, kCandidates);
    const double floor = language == Language::chinese ? kChineseFloor : kEnglishFloor;
    if (matches.empty() || matches.front().score < floor) return {};
    return matches;
}

const Intent* Chips::counterpart(const Intent& intent, Language language) const {
    const auto& intents = classifier_for(language).intents();
    const auto found = std::ranges::find(intents, intent.name, &Intent::name);
    return found == intents.end() ? nullptr : &*found;
}

std::vector<Chip> Chips::suggest(std::span<const Turn> conversation,
                                 std::optional<Language> reply_language) const {
    if (conversation.empty() || conversation.back().own) return {};
    auto matches = understand(conversation.back().text);
    if (matches.empty()) return {};

    // What was said just before tips the scale between intents that the message itself leaves close.
    const Language language = language_of(conversation.back().text);
    std::map<const Intent*, double> context;
    for (std::size_t back = 1; back <= kContextTurns && back < conversation.size(); ++back) {
        const Turn& turn = conversation[conversation.size() - 1 - back];
        if (language_of(turn.text) != language || turn.text.size() > kMessageLimitBytes) continue;
        for (const auto& match : classifier_for(language).rank(turn.text, kCandidates)) {
            context[match.intent] += match.score / static_cast<double>(back);
        }
    }
    for (auto& match : matches) {
        if (const auto found = context.find(match.intent); found != context.end())
            match.score += kContextShare * found->second;
    }
    std::ranges::sort(matches, std::ranges::greater{}, &Classifier::Match::score);

    std::vector<Chip> chips;
    const auto offer = [&](const Intent& understood, Stance stance) {
        const Intent* intent = counterpart(understood, reply_language.value_or(language));
        if (intent == nullptr) return;
        if (const Reply* reply = pick(*intent, stance, conversation, chips))
            chips.push_back({reply->text, stance, intent->name});
    };
    const bool clear = matches.size() < 2 || matches[0].score >= kClearLead * matches[1].score;
    offer(*matches[0].intent, Stance::accept);
    if (clear) {
        offer(*matches[0].intent, Stance::ask);
        offer(*matches[0].intent, Stance::decline);
    } else {
        offer(*matches[1].intent, Stance::accept);
        if (matches.size() > 2) offer(*matches[2].intent, Stance::accept);
    }
    for (const auto& match : matches) {
        for (const Stance stance : {Stance::ask, Stance::decline, Stance::accept}) {
            if (chips.size() < 3) offer(*match.intent, stance);
        }
    }
    if (chips.size() < 3) return {};
    return chips;
}

}  // namespace assistant::offline
