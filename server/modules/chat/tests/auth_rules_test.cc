#include "event/auth_rules.h"

#include <gtest/gtest.h>

namespace chat {
namespace {

using base::json::object;
using base::json::value;

constexpr auto kCreator = "@creator:x";
constexpr auto kMod = "@mod:x";
constexpr auto kAlice = "@alice:x";

/// A room of the given version with its usual levels: the creator (100 or infinite), a moderator of 50.
struct Room {
    explicit Room(RoomVersion room_version = RoomVersion::v12) : version(room_version) {
        content = object{
            {"users", {{kMod, 50}}}, {"notifications", {{"room", 50}}}, {"events", {{"m.room.name", 50}}}};
        if (version == RoomVersion::v11) content["users"].as_object()[kCreator] = 100;
    }
    PowerLevels levels() const { return read_power_levels(version, {kCreator, {}}, &content); }

    bool allows(std::string_view type, std::optional<std::string_view> state_key, std::string_view sender,
                const value& event_content, const std::function<void(AuthFacts&)>& adjust = {}) const {
        const auto current = levels();
        AuthFacts facts{.levels = current, .sender_membership = Membership::join};
        if (adjust) adjust(facts);
        return authorise(facts, {type, state_key, sender, event_content.as_object()}).has_value();
    }
    bool allows_membership(std::string_view sender, std::string_view target, std::string_view membership,
                           Membership sender_is, Membership target_is, std::string_view join_rule = "invite",
                           value extra = object{}) const {
        auto event_content = extra.as_object();
        event_content["membership"] = membership;
        return allows("m.room.member", target, sender, event_content, [&](AuthFacts& facts) {
            facts.sender_membership = sender_is;
            facts.target_membership = target_is;
            facts.join_rule = join_rule;
        });
    }

