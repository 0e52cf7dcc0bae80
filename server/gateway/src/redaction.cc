#include "redaction.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

namespace gateway {
namespace {

/// Longest placeholder: "[SECRET_99999]".
constexpr std::size_t kPlaceholderLimitBytes = 24;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_word(char c) {
    return is_digit(c) || is_letter(c);
}

struct Match {
    std::string_view kind;
    std::size_t length;
};

/// Luhn's checksum (ISO/IEC 7812-1, annex B): what tells a card number from any long number.
bool passes_luhn(std::string_view digits) {
    int sum = 0;
    bool twice = false;
    for (auto at = digits.rbegin(); at != digits.rend(); ++at) {
        int value = *at - '0';
        if (twice) value = value > 4 ? value * 2 - 9 : value * 2;
        sum += value;
        twice = !twice;
    }
    return sum % 10 == 0;
}

/// The checksum of a Chinese resident identity number (GB 11643-1999).
bool is_resident_id(std::string_view text) {
    static constexpr std::array kWeights{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    static constexpr std::string_view kCheck = "10X98765432";
    if (text.size() != 18) return false;
    int sum = 0;
    for (std::size_t i = 0; i < 17; ++i) {
        if (!is_digit(text[i])) return false;
        sum += (text[i] - '0') * kWeights[i];
    }
    const char last = text[17] == 'x' ? 'X' : text[17];
    return kCheck[static_cast<std::size_t>(sum % 11)] == last;
}

/// user@host.tld, starting at `text`'s beginning.
std::optional<Match> match_email(std::string_view text) {
    const auto local = [](char c) {
        return is_word(c) || c == '.' || c == '_' || c == '%' || c == '+' || c == '-';
    };
    std::size_t at = 0;
    while (at < text.size() && at < 64 && local(text[at])) ++at;
    if (at == 0 || at >= text.size() || text[at] != '@') return std::nullopt;
    std::size_t end = at + 1;
    std::size_t last_dot = 0;
    while (end < text.size() && end - at < 254 &&
           (is_word(text[end]) || text[end] == '.' || text[end] == '-')) {
        if (text[end] == '.' && end + 1 < text.size() && is_letter(text[end + 1])) last_dot = end;
        ++end;
    }
    if (last_dot == 0) return std::nullopt;
    while (end > last_dot && !is_word(text[end - 1])) --end;
    return Match{"EMAIL", end};
}

/// Keys and tokens by the marks that their issuers put in front.
std::optional<Match> match_secret(std::string_view text) {
    static constexpr std::array<std::string_view, 7> kMarks{"sk-",   "ghp_", "gho_", "AKIA",
                                                            "xoxb-", "eyJ",  "syt_"};
    const auto marked =
        std::ranges::any_of(kMarks, [&](std::string_view mark) { return text.starts_with(mark); });
    if (!marked) return std::nullopt;
    std::size_t end = 0;
    while (end < text.size() &&
           (is_word(text[end]) || text[end] == '-' || text[end] == '_' || text[end] == '.'))
        ++end;
    if (end < 20) return std::nullopt;
    return Match{"SECRET", end};
}

/// Digits in groups, as people write numbers: "138 1234 5678", "(415) 555-2671".
struct Number {
    std::string digits;
    std::vector<std::size_t> groups;  ///< how many digits each has
    std::size_t end = 0;
};

Number read_number(std::string_view text) {
    constexpr std::size_t kDigitsLimit = 20;
    constexpr std::size_t kSeparatorLimit = 2;  // ") "
    Number number;
    std::size_t at = 0;
    while (number.digits.size() < kDigitsLimit) {
        std::size_t next = at;
        while (next < text.size() && next - at <= kSeparatorLimit &&
               std::string_view("+ -.()").contains(text[next]) && (text[next] != '+' || next == 0))
            ++next;
        if (next >= text.size() || !is_digit(text[next]) || (at > 0 && next - at > kSeparatorLimit)) break;
        at = next;
        while (at < text.size() && is_digit(text[at]) && number.digits.size() < kDigitsLimit)
            number.digits += text[at++];
        number.groups.push_back(at - next);
        number.end = at;
    }
    return number;
}

/// Cards stand in groups of four, or as 4-6-5 and 4-6-4, or in one.
bool is_grouped_like_a_card(const std::vector<std::size_t>& groups) {
    if (groups.size() == 3 && groups[0] == 4 && groups[1] == 6) return true;
    return std::all_of(groups.begin(), groups.end() - 1, [](std::size_t size) { return size == 4; });
}

/// An area code of three or four digits, then the number; or all in one. Not the groups of a date.
bool is_grouped_like_a_landline(const std::vector<std::size_t>& groups) {
    return groups.size() == 1 || (groups.size() <= 3 && (groups[0] == 3 || groups[0] == 4));
}

bool is_north_american(const Number& number) {
    const auto& groups = number.groups;
    const std::size_t first = groups.size() == 4 && number.digits.front() == '1' && groups[0] == 1 ? 1 : 0;
    return groups.size() == first + 3 && groups[first] == 3 && groups[first + 1] == 3 &&
           groups[first + 2] == 4;
}

/// An identity, card or telephone number, by its length, groups and checksum. Short numbers, dates, prices
/// and times stay as they are.
std::optional<Match> match_number(std::string_view text) {
    const Number number = read_number(text);
    const std::string& digits = number.digits;
    const std::size_t end = number.end;
    if (digits.empty()) return std::nullopt;
    if (digits.size() == 17 && end < text.size() && (text[end] == 'X' || text[end] == 'x') &&
        is_resident_id(text.substr(0, 18))) {
        return Match{"ID", end + 1};
    }
    if (end < text.size() && is_letter(text[end])) return std::nullopt;
    if (is_resident_id(digits)) return Match{"ID", end};
    // Before cards: one in ten would pass for one.
    const bool prefixed = digits.size() == 13 && digits.starts_with("861") && digits[3] >= '3';
    if (prefixed) return Match{"PHONE", end};
    if (digits.size() >= 13 && digits.size() <= 19 && is_grouped_like_a_card(number.groups) &&
        passes_luhn(digits)) {
        return Match{"CARD", end};
    }
    const bool mobile = digits.size() == 11 && digits[0] == '1' && digits[1] >= '3';
    const bool landline = digits.size() >= 10 && digits.size() <= 12 && digits[0] == '0' &&
                          is_grouped_like_a_landline(number.groups);
    const bool international = text.starts_with('+') && digits.size() >= 8 && digits.size() <= 15;
    if (mobile || landline || international || is_north_american(number)) return Match{"PHONE", end};
    return std::nullopt;
}

}  // namespace

std::string Redaction::placeholder_for(std::string_view kind, std::string_view original) {
    if (const auto found = placeholders_.find(original); found != placeholders_.end()) return found->second;
    auto count = counts_.find(kind);
    if (count == counts_.end()) count = counts_.emplace(kind, 0).first;
    std::string placeholder = "[" + std::string(kind) + "_" + std::to_string(++count->second) + "]";
    placeholders_.emplace(original, placeholder);
    originals_.emplace(placeholder, original);
    return placeholder;
}

std::string Redaction::redact(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    std::size_t at = 0;
    while (at < text.size()) {
        const bool at_word_start = at == 0 || !is_word(text[at - 1]);
        std::optional<Match> match;
        if (at_word_start) {
            const std::string_view rest = text.substr(at);
            match = match_secret(rest);
            if (!match) match = match_email(rest);
            if (!match && (is_digit(text[at]) || text[at] == '+' || text[at] == '('))
                match = match_number(rest);
        }
        if (match) {
            out += placeholder_for(match->kind, text.substr(at, match->length));
            at += match->length;
        } else {
            out += text[at++];
        }
    }
    return out;
}

std::string Redaction::restore(std::string_view text) const {
    Restorer restorer(*this);
    return restorer.feed(text) + restorer.finish();
}

std::string Redaction::Restorer::feed(std::string_view piece) {
    if (redaction_.originals_.empty()) return std::string(piece);
    std::string out;
    for (const char c : piece) {
        if (held_.empty()) {
            if (c == '[') {
                held_ += c;
            } else {
                out += c;
            }
            continue;
        }
        if (c == '[') {  // what was held is no placeholder; this may be the start of one
            out += held_;
            held_ = "[";
            continue;
        }
        held_ += c;
        if (c == ']') {
            const auto found = redaction_.originals_.find(held_);
            out += found == redaction_.originals_.end() ? held_ : found->second;
            held_.clear();
        } else if (held_.size() > kPlaceholderLimitBytes) {
            out += held_;
            held_.clear();
        }
    }
    return out;
}

std::string Redaction::Restorer::finish() {
    std::string rest;
    rest.swap(held_);
    return rest;
}

}  // namespace gateway
