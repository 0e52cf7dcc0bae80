#include "redaction.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <vector>

namespace gateway {
namespace {

/// Longest placeholder: "[SECRET_99999]".
constexpr std::size_t kPlaceholderLimitBytes = 24;
/// How a bracket may be written but as itself or as an escape: full-width.
constexpr std::string_view kWideBracket = "［";

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
constexpr bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// What a byte may be, looked up: every byte of every prompt is asked for this.
class Bytes {
  public:
    template <class Is>
    constexpr explicit Bytes(Is is) {
        for (std::size_t byte = 0; byte < is_.size(); ++byte) is_.at(byte) = is(static_cast<char>(byte));
    }
    constexpr bool operator()(char c) const { return is_.at(static_cast<unsigned char>(c)); }

  private:
    std::array<bool, 256> is_{};
};

constexpr Bytes is_word([](char c) { return is_digit(c) || is_letter(c); });
constexpr Bytes is_in_mailbox([](char c) {
    return is_word(c) || c == '.' || c == '_' || c == '%' || c == '+' || c == '-';
});
constexpr Bytes begins_number([](char c) { return is_digit(c) || c == '+' || c == '('; });
/// An escape, or one of the characters that ascii_of() knows (most ideographs begin with another byte).
constexpr Bytes begins_other_writing([](char c) {
    return c == '\\' || c == '\xc2' || c == '\xe2' || c == '\xe3' || c == '\xef';
});

struct Match {
    std::string_view kind;
    std::size_t length;
};

/// A text as it is read, each character with the place where it is written: an escape of JSON is the
/// character that it stands for, and a number in full-width digits, or with a typographer's spaces and
/// dashes, is a number like any other.
struct Plain {
    std::string text;
    std::vector<std::size_t> written_at;  ///< of each byte of `text`, and of its end; longer than needed
};

/// What is read in the place of some written bytes.
struct Unit {
    char read = 0;
    std::size_t length = 0;  ///< as written
};

char ascii_of(unsigned code_point) {
    constexpr unsigned kFullWidthFirst = 0xff01;  // '!'
    constexpr unsigned kFullWidthLast = 0xff5e;   // '~'
    if (code_point < 0x80) return static_cast<char>(code_point);
    if (code_point >= kFullWidthFirst && code_point <= kFullWidthLast)
        return static_cast<char>(code_point - kFullWidthFirst + '!');
    if (code_point == 0xa0 || code_point == 0x2007 || code_point == 0x2009 || code_point == 0x202f ||
        code_point == 0x3000)
        return ' ';
    if ((code_point >= 0x2010 && code_point <= 0x2015) || code_point == 0x2212) return '-';
    return '\0';
}

std::optional<Unit> read_escape(std::string_view text) {
    if (text.size() < 2 || text[0] != '\\') return std::nullopt;
    constexpr std::string_view kNamed = "\"\\/bfnrt";
    constexpr std::string_view kMeaning = "\"\\/\b\f\n\r\t";
    if (const auto named = kNamed.find(text[1]); named != std::string_view::npos)
        return Unit{kMeaning[named], 2};
    constexpr std::size_t kLength = 6;  // \uXXXX
    if (text[1] != 'u' || text.size() < kLength) return std::nullopt;
    unsigned code_point = 0;
    const auto [end, error] = std::from_chars(text.data() + 2, text.data() + kLength, code_point, 16);
    if (error != std::errc() || end != text.data() + kLength) return std::nullopt;
    return Unit{ascii_of(code_point), kLength};
}

/// Of the characters of two and three bytes, those that ascii_of() knows.
std::optional<Unit> read_wide(std::string_view text) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const auto goes_on = [&](std::size_t at) { return (byte(at) & 0xc0U) == 0x80; };
    const bool two = text.size() >= 2 && byte(0) == 0xc2 && goes_on(1);
    const bool three = text.size() >= 3 && byte(0) >= 0xe2 && byte(0) <= 0xef && goes_on(1) && goes_on(2);
    if (!two && !three) return std::nullopt;
    const unsigned code_point =
        two ? ((byte(0) & 0x1fU) << 6U) | (byte(1) & 0x3fU)
            : ((byte(0) & 0x0fU) << 12U) | ((byte(1) & 0x3fU) << 6U) | (byte(2) & 0x3fU);
    const char read = ascii_of(code_point);
    if (code_point < 0x80 || read == '\0') return std::nullopt;
    return Unit{read, two ? std::size_t{2} : std::size_t{3}};
}

Plain read_plain(std::string_view text) {
    Plain plain;
    plain.text.resize(text.size());
    plain.written_at.resize(text.size() + 1);
    std::size_t count = 0;
    std::size_t at = 0;
    while (at < text.size()) {
        Unit unit{text[at], 1};
        if (begins_other_writing(text[at])) {
            const std::string_view rest = text.substr(at);
            if (const auto escape = read_escape(rest)) {
                unit = *escape;
            } else if (const auto wide = read_wide(rest)) {
                unit = *wide;
            }
        }
        plain.text[count] = unit.read;
        plain.written_at[count] = at;
        ++count;
        at += unit.length;
    }
    plain.text.resize(count);
    plain.written_at[count] = text.size();
    return plain;
}

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
    std::size_t at = 0;
    while (at < text.size() && at < 64 && is_in_mailbox(text[at])) ++at;
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

/// Keys and tokens by the marks that their issuers put in front: our own sessions, model servers, clouds,
/// forges, chats.
constexpr std::array<std::string_view, 20> kMarks{
    "lxa_", "lxr_", "syt_", "sk-",  "gsk_", "hf_",    "eyJ",   "AKIA",  "AIza", "LTAI",
    "AKID", "ghp_", "gho_", "ghs_", "ghr_", "glpat-", "xoxb-", "xoxp-", "npm_", "github_pat_"};

constexpr auto kBeginsMark = [] {
    std::array<bool, 256> begins{};
    for (const std::string_view mark : kMarks) begins.at(static_cast<unsigned char>(mark.front())) = true;
    return begins;
}();

std::optional<Match> match_secret(std::string_view text) {
    if (text.empty() || !kBeginsMark.at(static_cast<unsigned char>(text.front()))) return std::nullopt;
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
    struct Group {
        std::size_t begin;
        std::size_t end;
    };
    std::string digits;
    std::vector<Group> groups;  ///< where each stands

    /// How many digits the first `count` groups have.
    std::size_t digits_in(std::size_t count) const {
        std::size_t sum = 0;
        for (std::size_t i = 0; i < count; ++i) sum += groups[i].end - groups[i].begin;
        return sum;
    }
};

/// As many groups as follow each other; what one number has no room for may be another behind it.
Number read_number(std::string_view text) {
    constexpr std::size_t kDigitsLimit = 20;
    constexpr std::size_t kSeparatorLimit = 2;  // ") "
    Number number;
    std::size_t at = 0;
    for (;;) {
        std::size_t begin = at;
        while (begin < text.size() && begin - at <= kSeparatorLimit &&
               std::string_view("+ -.()").contains(text[begin]) && (text[begin] != '+' || begin == 0))
            ++begin;
        if (begin >= text.size() || !is_digit(text[begin]) || (at > 0 && begin - at > kSeparatorLimit)) break;
        std::size_t end = begin;
        while (end < text.size() && is_digit(text[end])) ++end;
        if (number.digits.size() + (end - begin) > kDigitsLimit) break;
        number.digits.append(text.substr(begin, end - begin));
        number.groups.push_back({begin, end});
        at = end;
    }
    return number;
}

using Sizes = std::span<const std::size_t>;  // of groups, in digits

/// Cards stand in groups of four, or as 4-6-5 and 4-6-4, or in one.
bool is_grouped_like_a_card(Sizes groups) {
    if (groups.size() == 3 && groups[0] == 4 && groups[1] == 6) return true;
    return std::all_of(groups.begin(), groups.end() - 1, [](std::size_t size) { return size == 4; });
}

/// An area code of three or four digits, then the number; or all in one. Not the groups of a date.
bool is_grouped_like_a_landline(Sizes groups) {
    return groups.size() == 1 || (groups.size() <= 3 && (groups[0] == 3 || groups[0] == 4));
}

bool is_north_american(std::string_view digits, Sizes groups) {
    const std::size_t first = groups.size() == 4 && digits.front() == '1' && groups[0] == 1 ? 1 : 0;
    return groups.size() == first + 3 && groups[first] == 3 && groups[first + 1] == 3 &&
           groups[first + 2] == 4;
}

/// What these digits are, by their number, groups and checksum. Short numbers, dates, prices and times are
/// nothing.
std::string_view kind_of_number(std::string_view digits, Sizes groups, bool has_plus) {
    if (is_resident_id(digits)) return "ID";
    // Before cards: one in ten would pass for one.
    const bool prefixed = digits.size() == 13 && digits.starts_with("861") && digits[3] >= '3';
    if (prefixed) return "PHONE";
    if (digits.size() >= 13 && digits.size() <= 19 && is_grouped_like_a_card(groups) && passes_luhn(digits))
        return "CARD";
    const bool mobile = digits.size() == 11 && digits[0] == '1' && digits[1] >= '3';
    const bool landline =
        digits.size() >= 10 && digits.size() <= 12 && digits[0] == '0' && is_grouped_like_a_landline(groups);
    const bool international = has_plus && digits.size() >= 8 && digits.size() <= 15;
    const bool is_phone = mobile || landline || international || is_north_american(digits, groups);
    return is_phone ? "PHONE" : "";
}

/// The longest number that begins here and ends where one of its groups does: what stands behind it ("10:30",
/// "5pm", another number) is not a part of it. A letter behind it means nothing but in an identity number.
std::optional<Match> match_number_here(std::string_view text) {
    const Number number = read_number(text);
    std::vector<std::size_t> sizes;
    sizes.reserve(number.groups.size());
    for (const auto& group : number.groups) sizes.push_back(group.end - group.begin);
    for (std::size_t count = sizes.size(); count > 0; --count) {
        const std::string_view digits = std::string_view(number.digits).substr(0, number.digits_in(count));
        const std::size_t end = number.groups[count - 1].end;
        const bool has_x = digits.size() == 17 && end < text.size() && (text[end] == 'X' || text[end] == 'x');
        if (has_x && is_resident_id(std::string(digits) + 'X')) return Match{"ID", end + 1};
        const auto kind = kind_of_number(digits, Sizes(sizes).first(count), text.starts_with('+'));
        if (!kind.empty()) return Match{kind, end};
    }
    return std::nullopt;
}

/// An identity, card or telephone number. Where one may end and another begin in the same digits ("150 4111
/// 1111 1111 1111"), all that may be a part of either goes.
std::optional<Match> match_number(std::string_view text) {
    auto match = match_number_here(text);
    if (!match) return std::nullopt;
    for (std::size_t at = 1; at < match->length; ++at) {
        if (!is_digit(text[at]) || is_digit(text[at - 1])) continue;
        const auto inner = match_number_here(text.substr(at));
        if (inner && at + inner->length > match->length) *match = {inner->kind, at + inner->length};
    }
    return match;
}

}  // namespace

