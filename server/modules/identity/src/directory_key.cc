#include "directory_key.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

#include <unicode/normalizer2.h>
#include <unicode/translit.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>

#include <base/encoding.h>

namespace identity {
namespace {

// A key is three lines:
//   localpart
//   folded display name, spaces kept
//   readings: a word for each character or Latin word, alternatives joined by '/': "zeng/ceng xiao ming"
constexpr char kLine = '\n';
constexpr std::size_t kNameLimitCharacters = 100;  // of a name, so that a key stays short
constexpr std::size_t kTermLimitBytes = 256;

/// Characters of names that ICU gives one reading of, though people use another one too.
struct Reading {
    char32_t character;
    std::string_view readings;
};
constexpr std::array kMoreReadings{
    Reading{U'曾', "zeng/ceng"},   Reading{U'单', "shan/dan"},    Reading{U'乐', "le/yue"},
    Reading{U'长', "chang/zhang"}, Reading{U'重', "chong/zhong"}, Reading{U'行', "xing/hang"},
    Reading{U'仇', "qiu/chou"},    Reading{U'盖', "gai/ge"},      Reading{U'覃', "qin/tan"},
    Reading{U'翟', "zhai/di"},     Reading{U'朴', "piao/pu"},     Reading{U'查', "zha/cha"},
    Reading{U'解', "xie/jie"},     Reading{U'尉', "wei/yu"},      Reading{U'区', "ou/qu"},
    Reading{U'贾', "jia/gu"},      Reading{U'缪', "miao/mou"},    Reading{U'晟', "sheng/cheng"},
    Reading{U'茜', "qian/xi"},     Reading{U'朝', "chao/zhao"},   Reading{U'柏', "bai/bo"},
    Reading{U'薄', "bo/bao"},      Reading{U'盛', "sheng/cheng"}, Reading{U'宿', "su/xiu"},
    Reading{U'万', "wan/mo"},      Reading{U'隗', "wei/kui"},     Reading{U'郇', "xun/huan"},
    Reading{U'郗', "xi/chi"},      Reading{U'莘', "xin/shen"},    Reading{U'折', "she/zhe"},
    Reading{U'黑', "hei/he"},      Reading{U'召', "zhao/shao"},   Reading{U'繁', "fan/po"},
    Reading{U'祭', "zhai/ji"},     Reading{U'少', "shao"},        Reading{U'了', "le/liao"},
    Reading{U'调', "diao/tiao"},   Reading{U'还', "hai/huan"},    Reading{U'传', "chuan/zhuan"},
    Reading{U'角', "jiao/jue"},    Reading{U'石', "shi/dan"},     Reading{U'参', "can/shen"},
    Reading{U'沈', "shen/chen"},   Reading{U'谌', "chen/shen"},   Reading{U'洗', "xi/xian"},
    Reading{U'任', "ren"},         Reading{U'华', "hua"},         Reading{U'燕', "yan"},
    Reading{U'佴', "nai/er"},      Reading{U'厍', "she"},         Reading{U'逄', "pang"},
    Reading{U'藏', "zang/cang"},   Reading{U'都', "du/dou"},      Reading{U'降', "jiang/xiang"},
    Reading{U'奇', "qi/ji"},       Reading{U'系', "xi/ji"},       Reading{U'景', "jing/ying"},
    Reading{U'扎', "zha/za"},      Reading{U'伽', "jia/qie/ga"},  Reading{U'娜', "na/nuo"},
    Reading{U'吓', "xia/he"},      Reading{U'差', "cha/chai"},    Reading{U'卜', "bu/bo"},
    Reading{U'秘', "mi/bi"},       Reading{U'员', "yuan/yun"},    Reading{U'嘉', "jia"},
};

/// ICU's rules, made once a thread: building them takes tens of milliseconds, and they keep state while they
/// work.
const icu::Transliterator& rules(const char* id) {
    thread_local std::vector<std::pair<std::string, std::unique_ptr<icu::Transliterator>>> made;
    for (const auto& [name, transliterator] : made) {
        if (name == id) return *transliterator;
    }
    UErrorCode status = U_ZERO_ERROR;
    std::unique_ptr<icu::Transliterator> fresh(
        icu::Transliterator::createInstance(icu::UnicodeString(id), UTRANS_FORWARD, status));
    if (U_FAILURE(status) || !fresh) throw std::runtime_error("ICU has no transliterator " + std::string(id));
    return *made.emplace_back(id, std::move(fresh)).second;
}

std::string to_utf8(const icu::UnicodeString& text) {
    std::string out;
    text.toUTF8String(out);
    return out;
}

icu::UnicodeString fold(const icu::UnicodeString& text) {
    UErrorCode status = U_ZERO_ERROR;
    const auto* nfkc = icu::Normalizer2::getNFKCCasefoldInstance(status);
    if (U_FAILURE(status)) return text;
    auto folded = nfkc->normalize(text, status);
    return U_FAILURE(status) ? text : folded;
}

bool is_han(UChar32 character) {
    UErrorCode status = U_ZERO_ERROR;
    return uscript_getScript(character, &status) == USCRIPT_HAN && U_SUCCESS(status);
}

/// The letter under its accents, where that is an ASCII one: most of what comes, and much cheaper than ICU's
/// rules.
std::optional<char> ascii_base(UChar32 character) {
    if (character < 0x80) return static_cast<char>(character);
    UErrorCode status = U_ZERO_ERROR;
    const auto* nfd = icu::Normalizer2::getNFDInstance(status);
    icu::UnicodeString parts;
    if (U_FAILURE(status) || !nfd->getDecomposition(character, parts) || parts.char32At(0) >= 0x80)
        return std::nullopt;
    return static_cast<char>(parts.char32At(0));
}

void add_letters(std::string& out, std::string_view text) {
    for (const char c : base::ascii_lower(text)) {
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) out += c;
    }
}

std::string ascii_letters(const icu::UnicodeString& text, char u_umlaut) {
    std::string out;
    for (int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
        const UChar32 c = text.char32At(i);
        if (c == U'ü' || c == U'ǖ' || c == U'ǘ' || c == U'ǚ' || c == U'ǜ') {
            out += u_umlaut;
        } else if (const auto letter = ascii_base(c)) {
            add_letters(out, {&*letter, 1});
        } else {
            icu::UnicodeString one(c);
            rules("Any-Latin; Latin-ASCII").transliterate(one);
            add_letters(out, to_utf8(one));
        }
    }
    return out;
}

void add_reading(std::string& readings, std::string_view reading) {
    if (reading.empty()) return;
    std::size_t from = 0;
    while (from <= readings.size()) {
        const auto end = std::min(readings.find('/', from), readings.size());
        if (std::string_view(readings).substr(from, end - from) == reading) return;
        from = end + 1;
    }
    if (!readings.empty()) readings += '/';
    readings += reading;
}

/// All readings of a Chinese character without tones: "zeng/ceng", "lv/lu".
std::string readings_of(UChar32 character) {
    std::string readings;
    const auto more = std::ranges::find(kMoreReadings, static_cast<char32_t>(character), &Reading::character);
    if (more != kMoreReadings.end()) readings = more->readings;
    for (const char* id : {"Han-Latin/Names", "Han-Latin"}) {
        icu::UnicodeString latin(character);
        rules(id).transliterate(latin);
        if (latin.countChar32() == 1 && is_han(latin.char32At(0))) continue;  // a character ICU cannot read
        add_reading(readings, ascii_letters(latin, 'v'));
        add_reading(readings, ascii_letters(latin, 'u'));
    }
    return readings;
}

/// The first of "zeng/ceng".
std::string_view first_reading(std::string_view readings) {
    return readings.substr(0, readings.find('/'));
}

std::vector<std::string> words_of(const icu::UnicodeString& folded) {
    std::vector<std::string> words;
    bool in_word = false;
    std::size_t characters = 0;
    for (int32_t i = 0; i < folded.length() && characters < kNameLimitCharacters;
         i = folded.moveIndex32(i, 1), ++characters) {
        const UChar32 c = folded.char32At(i);
        if (is_han(c)) {
            words.push_back(readings_of(c));
            in_word = false;
        } else if (u_isalnum(c)) {
            if (!in_word) words.emplace_back();
            words.back() += ascii_letters(icu::UnicodeString(c), 'u');
            in_word = true;
        } else {
            in_word = false;
        }
    }
    std::erase(words, "");
    return words;
}

std::vector<std::string_view> split(std::string_view text, char by) {
    std::vector<std::string_view> parts;
    while (!text.empty()) {
        const auto end = std::min(text.find(by), text.size());
        if (end > 0) parts.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parts;
}

/// Whether `term` is written by beginnings of consecutive words: "zhangwei", "zw", "zhwei", "zhangw". Walks
/// the words once with the set of places that the term can have come to (bit n: n letters are written): no
/// name and no term makes it slow.
bool fits_readings(std::string_view readings, std::string_view term) {
    std::string letters;
    for (const char c : term) {
        if (c == ' ' || c == '\'') continue;
        if (static_cast<unsigned char>(c) >= 0x80) return false;
        letters += c;
    }
    if (letters.empty() || letters.size() > 63) return false;
    const std::string_view wanted = letters;
    std::uint64_t reached = 0;
    for (const auto word : split(readings, ' ')) {
        const std::uint64_t from = reached | 1;  // the term may begin at any word
        reached = 0;
        for (const auto reading : split(word, '/')) {
            for (std::size_t at = 0; at < wanted.size(); ++at) {
                if ((from >> at & 1) == 0) continue;
                for (std::size_t n = 0; n < reading.size() && at + n < wanted.size(); ++n) {
                    if (reading[n] != wanted[at + n]) break;
                    reached |= std::uint64_t{1} << (at + n + 1);
                }
            }
        }
        if ((reached >> wanted.size() & 1) != 0) return true;
    }
    return false;
}

int rank_in(std::string_view text, std::string_view term, int whole, int beginning, int part) {
    if (text == term) return whole;
    const auto at = text.find(term);
    if (at == std::string_view::npos) return 0;
    return at == 0 ? beginning : part;
}

}  // namespace

std::string directory_key(std::string_view localpart, std::string_view display_name) {
    const auto folded = fold(icu::UnicodeString::fromUTF8(
        icu::StringPiece(display_name.data(), static_cast<int32_t>(display_name.size()))));
    std::string name = to_utf8(folded);
    std::ranges::replace(name, kLine, ' ');
    std::string key(localpart);
    key += kLine;
    key += name;
    key += kLine;
    for (const auto& word : words_of(folded)) {
        if (!key.ends_with(kLine)) key += ' ';
        key += word;
    }
    return key;
}

std::string fold_search_term(std::string_view term) {
    term = base::utf8_prefix(term, kTermLimitBytes);
    auto folded =
        fold(icu::UnicodeString::fromUTF8(icu::StringPiece(term.data(), static_cast<int32_t>(term.size()))));
    folded.trim();
    return to_utf8(folded);
}

int match_rank(std::string_view key, std::string_view term) {
    const auto first = key.find(kLine);
    const auto second = key.find(kLine, first + 1);
    if (term.empty() || second == std::string_view::npos) return 0;
    // "@zhang", "@zhangwei:example.org": the localpart is what is stored.
    if (term.starts_with('@')) term = term.substr(1, term.find(':') - 1);
    if (term.empty()) return 0;
    const auto localpart = key.substr(0, first);
    const auto name = key.substr(first + 1, second - first - 1);
    const int best = std::max(rank_in(name, term, 9, 7, 5), rank_in(localpart, term, 8, 6, 4));
    if (best > 0) return best;
    return fits_readings(key.substr(second + 1), term) ? 3 : 0;
}

std::string localpart_from_name(std::string_view name) {
    constexpr std::size_t kLimitBytes = 40;
    const auto folded =
        fold(icu::UnicodeString::fromUTF8(icu::StringPiece(name.data(), static_cast<int32_t>(name.size()))));
    std::string localpart;
    for (const auto& word : words_of(folded)) {
        const auto reading = first_reading(word);
        if (localpart.size() + reading.size() > kLimitBytes) break;
        localpart += reading;
    }
    return localpart;
}

}  // namespace identity