    RoomVersion version;
    object content;
};

TEST(AuthRules, let_only_joined_people_send) {
    const Room room;
    EXPECT_TRUE(room.allows("m.room.message", {}, kAlice, object{}));
    for (const auto membership :
         {Membership::none, Membership::invite, Membership::knock, Membership::leave, Membership::ban}) {
        EXPECT_FALSE(room.allows("m.room.message", {}, kAlice, object{},
                                 [&](AuthFacts& facts) { facts.sender_membership = membership; }));
    }
}

TEST(AuthRules, ask_for_the_level_of_the_type) {
    const Room room;
    EXPECT_FALSE(room.allows("m.room.name", "", kAlice, object{}));
    EXPECT_TRUE(room.allows("m.room.name", "", kMod, object{}));
    EXPECT_FALSE(room.allows("m.room.topic", "", kAlice, object{}));  // state_default
    EXPECT_FALSE(room.allows("m.room.create", "", kCreator, object{}));
}

TEST(AuthRules, keep_state_under_a_user_id_to_that_user) {
    Room room;
    room.content["events"].as_object()["im.lingxi.consent"] = 0;
    EXPECT_TRUE(room.allows("im.lingxi.consent", kAlice, kAlice, object{}));
    EXPECT_FALSE(room.allows("im.lingxi.consent", kAlice, kCreator, object{}));
    EXPECT_TRUE(room.allows("im.lingxi.consent", "", kAlice, object{}));
}

TEST(AuthRules, about_joining) {
    const Room room;
    using enum Membership;
    EXPECT_TRUE(room.allows_membership(kAlice, kAlice, "join", none, none, "public"));
    EXPECT_FALSE(room.allows_membership(kAlice, kAlice, "join", ban, ban, "public"));
    EXPECT_FALSE(room.allows_membership(kAlice, kAlice, "join", none, none));
    EXPECT_TRUE(room.allows_membership(kAlice, kAlice, "join", invite, invite));
    EXPECT_TRUE(room.allows_membership(kAlice, kAlice, "join", join, join));
    EXPECT_FALSE(room.allows_membership(kAlice, kMod, "join", join, invite, "public"));
    EXPECT_FALSE(room.allows_membership(kAlice, kAlice, "join", knock, knock, "knock"));
    EXPECT_FALSE(room.allows_membership(kAlice, kAlice, "join", none, none, "private"));
}

TEST(AuthRules, let_the_creator_join_first) {
    const Room room;
    const auto first = [](AuthFacts& facts) {
        facts.only_create_before = true;
        facts.sender_membership = Membership::none;
    };
    EXPECT_TRUE(room.allows("m.room.member", kCreator, kCreator, object{{"membership", "join"}}, first));
    EXPECT_FALSE(room.allows("m.room.member", kAlice, kAlice, object{{"membership", "join"}}, first));
}

TEST(AuthRules, let_somebody_who_may_invite_vouch_for_a_restricted_join) {
    Room room;
    room.content["invite"] = 50;
    const auto join = [&](std::string_view authoriser, Membership authoriser_is) {
        return room.allows("m.room.member", kAlice, kAlice,
                           object{{"membership", "join"}, {"join_authorised_via_users_server", authoriser}},
                           [&](AuthFacts& facts) {
                               facts.join_rule = "restricted";
                               facts.sender_membership = Membership::none;
                               facts.authoriser_membership = authoriser_is;
                           });
    };
    EXPECT_TRUE(join(kMod, Membership::join));
    EXPECT_FALSE(join(kMod, Membership::leave));
    EXPECT_FALSE(join("@nobody:x", Membership::join));
    EXPECT_FALSE(join("@mod:other", Membership::join));
    EXPECT_FALSE(join("", Membership::none));
}

TEST(AuthRules, about_inviting) {
    Room room;
    using enum Membership;
    EXPECT_TRUE(room.allows_membership(kAlice, "@bob:x", "invite", join, none));
    EXPECT_FALSE(room.allows_membership(kAlice, "@bob:x", "invite", leave, none));
    EXPECT_FALSE(room.allows_membership(kAlice, "@bob:x", "invite", join, join));
    EXPECT_FALSE(room.allows_membership(kAlice, "@bob:x", "invite", join, ban));
    EXPECT_FALSE(room.allows_membership(kAlice, "@bob:x", "invite", join, none, "invite",
                                        object{{"third_party_invite", object{}}}));
    room.content["invite"] = 50;
    EXPECT_FALSE(room.allows_membership(kAlice, "@bob:x", "invite", join, none));
    EXPECT_TRUE(room.allows_membership(kMod, "@bob:x", "invite", join, none));
}

TEST(AuthRules, about_leaving_and_being_removed) {
    const Room room;
    using enum Membership;
    EXPECT_TRUE(room.allows_membership(kAlice, kAlice, "leave", join, join));
    EXPECT_TRUE(room.allows_membership(kAlice, kAlice, "leave", invite, invite));
    EXPECT_TRUE(room.allows_membership(kAlice, kAlice, "leave", knock, knock));
    EXPECT_FALSE(room.allows_membership(kAlice, kAlice, "leave", ban, ban));
    EXPECT_FALSE(room.allows_membership(kAlice, kAlice, "leave", leave, leave));
    EXPECT_TRUE(room.allows_membership(kMod, kAlice, "leave", join, join));
    EXPECT_FALSE(room.allows_membership(kAlice, "@bob:x", "leave", join, join));
    EXPECT_FALSE(room.allows_membership(kMod, kCreator, "leave", join, join));
    EXPECT_FALSE(room.allows_membership(kMod, kMod, "leave", leave, leave));
    EXPECT_TRUE(room.allows_membership(kMod, kAlice, "leave", join, ban));
}

TEST(AuthRules, about_banning_and_knocking) {
    Room room;
    using enum Membership;
    EXPECT_TRUE(room.allows_membership(kMod, kAlice, "ban", join, join));
    EXPECT_TRUE(room.allows_membership(kMod, "@bob:x", "ban", join, none));
    EXPECT_FALSE(room.allows_membership(kMod, kCreator, "ban", join, join));
    EXPECT_FALSE(room.allows_membership(kAlice, "@bob:x", "ban", join, join));
    EXPECT_TRUE(room.allows_membership(kAlice, kAlice, "knock", none, none, "knock"));
    EXPECT_FALSE(room.allows_membership(kAlice, kAlice, "knock", none, none, "invite"));
    EXPECT_FALSE(room.allows_membership(kAlice, kAlice, "knock", ban, ban, "knock"));
    EXPECT_FALSE(room.allows_membership(kAlice, kMod, "knock", none, none, "knock"));
    EXPECT_FALSE(room.allows_membership(kAlice, kAlice, "dance", join, join));
    room.content["ban"] = 60;
    room.content["kick"] = 50;
    EXPECT_FALSE(room.allows_membership(kMod, kAlice, "leave", join, ban));  // lifting a ban
}

TEST(PowerLevels, hold_integers_only) {
    const Room room;
    for (const auto* bad :
         {R"({"ban":"50"})", R"({"ban":5.5})", R"({"events":{"x":"1"}})", R"({"events":[]})",
          R"({"notifications":{"room":null}})", R"({"users":{"@a:x":"1"}})", R"({"users":{"nobody":1}})",
          R"({"users":[]})", R"({"ban":18446744073709551615})"}) {
        EXPECT_FALSE(room.allows("m.room.power_levels", "", kCreator, *base::parse_json(bad, 1000))) << bad;
    }
}

TEST(PowerLevels, never_name_a_creator_in_version_12) {
    const Room v12;
    EXPECT_FALSE(v12.allows("m.room.power_levels", "", kCreator, object{{"users", {{kCreator, 100}}}}));
    EXPECT_EQ(v12.levels().of_user(kCreator), PowerLevels::kInfinite);
    const Room v11(RoomVersion::v11);
    EXPECT_TRUE(v11.allows("m.room.power_levels", "", kCreator, object{{"users", {{kCreator, 100}}}}));
    EXPECT_EQ(v11.levels().of_user(kCreator), 100);
}

TEST(PowerLevels, without_the_event_leave_the_creator_in_charge) {
    const auto v11 = read_power_levels(RoomVersion::v11, {kCreator, {}}, nullptr);
    EXPECT_EQ(v11.of_user(kCreator), 100);
    EXPECT_EQ(v11.of_user(kAlice), 0);
    EXPECT_EQ(v11.of_event("m.room.name", true), 50);
    EXPECT_EQ(v11.of_event("m.room.message", false), 0);
    const auto v12 = read_power_levels(RoomVersion::v12, {kCreator, {kAlice}}, nullptr);
    EXPECT_EQ(v12.of_user(kAlice), PowerLevels::kInfinite);
}

TEST(PowerLevels, are_changed_by_nobody_above_their_own) {
    Room room;
    room.content["users"].as_object()["@peer:x"] = 50;
    const auto changed = [&](const std::function<void(object&)>& change) {
        auto content = room.content;
        change(content);
        return room.allows("m.room.power_levels", "", kMod, content);
    };
    room.content["events"].as_object()["m.room.power_levels"] = 50;
    room.content["events"].as_object()["high"] = 90;
    room.content["ban"] = 80;
    EXPECT_TRUE(changed([](object& c) { c["users"].as_object()[kAlice] = 50; }));
    EXPECT_FALSE(changed([](object& c) { c["users"].as_object()[kAlice] = 51; }));
    EXPECT_TRUE(changed([](object& c) { c["users"].as_object()[kMod] = 0; }));
    EXPECT_TRUE(changed([](object& c) { c["users"].as_object().erase(kMod); }));
    EXPECT_FALSE(changed([](object& c) { c["users"].as_object()[kMod] = 51; }));
    EXPECT_FALSE(changed([](object& c) { c["users"].as_object()["@peer:x"] = 0; }));
    EXPECT_FALSE(changed([](object& c) { c["users"].as_object().erase("@peer:x"); }));
    EXPECT_FALSE(changed([](object& c) { c["ban"] = 50; }));
    EXPECT_FALSE(changed([](object& c) { c.erase("ban"); }));
    EXPECT_TRUE(changed([](object& c) { c["kick"] = 40; }));
    EXPECT_FALSE(changed([](object& c) { c["kick"] = 60; }));
    EXPECT_FALSE(changed([](object& c) { c["events"].as_object()["high"] = 0; }));
    EXPECT_FALSE(changed([](object& c) { c["events"].as_object().erase("high"); }));
    EXPECT_FALSE(changed([](object& c) { c["events"].as_object()["new"] = 60; }));
    EXPECT_TRUE(changed([](object& c) { c["events"].as_object()["new"] = 50; }));
    EXPECT_FALSE(changed([](object& c) { c["notifications"].as_object()["room"] = 60; }));
    EXPECT_TRUE(changed([](object& c) { c["notifications"].as_object()["room"] = 10; }));
}

TEST(CreateEvent, of_version_12_names_only_users_as_creators) {
    EXPECT_TRUE(
        authorise_create(RoomVersion::v12, {{"room_version", "12"}, {"additional_creators", {"@a:x"}}}));
    EXPECT_FALSE(authorise_create(RoomVersion::v12, {{"additional_creators", {"nobody"}}}));
    EXPECT_FALSE(authorise_create(RoomVersion::v12, {{"additional_creators", "@a:x"}}));
    EXPECT_FALSE(authorise_create(RoomVersion::v12, {{"additional_creators", {1}}}));
    EXPECT_TRUE(authorise_create(RoomVersion::v11, {{"additional_creators", 1}}));
    EXPECT_FALSE(authorise_create(RoomVersion::v11, {{"room_version", "99"}}));
}

TEST(AuthEvents, are_selected_by_type) {
    const object join{{"membership", "join"}, {"join_authorised_via_users_server", kMod}};
    EXPECT_EQ(auth_events_selection(RoomVersion::v12, {"m.room.member", kAlice, kAlice, join}),
              (std::vector<StateKey>{{"m.room.power_levels", ""},
                                     {"m.room.member", kAlice},
                                     {"m.room.join_rules", ""},
                                     {"m.room.member", kMod}}));
    const object ban{{"membership", "ban"}};
    EXPECT_EQ(auth_events_selection(RoomVersion::v11, {"m.room.member", kAlice, kMod, ban}),
              (std::vector<StateKey>{{"m.room.create", ""},
                                     {"m.room.power_levels", ""},
                                     {"m.room.member", kMod},
                                     {"m.room.member", kAlice}}));
    EXPECT_TRUE(auth_events_selection(RoomVersion::v11, {"m.room.create", "", kCreator, {}}).empty());
}

}  // namespace
}  // namespace chat