std::string Redaction::placeholder_for(std::string_view kind, std::string_view original) {
    if (const auto found = placeholders_.find(original); found != placeholders_.end()) return found->second;
    auto count = counts_.find(kind);
    if (count == counts_.end()) count = counts_.emplace(kind, 0).first;
    std::string placeholder;
    do {
        placeholder = "[" + std::string(kind) + "_" + std::to_string(++count->second) + "]";
    } while (literals_.contains(placeholder));
    placeholders_.emplace(original, placeholder);
    originals_.emplace(placeholder, original);
    return placeholder;
}

void Redaction::keep_literals(std::string_view text) {
    const bool may_hold_a_bracket = text.contains('[') || text.contains("\\u") || text.contains(kWideBracket);
    if (!may_hold_a_bracket) return;
    const std::string plain = read_plain(text).text;
    std::string_view rest = plain;
    while (!rest.empty()) {
        const auto open = rest.find('[');
        if (open == std::string_view::npos) return;
        rest.remove_prefix(open);
        const auto close = rest.substr(0, kPlaceholderLimitBytes + 1).find(']');
        if (close != std::string_view::npos) literals_.emplace(rest.substr(0, close + 1));
        rest.remove_prefix(1);
    }
}

std::string Redaction::redact(std::string_view text) {
    keep_literals(text);
    const Plain plain = read_plain(text);
    const std::string_view read = plain.text;
    const auto written = [&](std::size_t from, std::size_t to) {
        return text.substr(plain.written_at[from], plain.written_at[to] - plain.written_at[from]);
    };
    std::string out;
    out.reserve(text.size());
    std::size_t kept_from = 0;  // what stands there and goes as it is, up to `at`
    std::size_t at = 0;
    while (at < read.size()) {
        const std::string_view rest = read.substr(at);
        std::optional<Match> match;
        if (is_in_mailbox(read[at]) && (at == 0 || !is_word(read[at - 1]))) {
            match = match_secret(rest);
            if (!match) match = match_email(rest);
        }
        // A number may stand right behind letters: "wx13812345678".
        const bool may_be_number = at == 0 || !is_digit(read[at - 1]);
        if (!match && may_be_number && begins_number(read[at])) match = match_number(rest);
        if (!match) {
            ++at;
            continue;
        }
        const std::size_t end = at + match->length;
        out += written(kept_from, at);
        out += placeholder_for(match->kind, written(at, end));
        kept_from = at = end;
    }
    out += written(kept_from, read.size());
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
            const bool fits = found != redaction_.originals_.end() &&
                              restored_bytes_ + found->second.size() <= kRestoredLimitBytes;
            if (fits) restored_bytes_ += found->second.size();
            out += fits ? found->second : held_;
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
