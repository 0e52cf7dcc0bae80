#include "folded.h"

#include <stdexcept>

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>
#include <unicode/utf8.h>

namespace assistant {
namespace {

using FormOf = const icu::Normalizer2* (*)(UErrorCode&);

const icu::Normalizer2& form(FormOf form_of) {
    UErrorCode status = U_ZERO_ERROR;
    const auto* found = form_of(status);
    if (U_FAILURE(status) || found == nullptr) throw std::runtime_error("ICU has no normalisation data");
    return *found;
}

const icu::Normalizer2& case_fold() {
    static const icu::Normalizer2& found = form(&icu::Normalizer2::getNFKCCasefoldInstance);
    return found;
}

const icu::Normalizer2& composition() {
    static const icu::Normalizer2& found = form(&icu::Normalizer2::getNFKCInstance);
    return found;
}

void append(const icu::Normalizer2& to_form, std::string_view written, std::string& out) {
    UErrorCode status = U_ZERO_ERROR;
    icu::StringByteSink<std::string> sink(&out);
    to_form.normalizeUTF8(0, icu::StringPiece(written.data(), static_cast<std::int32_t>(written.size())),
                          sink, nullptr, status);
    if (U_FAILURE(status)) throw std::runtime_error("ICU cannot normalise a text");
}

bool is_ascii(char32_t c) {
    return c < 0x80;
}

/// Han characters of every day: each is a piece, and as it is. They are most of a Chinese text.
bool is_plain_han(char32_t c) {
    return c >= 0x4E00 && c <= 0x9FEF;
}

struct Decoded {
    char32_t character;
    std::size_t size;
};

Decoded decode(std::string_view text, std::size_t at) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    auto next = static_cast<std::int32_t>(at);
    UChar32 c = 0;
    U8_NEXT_OR_FFFD(bytes, next, static_cast<std::int32_t>(text.size()), c);  // NOLINT: ICU's macro
    return {static_cast<char32_t>(c), static_cast<std::size_t>(next) - at};
}

bool begins_piece(char32_t c) {
    return is_ascii(c) || is_plain_han(c) || case_fold().hasBoundaryBefore(static_cast<UChar32>(c)) != 0;
}

}  // namespace

Folded::Folded(std::string_view written) {
    text_.reserve(written.size());
    origins_.reserve(written.size() + 1);
    for (std::size_t at = 0; at < written.size();) {
        const auto [first, size] = decode(written, at);
        auto end = at + size;
        bool is_alone = true;
        while (end < written.size()) {
            const auto next = decode(written, end);
            if (begins_piece(next.character)) break;
            end += next.size;
            is_alone = false;
        }
        const auto before = text_.size();
        if (is_alone && is_ascii(first)) {
            const bool is_capital = first >= 'A' && first <= 'Z';
            text_ += static_cast<char>(is_capital ? first - 'A' + 'a' : first);
        } else if (is_alone && is_plain_han(first)) {
            text_ += written.substr(at, size);
        } else {
            append(case_fold(), written.substr(at, end - at), text_);
        }
        // What comes to nothing (a soft hyphen) belongs to what stands before it.
        for (auto i = before; i < text_.size(); ++i)
            origins_.push_back(i == before ? static_cast<std::uint32_t>(at) : kWithin);
        at = end;
    }
    origins_.push_back(static_cast<std::uint32_t>(written.size()));
}

std::string folded(std::string_view written) {
    std::string out;
    append(case_fold(), written, out);
    return out;
}

std::string composed(std::string_view written) {
    std::string out;
    append(composition(), written, out);
    return out;
}

char32_t character_at(std::string_view text, std::size_t at) {
    return at < text.size() ? decode(text, at).character : U'\uFFFD';
}

std::optional<char32_t> character_before(std::string_view text, std::size_t at) {
    if (at == 0) return std::nullopt;
    auto begin = at - 1;
    const auto is_continuation = [&](std::size_t i) {
        return (static_cast<unsigned char>(text[i]) & 0xC0U) == 0x80U;
    };
    while (begin > 0 && is_continuation(begin)) --begin;
    return decode(text, begin).character;
}

}  // namespace assistant
