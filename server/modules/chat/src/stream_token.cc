#include "stream_token.h"

#include <charconv>

namespace chat {
namespace {

constexpr std::string_view kStreamPrefix = "s1";
constexpr std::string_view kLifePrefix = "s2_";
constexpr int kLifeBase = 16;
constexpr std::string_view kTimelinePrefix = "t1_";
constexpr std::size_t kTokenLimitBytes = 256;

std::unexpected<base::Error> bad_token() {
    return base::fail(base::ErrorKind::invalid, "M_INVALID_PARAM", "The token is not one of this server's.");
}

/// A whole text of digits; no sign, no leading zeros that would make a second spelling.
bool read_position(std::string_view text, std::int64_t& position) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), position);
    return error == std::errc{} && end == text.data() + text.size() && position >= 0 &&
           (text.size() == 1 || text.front() != '0') && text.front() != '-';
}

std::string life_text(std::uint32_t life) {
    std::array<char, 8> digits{};
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), life, kLifeBase);
    return {digits.data(), end};
}

/// As life_text writes it, and no other spelling.
bool read_life(std::string_view text, std::uint32_t& life) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), life, kLifeBase);
    return error == std::errc{} && life != 0 && text == life_text(life);
}

}  // namespace

std::string StreamToken::text() const {
    std::string out(life == 0 ? kStreamPrefix : kLifePrefix);
    if (life != 0) out.append(life_text(life));
    std::size_t used = kStreams;
    while (used > 1 && positions[used - 1] == 0) --used;
    for (std::size_t i = 0; i < used; ++i) out.append("_").append(std::to_string(positions[i]));
    return out;
}

base::Result<StreamToken> StreamToken::parse(std::string_view text) {
    if (text.size() > kTokenLimitBytes) return bad_token();
    StreamToken token;
    if (text.starts_with(kLifePrefix)) {
        text.remove_prefix(kLifePrefix.size());
        const auto name = text.substr(0, text.find('_'));
        if (!read_life(name, token.life)) return bad_token();
        text.remove_prefix(name.size());
    } else if (text.starts_with(kStreamPrefix)) {
        text.remove_prefix(kStreamPrefix.size());
    } else {
        return bad_token();
    }
    std::size_t stream = 0;
    while (!text.empty()) {
        if (text.front() != '_' || stream == kStreams) return bad_token();
        text.remove_prefix(1);
        const auto part = text.substr(0, text.find('_'));
        if (part.empty() || !read_position(part, token.positions[stream++])) return bad_token();
        text.remove_prefix(part.size());
    }
    if (stream == 0) return bad_token();
    return token;
}

std::string timeline_token(Position position) {
    return std::string(kTimelinePrefix) + std::to_string(position.value);
}

base::Result<Position> parse_timeline_token(std::string_view text) {
    if (!text.starts_with(kTimelinePrefix)) {
        const auto token = StreamToken::parse(text);
        if (!token) return base::fail(token.error());
        return Position{(*token)[Stream::events]};
    }
    text.remove_prefix(kTimelinePrefix.size());
    Position position;
    if (text.empty() || text.size() > 20 || !read_position(text, position.value)) return bad_token();
    return position;
}

}  // namespace chat
