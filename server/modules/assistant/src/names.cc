#include "names.h"

#include <algorithm>
#include <cctype>

#include <base/encoding.h>

namespace assistant {
namespace {

/// A, B, … Z, AA, AB, …
std::string letters_of(std::size_t index) {
    std::string letters;
    for (;;) {
        letters.insert(letters.begin(), static_cast<char>('A' + index % 26));
        if (index < 26) return letters;
        index = index / 26 - 1;
    }
}

std::string word_of(std::string_view letters, bool chinese) {
    return (chinese ? "人物" : "Person ") + std::string(letters);
}

bool is_word_byte(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

bool is_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// Two Han characters are six bytes; of Latin letters three make a name.
bool can_be_told_from_words(std::string_view name) {
    return name.size() >= (is_ascii(name) ? 3 : 6);
}

bool stands_alone(std::string_view text, std::size_t at, std::size_t size) {
    const bool open_before = at == 0 || !is_word_byte(text[at - 1]) || !is_word_byte(text[at]);
    const std::size_t end = at + size;
    return open_before && (end == text.size() || !is_word_byte(text[end]) || !is_word_byte(text[end - 1]));
}

}  // namespace

std::string Names::stand_in(std::string_view name, bool chinese) {
    for (const Entry& entry : entries_) {
        if (!entry.is_alias && entry.name == name) return word_of(entry.letters, entry.chinese);
    }
    const auto people = std::ranges::count(entries_, false, &Entry::is_alias);
    const Entry entry{std::string(name), letters_of(static_cast<std::size_t>(people)), chinese, false};
    entries_.push_back(entry);
    add_parts(entry);
    return word_of(entry.letters, chinese);
}

void Names::add_parts(const Entry& whole) {
    const std::string_view name = whole.name;
    if (!name.contains(' ')) return;
    for (std::size_t begin = 0; begin < name.size();) {
        const auto end = std::min(name.find(' ', begin), name.size());
        const std::string part(name.substr(begin, end - begin));
        begin = end + 1;
        const bool is_known = std::ranges::find(entries_, part, &Entry::name) != entries_.end();
        if (!is_known && can_be_told_from_words(part))
            entries_.push_back({part, whole.letters, whole.chinese, true, true});
    }
}

void Names::add_alias(std::string_view name, std::string_view alias) {
    if (std::ranges::find(entries_, alias, &Entry::name) != entries_.end()) return;
    const auto person = std::ranges::find_if(
        entries_, [&](const Entry& entry) { return !entry.is_alias && entry.name == name; });
    if (person == entries_.end()) return;
    const Entry entry{std::string(alias), person->letters, person->chinese, true};
    entries_.push_back(entry);
    add_parts(entry);
}

std::string Names::hide(std::string_view text) const {
    std::vector<const Entry*> order;
    for (const Entry& entry : entries_) {
        if (can_be_told_from_words(entry.name)) order.push_back(&entry);
    }
    // The longest first; of those that are alike, who is called so before who is also called so.
    std::ranges::sort(order, std::ranges::greater{},
                      [](const Entry* entry) { return std::pair(entry->name.size(), !entry->is_alias); });
    std::vector<std::string> lowered;
    lowered.reserve(order.size());
    for (const Entry* entry : order) lowered.push_back(base::ascii_lower(entry->name));
    const std::string lower = base::ascii_lower(text);
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t found = order.size();
        for (std::size_t i = 0; i < order.size() && found == order.size(); ++i) {
            const bool is_here = order[i]->is_part ? text.substr(at).starts_with(order[i]->name)
                                                   : lower.compare(at, lowered[i].size(), lowered[i]) == 0;
            if (is_here && stands_alone(lower, at, lowered[i].size())) found = i;
        }
        if (found == order.size()) {
            out += text[at++];
        } else {
            out += word_of(order[found]->letters, order[found]->chinese);
            at += lowered[found].size();
        }
    }
    return out;
}

Names::Restorer::Restorer(const Names& names) {
    for (const Entry& entry : names.entries_) {
        if (entry.is_alias) continue;
        for (const bool chinese : {true, false})
            words_.emplace_back(word_of(entry.letters, chinese), entry.name);
    }
    std::ranges::sort(words_, std::ranges::greater{}, [](const auto& word) { return word.first.size(); });
    for (const auto& [word, name] : words_) longest_ = std::max(longest_, word.size());
}

std::string Names::Restorer::feed(std::string_view piece) {
    held_ += piece;
    return take(false);
}

std::string Names::Restorer::finish() {
    return take(true);
}

std::string Names::Restorer::take(bool is_last) {
    std::string out;
    std::size_t at = 0;
    while (at < held_.size()) {
        const std::string_view rest = std::string_view(held_).substr(at);
        const auto word =
            std::ranges::find_if(words_, [&](const auto& entry) { return rest.starts_with(entry.first); });
        const bool may_go_on =
            !is_last && rest.size() <= longest_ &&
            std::ranges::any_of(words_, [&](const auto& entry) { return entry.first.starts_with(rest); });
        // One byte more tells "Person A" from "Person AB" and "Person Ann".
        if (may_go_on || (word != words_.end() && !is_last && rest.size() == word->first.size())) break;
        if (word != words_.end() && stands_alone(held_, at, word->first.size())) {
            out += word->second;
            at += word->first.size();
        } else {
            out += held_[at++];
        }
    }
    held_.erase(0, at);
    return out;
}

}  // namespace assistant
