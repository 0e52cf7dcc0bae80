#include "assist_fixture.h"

namespace assistant::test {
namespace {

namespace json = base::json;

using Agreement = AssistTest;

/// What the gateway is told of a translation of this person's words, asked for by alice.
egress::ModelRequest request_for(Agreement& test, const Person& author) {
    test.world.fake->script.deltas = {"译文"};
    const auto event = test.world.say(author, test.room, "translate me");
    const auto answer = test.world.post(
        test.alice, kTranslations, {{"room_id", test.room}, {"event_id", event}, {"target_language", "zh"}});
    EXPECT_TRUE(answer.event("done")) << json::serialize(answer.body);
    return test.world.fake->requests.back();
}

TEST_F(Agreement, the_gateway_is_told_where_the_words_of_others_may_go) {
    const auto own = request_for(*this, alice);
    EXPECT_FALSE(own.this_machine_only);
    EXPECT_EQ(own.provider_name, "") << "one's own words go wherever there is a model";

    world.consent(bob, room, true, "Provider cloud");
    const auto by_name = request_for(*this, bob);
    EXPECT_FALSE(by_name.this_machine_only);
    EXPECT_EQ(by_name.provider_name, "Provider cloud");

    world.fake->on_this_machine = true;
    world.put(admin, "/_lingxi/admin/v1/models/cloud", {{"name", "x"}});  // the list is asked for anew
    world.set_state(bob, room, "im.lingxi.consent", bob.user_id,
                    {{"purposes", {{"suggest_replies", true}, {"translate", true}}},
                     {"destination", {{"kind", "this_machine"}}},
                     {"agreed", true}});
    const auto by_place = request_for(*this, bob);
    EXPECT_TRUE(by_place.this_machine_only);
    EXPECT_EQ(by_place.provider_name, "");

    const auto carol = world.person("carol", "Carol");
    world.join(carol, room);
    world.consent(carol, room, true, "Provider cloud");
    world.fake->script = {};
    const auto suggested = world.post(
        alice, kSuggestions, ids({world.say(bob, room, "from bob"), world.say(carol, room, "from carol")}));
    ASSERT_TRUE(suggested.event("done")) << json::serialize(suggested.body);
    EXPECT_TRUE(world.fake->requests.back().this_machine_only) << "of several, what all of them agreed to";
    EXPECT_EQ(world.fake->requests.back().provider_name, "Provider cloud");
}

}  // namespace
}  // namespace assistant::test
