// Unread counts as devices are told of them, where there is much to count and where words were taken back.
#include "test_house.h"

namespace chat {
namespace {

using base::json::object;

constexpr int kMany = 2'300;  // more than two answers count

struct Counts {
    std::int64_t notifications = 0;
    std::int64_t highlights = 0;
    bool operator==(const Counts&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Counts& counts) {
    return out << counts.notifications << "/" << counts.highlights;
}

/// What the answer says of the room; nothing where it says nothing of it.
std::optional<Counts> counts_in(const base::json::value& answer, const std::string& room) {
    const auto& joined = answer.at("rooms").at("join").as_object();
    const auto at = joined.find(room);
    if (at == joined.end()) return std::nullopt;
    const auto& unread = at->value().at("unread_notifications");
    return Counts{unread.at("notification_count").as_int64(), unread.at("highlight_count").as_int64()};
}

object words(std::string_view body) {
    return {{"msgtype", "m.text"}, {"body", body}};
}
object mention(const Actor& of) {
    auto content = words("you");
    content["m.mentions"] = {{"user_ids", base::json::array{of.user_id}}};
    return content;
}
object in_thread(std::string_view root, std::string_view body) {
    auto content = words(body);
    content["m.relates_to"] = {{"rel_type", "m.thread"}, {"event_id", root}};
    return content;
}

/// Sends within a job; the id of the event.
std::string send(RoomWriter& writer, const Actor& actor, object content,
                 std::string_view type = "m.room.message") {
    const auto prepared = prepare_content(type, std::move(content)).value();
    return writer
        .append({.type = type,
                 .state_key = {},
                 .sender = actor.user,
                 .sender_id = actor.user_id,
                 .content = prepared,
                 .now_ms = writer.now_ms()})
        .value()
        .id.value;
}

Actor on_another_device(Actor actor) {
    ++actor.device.value;
    return actor;
}

TEST(UnreadCounts, of_many_events_are_told_whole_in_the_next_turn_to_each_device) {
    TestHouse house;
    house.run([](TestHouse& h) -> runtime::Task<void> {
        const auto ann = co_await h.person("ann");
        const auto bob = co_await h.person("bob");
        const auto room = co_await h.room({bob, ann});
        const auto other = co_await h.room({bob, ann});
        co_await h.in_room(room, [&](RoomWriter& writer) {
            send(writer, bob, mention(ann));
            for (int i = 1; i < kMany; ++i) send(writer, bob, words("more"));
        });
        co_await h.say(other, bob, "little");
        const auto phone = on_another_device(ann);
        std::string since;
        std::string phone_since;
        const auto first = counts_in(co_await h.poll(ann, since), room);
        EXPECT_EQ(first->highlights, 0) << "counted at once, so that this tests nothing";
        EXPECT_EQ(counts_in(co_await h.poll(phone, phone_since), room)->highlights, 0);

        const auto answer = co_await h.poll(ann, since, "30000");
        EXPECT_EQ(counts_in(answer, room), (Counts{kMany, 1}));
        EXPECT_FALSE(counts_in(answer, other));
        EXPECT_FALSE(counts_in(co_await h.poll(ann, since), room)) << "told twice";
        EXPECT_EQ(counts_in(co_await h.poll(phone, phone_since, "30000"), room), (Counts{kMany, 1}));
        EXPECT_FALSE(counts_in(co_await h.poll(phone, phone_since), room)) << "told twice";

        co_await h.say(room, bob, "one more");
        EXPECT_EQ(counts_in(co_await h.poll(ann, since), room), (Counts{kMany + 1, 1}));
    });
}

TEST(UnreadCounts, that_were_cut_short_are_told_whole_after_a_restart) {
    TestHouse house;
    house.run([](TestHouse& h) -> runtime::Task<void> {
        const auto ann = co_await h.person("ann");
        const auto bob = co_await h.person("bob");
        const auto room = co_await h.room({bob, ann});
        co_await h.in_room(room, [&](RoomWriter& writer) {
            send(writer, bob, mention(ann));
            for (int i = 1; i < kMany; ++i) send(writer, bob, words("more"));
        });
        std::string since;
        (void)co_await h.poll(ann, since);
        co_await h.restart();
        EXPECT_EQ(counts_in(co_await h.poll(ann, since, "30000"), room), (Counts{kMany, 1}));
    });
}

TEST(UnreadCounts, go_on_from_where_they_were_cut_short_with_what_came_meanwhile) {
    TestHouse house;
    house.run([](TestHouse& h) -> runtime::Task<void> {
        const auto ann = co_await h.person("ann");
        const auto bob = co_await h.person("bob");
        const auto room = co_await h.room({bob, ann});
        std::string root;
        co_await h.in_room(room, [&](RoomWriter& writer) {
            root = send(writer, bob, mention(ann));
            for (int i = 0; i < 10; ++i) send(writer, bob, in_thread(root, "old"));
            for (int i = 0; i < kMany; ++i) send(writer, bob, words("more"));
        });
        std::string since;
        (void)co_await h.poll(ann, since);
        // Whoever writes in the thread has read what is in it, though that was not counted yet.
        co_await h.in_room(room, [&](RoomWriter& writer) {
            send(writer, bob, in_thread(root, "new"));
            send(writer, ann, in_thread(root, "mine"));
            send(writer, bob, in_thread(root, "newest"));
            send(writer, bob, words("main"));
        });
        auto counts = counts_in(co_await h.poll(ann, since), room);
        while (const auto more = counts_in(co_await h.poll(ann, since), room)) counts = more;
        EXPECT_EQ(counts, (Counts{1 + kMany + 1 + 1, 1}));
    });
}

TEST(UnreadCounts, stay_read_when_the_answer_that_showed_it_is_redacted) {
    TestHouse house;
    house.run([](TestHouse& h) -> runtime::Task<void> {
        const auto ann = co_await h.person("ann");
        const auto bob = co_await h.person("bob");
        const auto room = co_await h.room({bob, ann});
        std::string answer;
        co_await h.in_room(room, [&](RoomWriter& writer) {
            for (int i = 0; i < 5; ++i) send(writer, bob, words("hello?"));
            answer = send(writer, ann, words("hello"));
            send(writer, ann,
                 {{"msgtype", "m.text"},
                  {"body", "* hello!"},
                  {"m.new_content", words("hello!")},
                  {"m.relates_to", {{"rel_type", "m.replace"}, {"event_id", answer}}}});
        });
        std::string since;
        EXPECT_EQ(counts_in(co_await h.poll(ann, since), room), (Counts{0, 0}));
        co_await h.in_room(
            room, [&](RoomWriter& writer) { send(writer, ann, {{"redacts", answer}}, "m.room.redaction"); });
        EXPECT_EQ(counts_in(co_await h.poll(ann, since), room), (Counts{0, 0}));
        const auto phone = on_another_device(ann);
        co_await h.restart();
        std::string phone_since;
        const auto whole = co_await h.poll(phone, phone_since);
        EXPECT_EQ(counts_in(whole, room), (Counts{0, 0}));
        EXPECT_EQ(base::json::serialize(whole).find("m.receipt"), std::string::npos)
            << "it is told to nobody";
        co_await h.say(room, bob, "are you there?");
        EXPECT_EQ(counts_in(co_await h.poll(ann, since), room), (Counts{1, 0}));
    });
}

TEST(UnreadCounts, of_a_thread_stay_read_alone_where_the_redacted_answer_was_in_it) {
    TestHouse house;
    house.run([](TestHouse& h) -> runtime::Task<void> {
        const auto ann = co_await h.person("ann");
        const auto bob = co_await h.person("bob");
        const auto room = co_await h.room({bob, ann});
        std::string answer;
        co_await h.in_room(room, [&](RoomWriter& writer) {
            const auto root = send(writer, bob, words("root"));
            send(writer, bob, in_thread(root, "in the thread"));
            answer = send(writer, ann, in_thread(root, "hello"));
        });
        std::string since;
        EXPECT_EQ(counts_in(co_await h.poll(ann, since), room), (Counts{1, 0}));
        // Whoever redacts it.
        co_await h.in_room(
            room, [&](RoomWriter& writer) { send(writer, bob, {{"redacts", answer}}, "m.room.redaction"); });
        EXPECT_EQ(counts_in(co_await h.poll(ann, since), room), (Counts{1, 0}));
    });
}

}  // namespace
}  // namespace chat
