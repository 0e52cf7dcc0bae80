#include "demo.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <ctime>
#include <optional>
#include <string_view>
#include <utility>

#include <base/json.h>
#include <identity/users.h>
#include <storage/database.h>

namespace app {
namespace {

namespace json = base::json;
using identity::UserNumber;

struct Person {
    UserNumber number;
    identity::UserId id;
};

constexpr std::int64_t kLinkTtlMs = std::int64_t{30} * 60 * 1000;

enum class Room : std::uint8_t { chat, hikes };

struct Line {
    Moment when;
    Room room;
    bool chinese_speaker;
    std::string_view text;
    std::string_view reaction = {};  ///< the other's
};

constexpr Moment evening(int hour, int minute) {
    return {hour, minute};
}
constexpr Moment ago(int minutes) {
    return {0, minutes};
}

constexpr Moment kChatBegan = evening(20, 12);
constexpr Moment kHikesBegan = evening(21, 2);

/// Two old classmates plan a visit and a walk, in two chats. Each has the last word in one of them, a
/// question for which the offline method has an answer, so that both sides have something to tap. In the
/// order of time.
constexpr std::array kConversation{
    Line{evening(20, 14), Room::chat, true, "Emma，好久不见！下个月我要来上海出差，你还在那边吗？"},
    Line{evening(20, 21), Room::chat, false,
         "Xiao! Yes, still here. It's been ages, so happy to hear from you"},
    Line{evening(20, 23), Room::chat, true, "太好了！15号到，周一才走，周末完全空着"},
    Line{evening(20, 26), Room::chat, false,
         "Perfect timing. There's a new noodle place near my office, the queue is worth it"},
    Line{evening(20, 27), Room::chat, true, "一定要去！我还欠你一顿饭呢", "😋"},
    Line{evening(20, 29), Room::chat, false,
         "You do, I haven't forgotten 😄 Saturday lunch then? Say 12:30?"},
    Line{evening(21, 5), Room::hikes, false,
         "Trail for Sunday: the bamboo valley, 11 km, mostly shade. Who's in?"},
    Line{evening(21, 16), Room::hikes, true, "算我一个！这次待到周一，正好赶上"},
    Line{evening(21, 18), Room::hikes, false, "Brilliant, I'll bring the map and far too many snacks"},
    Line{evening(21, 24), Room::hikes, true, "那我负责水果。要穿登山鞋吗？"},
    Line{evening(21, 27), Room::hikes, false, "Trainers are fine, it's all steps and gravel"},
    Line{ago(94), Room::chat, true, "没问题，12:30见。要不要叫上老周？"},
    Line{ago(86), Room::chat, false,
         "Please do! I'll book a table for three. Does he still not eat coriander?"},
    Line{ago(83), Room::chat, true, "哈哈，还是一口都不吃"},
    Line{ago(38), Room::chat, false,
         "Some things never change. By the way, can you bring me some of your mum's chilli sauce?"},
    Line{ago(25), Room::hikes, true, "好的！老周也想去，周日早上你能来酒店接我们吗？"},
    Line{ago(12), Room::chat, true, "当然，她听说你喜欢，已经装好两瓶了。你到时候能来机场接我吗？"},
    Line{ago(4), Room::chat, false, "Of course! Shall we meet at the arrivals exit?"},
};

json::object text_content(std::string_view text) {
    return {{"msgtype", "m.text"}, {"body", text}};
}

json::object reaction_content(std::string_view event_id, std::string_view key) {
    return {{"m.relates_to", {{"rel_type", "m.annotation"}, {"event_id", event_id}, {"key", key}}}};
}

/// The two people and their rooms. Only on an empty server.
class Furnisher {
  public:
    Furnisher(identity::Identity& identity, chat::Chat& chat, DemoClock& clock, base::Random& random)
        : identity_(identity), chat_(chat), clock_(clock), random_(random) {}
    ~Furnisher() { clock_.go_on(); }
    Furnisher(const Furnisher&) = delete;
    Furnisher& operator=(const Furnisher&) = delete;

    runtime::Task<base::Result<void>> furnish() {
        auto xiao = co_await person("linxiao", "林晓", true);
        if (!xiao) co_return base::fail(std::move(xiao.error()));
        auto emma = co_await person("emma", "Emma Hart", false);
        if (!emma) co_return base::fail(std::move(emma.error()));
        std::optional<std::string> rooms[2];
        for (const Line& line : kConversation) {
            auto& room = rooms[static_cast<std::size_t>(line.room)];
            if (!room) {
                auto made = line.room == Room::chat
                                ? co_await shared_room(kChatBegan, *xiao, *emma, "林晓 & Emma")
                                : co_await shared_room(kHikesBegan, *emma, *xiao, "周末徒步 · Weekend hikes");
                if (!made) co_return base::fail(std::move(made.error()));
                room = std::move(*made);
            }
            const Person& speaker = line.chinese_speaker ? *xiao : *emma;
            const Person& other = line.chinese_speaker ? *emma : *xiao;
            clock_.stand_at(line.when.in_ms(now_ms_));
            auto sent = co_await send(speaker, *room, "m.room.message", text_content(line.text));
            if (!sent) co_return base::fail(std::move(sent.error()));
            if (line.reaction.empty()) continue;
            auto reacted =
                co_await send(other, *room, "m.reaction", reaction_content(sent->value, line.reaction));
            if (!reacted) co_return base::fail(std::move(reacted.error()));
        }
        co_return base::Result<void>{};
    }

