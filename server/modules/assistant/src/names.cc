#include "names.h"

#include "offline/everyday_words.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <tuple>

#include <unicode/uchar.h>

#include <base/encoding.h>

namespace assistant {
namespace {

/// Longer ones are no stand-in's: three letters are enough for 18,278 people.
constexpr std::size_t kLettersLimit = 3;

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

bool is_letter(char c) {
    return std::isalpha(static_cast<unsigned char>(c)) != 0;
}

bool is_continuation(char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

/// Of scripts with large and small letters, whose words stand apart.
bool is_word(char32_t c) {
    if (c < 0x80) return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
    return u_hasBinaryProperty(static_cast<UChar32>(c), UCHAR_CASED) != 0;
}

bool is_word_byte(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// Two Han characters are six bytes; of letters three make a name.
bool can_be_told_from_words(std::string_view name) {
    constexpr std::size_t kBytes = 6;
    constexpr std::size_t kLetters = 3;
    std::size_t letters = 0;
    bool is_ascii = true;
    bool any_letter = false;
    for (std::size_t at = 0; at < name.size(); ++at) {
        if (is_continuation(name[at])) continue;
        const auto c = character_at(name, at);
        is_ascii = is_ascii && c < 0x80;
        any_letter = any_letter || is_word(c);
        if (c >= 0x80 ? u_isalpha(static_cast<UChar32>(c)) != 0 : true) ++letters;
    }
    return (any_letter && letters >= kLetters) || (!is_ascii && name.size() >= kBytes);
}

/// In the text of a model, whose stand-ins are ASCII.
bool stands_alone(std::string_view text, std::size_t at, std::size_t size) {
    const bool open_before = at == 0 || !is_word_byte(text[at - 1]) || !is_word_byte(text[at]);
    const std::size_t end = at + size;
    return open_before && (end == text.size() || !is_word_byte(text[end]) || !is_word_byte(text[end - 1]));
}

/// Whether a name that begins with `first` begins no word's middle ("мира" holds no "Ира"). What stands
/// before it is looked at as it was written: folded, "①" is a digit.
bool begins_word(std::string_view written, std::size_t begun, char32_t first) {
    const auto before = character_before(written, begun);
    return !before || !is_word(*before) || !is_word(first);
}

/// Whether one that ends here ends with the word. Beyond ASCII a name may go on: many languages decline it. A
/// mark that folds to nothing (U+200B) stands between words.
bool ends_word(std::string_view written, std::size_t ended) {
    return ended == written.size() || !is_word_byte(written[ended]) || !is_word_byte(written[ended - 1]);
}

bool stands_after_at(std::string_view text, std::size_t at) {
    const auto before = text.substr(0, at);
    return before.ends_with('@');
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// "王小波（市场部）", "Emma_Hart", "玛丽·居里": what stands between is between names too.
std::string with_parts_apart(std::string_view name) {
    constexpr std::array<std::string_view, 18> kBetween{"\t", "\xC2\xA0", "　", "·",  "・", "_",
                                                        "|",  "/",        "(",  ")",  "（", "）",
                                                        "[",  "]",        "【", "】", ",",  "，"};
    std::string apart;
    while (!name.empty()) {
        const auto* between =
            std::ranges::find_if(kBetween, [&](std::string_view mark) { return name.starts_with(mark); });
        if (between != kBetween.end()) {
            apart += ' ';
            name.remove_prefix(between->size());
        } else {
            apart += name.front();
            name.remove_prefix(1);
        }
    }
    return apart;
}

/// "小波" of "王小波": how people who know each other say a Chinese name of three or four characters. Empty
/// where it is none, or its given name is a word of every day.
std::string_view given_name_of(std::string_view name) {
    constexpr std::size_t kCharacter = 3;
    const bool is_long_enough = name.size() == 3 * kCharacter || name.size() == 4 * kCharacter;
    if (!is_long_enough) return {};
    for (std::size_t at = 0; at < name.size(); at += kCharacter) {
        const auto first = static_cast<unsigned char>(name[at]);
        if (first < 0xE4 || first > 0xE9) return {};  // U+4000 to U+9FFF
    }
    const auto given = name.substr(name.size() - 2 * kCharacter);
    return offline::are_everyday_characters(given) ? std::string_view{} : given;
}

}  // namespace

void Names::avoid(std::string_view text) {
    constexpr std::string_view kWord = "person";
    for (std::size_t at = 0; at < text.size();) {
        auto end = at;
        while (end < text.size() && is_letter(text[end])) ++end;
        auto run = base::ascii_lower(text.substr(at, std::min(end - at, kWord.size() + kLettersLimit + 1)));
        at = std::max(end, at + 1);
        if (run.starts_with(kWord)) run.erase(0, kWord.size());  // "PersonA" is set right by models
        if (run.empty() || run.size() > kLettersLimit) continue;
        std::ranges::transform(run, run.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
        avoided_.insert(std::move(run));
    }
}

std::string Names::free_letters() {
    for (;;) {
        auto letters = letters_of(next_letters_++);
        if (!avoided_.contains(letters)) return letters;
    }
}

std::size_t Names::person_of(std::string_view name, bool chinese) {
    name = base::utf8_prefix(name, kNameLimitBytes);
    if (const auto known = by_name_.find(name); known != by_name_.end()) return known->second;
    const auto person = people_.size();
    people_.push_back({std::string(name), free_letters(), chinese});
    by_name_.emplace(name, person);
    return person;
}

void Names::add(std::string_view name, bool chinese) {
    const auto before = people_.size();
    const auto person = person_of(name, chinese);
    if (person < before) return;
    add_entry(name, person, Written::in_any_case, false);
    add_parts(name, person);
}

std::string Names::stand_in(std::string_view name, bool chinese) {
    add(name, chinese);
    Person& person = people_[person_of(name, chinese)];
    person.is_given = true;
    return word_of(person.letters, person.chinese);
}

void Names::add_alias(std::string_view name, std::string_view alias) {
    const auto known = by_name_.find(base::utf8_prefix(name, kNameLimitBytes));
    if (known == by_name_.end()) return;
    add_entry(alias, known->second, Written::in_any_case, true);
    if (!alias.starts_with('@')) add_parts(alias, known->second);
}

void Names::add_remark(std::string_view name, std::string_view remark) {
    const auto known = by_name_.find(base::utf8_prefix(name, kNameLimitBytes));
    const auto word = folded(remark);
    const bool is_everyday = offline::is_everyday_word(word) || offline::are_everyday_characters(word);
    if (known == by_name_.end() || is_everyday) return;
    add_entry(remark, known->second, Written::in_any_case, true, true);
    add_parts(remark, known->second);
}

void Names::add_handle(std::string_view name, std::string_view handle) {
    const auto known = by_name_.find(base::utf8_prefix(name, kNameLimitBytes));
    if (known == by_name_.end()) return;
    const bool is_word = offline::is_everyday_word(folded(handle));
    add_entry(handle, known->second, is_word ? Written::after_at : Written::in_any_case, true);
}

void Names::add_parts(std::string_view name, std::size_t person) {
    // Whole names go before parts of names.
    const auto add_part = [&](std::string_view part) {
        const bool is_known = known_.contains("a" + folded(part));
        if (!part.empty() && !is_known && entries_.size() < kEntriesLimit / 2)
            add_entry(part, person, Written::as_it_is, true);
    };
    const auto apart = with_parts_apart(base::utf8_prefix(name, kNameLimitBytes));
    std::size_t parts = 0;
    for (std::size_t begin = 0; begin < apart.size() && parts < kPartsLimit;) {
        const auto end = std::min(apart.find(' ', begin), apart.size());
        const auto part = std::string_view(apart).substr(begin, end - begin);
        begin = end + 1;
        if (!can_be_told_from_words(part)) continue;
        ++parts;
        if (part.size() < apart.size()) add_part(part);
        add_part(given_name_of(part));
    }
}

void Names::add_entry(std::string_view name, std::size_t person, Written written, bool is_alias,
                      bool is_remark) {
    const auto whole = trimmed(name);
    const auto cut = base::utf8_prefix(whole, kNameLimitBytes);
    if (entries_.size() >= kEntriesLimit) return;
    auto looked_for = folded(cut);
    if (looked_for.empty()) return;
    if (!can_be_told_from_words(looked_for)) written = Written::after_at;
    const auto in_case = written == Written::as_it_is ? composed(cut) : std::string{};
    // Who is called so goes before who is also called so; of these, the first.
    constexpr std::string_view kWays = "aw@";
    const auto way = kWays[static_cast<std::size_t>(written)];
    if (!known_.insert(way + (in_case.empty() ? looked_for : in_case)).second && is_alias) return;
    entries_.push_back(
        {std::move(looked_for), in_case, person, written, is_alias, cut.size() < whole.size(), is_remark});
    is_sorted_ = false;
}

void Names::sort_entries() {
    if (is_sorted_) return;
    by_first_.clear();
    for (std::size_t i = 0; i < entries_.size(); ++i)
        by_first_[character_at(entries_[i].name, 0)].push_back(i);
    for (auto& [first, entries] : by_first_) {
        std::ranges::sort(entries, [this](std::size_t one, std::size_t other) {
            const auto rank = [this](std::size_t i) {
                return std::tuple(-static_cast<std::ptrdiff_t>(entries_[i].name.size()), entries_[i].is_alias,
                                  i);
            };
            return rank(one) < rank(other);
        });
    }
    is_sorted_ = true;
}

const Names::Entry* Names::entry_at(std::string_view written, const Folded& text, std::size_t at) const {
    const std::string_view all = text.text();
    const auto begun = text.written_at(at);
    const auto first = character_at(all, at);
    const auto candidates = by_first_.find(first);
    if (!begun || candidates == by_first_.end() || !begins_word(written, *begun, first)) return nullptr;
    for (const std::size_t i : candidates->second) {
        const Entry& entry = entries_[i];
        const auto end = at + entry.name.size();
        if (!all.substr(at).starts_with(entry.name)) continue;
        const auto ended = text.written_at(end);
        if (!ended) continue;  // "ss" is a part of "ß"
        if (!entry.is_cut && !ends_word(written, *ended)) continue;
        if (entry.written == Written::as_it_is &&
            composed(written.substr(*begun, *ended - *begun)) != entry.in_case)
            continue;
        if (entry.written == Written::after_at && !stands_after_at(all, at)) continue;
        return &entry;
    }
    return nullptr;
}

std::string Names::hide(std::string_view written) {
    sort_entries();
    const Folded text(written);
    std::string out;
    std::size_t kept = 0;  // of what was written, up to here
    for (std::size_t at = 0; at < text.text().size();) {
        const Entry* entry = entry_at(written, text, at);
        if (entry == nullptr) {
            ++at;
            continue;
        }
        const auto begun = *text.written_at(at);
        at += entry->name.size();
        Person& person = people_[entry->person];
        person.is_given = true;
        if (entry->is_remark && person.said.empty())
            person.said = written.substr(begun, *text.written_at(at) - begun);
        out += written.substr(kept, begun - kept);
        out += word_of(person.letters, person.chinese);
        kept = *text.written_at(at);
    }
    out += written.substr(kept);
    return out;
}

Names::Restorer::Restorer(const Names& names) {
    for (const Person& person : names.people_) {
        if (!person.is_given) continue;
        for (const bool chinese : {true, false})
            words_.emplace_back(word_of(person.letters, chinese),
                                person.said.empty() ? person.name : person.said);
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