  private:
    runtime::Task<base::Result<Person>> person(std::string localpart, std::string name, bool is_admin) {
        // Nobody knows these passwords: people come in by their links.
        auto number = co_await identity_.add_person({.localpart = localpart,
                                                     .password = random_.alphanumeric(32),
                                                     .display_name = std::move(name),
                                                     .is_admin = is_admin});
        if (!number) co_return base::fail(std::move(number.error()));
        co_return Person{*number, identity::UserId("@" + localpart + ":" + identity_.server_name())};
    }

    /// The owner's first room, into which the other was invited: the way that invitations take.
    runtime::Task<base::Result<std::string>> shared_room(Moment began, Person owner, Person guest,
                                                         std::string name) {
        clock_.stand_at(began.in_ms(now_ms_));
        const auto hooks = chat_.hooks();
        auto made = co_await hooks.account_created(
            {.user = owner.number,
             .user_id = owner.id,
             .first_steps = identity::FirstSteps{.room_name = std::move(name)}});
        if (!made) co_return base::fail(std::move(made.error()));
        if (!*made)
            co_return base::fail(base::ErrorKind::internal, "app.demo",
                                 "The demonstration's room was not made.");
        auto joined = co_await hooks.account_created(
            {.user = guest.number, .user_id = guest.id, .inviter = owner.number, .room_ids = {**made}});
        if (!joined) co_return base::fail(std::move(joined.error()));
        co_return std::move(**made);
    }

    runtime::Task<base::Result<chat::EventId>> send(Person sender, std::string room, std::string type,
                                                    json::object content) {
        co_return co_await chat_.send({.sender = sender.number,
                                       .room_id = std::move(room),
                                       .type = std::move(type),
                                       .content = std::move(content)});
    }

    identity::Identity& identity_;
    chat::Chat& chat_;
    DemoClock& clock_;
    base::Random& random_;
    const std::int64_t now_ms_ = clock_.now_ms();
};

runtime::Task<base::Result<std::optional<UserNumber>>> find_person(storage::Database& database,
                                                                   std::string user_id) {
    co_return co_await database.read(
        [user_id](storage::Transaction& tx) -> base::Result<std::optional<UserNumber>> {
            return identity::find_user(tx, user_id);
        });
}

}  // namespace

void DemoClock::stand_at(std::int64_t moment_ms) {
    const auto no_earlier_ms = standing_at_ms_.value_or(moment_ms);
    standing_at_ms_ = std::min(std::max(moment_ms, no_earlier_ms), real_.now_ms());
}

std::int64_t Moment::in_ms(std::int64_t now_ms) const {
    if (evening_hour == 0) return now_ms - std::int64_t{minutes} * 60 * 1000;
    const auto now = static_cast<std::time_t>(now_ms / 1000);
    std::tm wall{};
    localtime_r(&now, &wall);
    wall.tm_mday -= 1;
    wall.tm_hour = evening_hour;
    wall.tm_min = minutes;
    wall.tm_isdst = -1;
    return std::int64_t{std::mktime(&wall)} * 1000;
}

runtime::Task<base::Result<std::string>> furnish_demo(identity::Identity& identity, chat::Chat& chat,
                                                      DemoClock& clock, base::Random& random,
                                                      storage::Database& database) {
    const std::string at_server = ":" + identity.server_name();
    auto known = co_await find_person(database, "@emma" + at_server);
    if (!known) co_return base::fail(std::move(known.error()));
    if (!*known) {
        Furnisher furnisher(identity, chat, clock, random);
        if (auto furnished = co_await furnisher.furnish(); !furnished)
            co_return base::fail(std::move(furnished.error()));
    }
    std::string text =
        "\nThis is the demonstration: two people, one writing Chinese and one English. Open both links in "
        "one browser,\n"
        "side by side (each works once, for 30 minutes; start again for new ones):\n";
    for (const auto& [localpart, label] :
         {std::pair{"linxiao", "  林晓 (中文)    "}, std::pair{"emma", "  Emma (English) "}}) {
        auto user = co_await find_person(database, "@" + std::string(localpart) + at_server);
        if (!user || !*user)
            co_return base::fail(base::ErrorKind::internal, "app.demo",
                                 "The demonstration's people are missing.");
        auto link = co_await identity.make_login_link(**user, kLinkTtlMs);
        if (!link) co_return base::fail(std::move(link.error()));
        text += label + *link + "\n";
    }
    text +=
        "\nNothing in it was written by AI; the suggestions over the composer are the offline method's. A "
        "model\n"
        "server (林晓 is the administrator: Server → Model servers; on a phone Server stands under Me) would "
        "add\n"
        "translation under each message, suggestions in your own manner and @assistant.\n"
        "这里没有一个字出自 AI；输入框上方的建议来自离线方法。接上模型（林晓是管理员：服务器 → "
        "模型服务器，\n"
        "手机上在“我”里）后，还会有每条消息下的翻译、合你口吻的建议，以及 @assistant。\n";
    co_return text;
}

}  // namespace app
