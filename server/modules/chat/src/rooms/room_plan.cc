#include "rooms/room_plan.h"

#include "members/members.h"
#include "timeline/timeline.h"

#include <algorithm>
#include <array>
#include <set>

#include <base/encoding.h>

namespace chat {
namespace {

constexpr std::size_t kInviteLimit = 1000;
constexpr std::size_t kInitialStateLimit = 200;
constexpr std::size_t kAliasLocalpartBytes = 200;

std::unexpected<base::Error> invalid(std::string_view code, std::string message) {
    return base::fail(base::ErrorKind::invalid, code, std::move(message));
}

/// What the rules refuse in a room that does not exist yet is a fault of the request.
std::unexpected<base::Error> as_room_state_error(base::Error error) {
    if (error.kind == base::ErrorKind::forbidden)
        return invalid("M_INVALID_ROOM_STATE", std::move(error.message));
    if (error.kind == base::ErrorKind::not_found) return invalid("M_INVALID_PARAM", std::move(error.message));
    return base::fail(std::move(error));
}

base::Result<std::vector<RoomPlan::State>> read_initial_state(const base::json::array& array) {
    if (array.size() > kInitialStateLimit)
        return invalid("M_INVALID_PARAM", "There is too much initial state.");
    std::vector<RoomPlan::State> states;
    for (const auto& entry : array) {
        const auto* object = entry.if_object();
        const auto type = object == nullptr ? std::nullopt : base::get_string(*object, "type");
        const auto* content = object == nullptr ? nullptr : base::get_object(*object, "content");
        if (!type || content == nullptr ||
            base::has_wrong_type(*object, "state_key", base::json::kind::string)) {
            return invalid("M_BAD_JSON", "'initial_state' holds objects with a type and a content.");
        }
        states.push_back({std::string(*type),
                          std::string(base::get_string(*object, "state_key").value_or(std::string_view{})),
                          *content});
    }
    return states;
}

base::Result<std::vector<std::string>> read_invite(const base::json::array& array) {
    if (array.size() > kInviteLimit) return invalid("M_INVALID_PARAM", "There are too many invitations.");
    std::vector<std::string> users;
    for (const auto& entry : array) {
        if (!entry.is_string() || !identity::is_user_id(entry.get_string())) {
            return invalid("M_INVALID_PARAM", "'invite' holds user ids.");
        }
        std::string user_id(entry.get_string());
        if (std::ranges::find(users, user_id) == users.end()) users.push_back(std::move(user_id));
    }
    return users;
}

std::optional<RoomPlan::Preset> parse_preset(std::string_view text) {
    if (text == "private_chat") return RoomPlan::Preset::private_chat;
    if (text == "trusted_private_chat") return RoomPlan::Preset::trusted_private_chat;
    if (text == "public_chat") return RoomPlan::Preset::public_chat;
    return std::nullopt;
}

/// The steps of a creation, in the order in which the specification has them.
class Creation {
  public:
    Creation(RoomWriter& writer, const Actor& creator, const RoomPlan& plan)
        : writer_(writer), creator_(creator), plan_(plan) {}

    base::Result<void> run() {
        if (auto done = joined(); !done) return done;
        auto levels = default_power_levels(plan_, creator_);
        for (const auto& member : plan_.power_levels) levels[member.key()] = member.value();
        add_our_levels(levels);
        if (creators_rule(plan_.version)) raise_tombstone_level(levels);
        if (auto done = state("m.room.power_levels", std::move(levels)); !done) return done;
        if (plan_.alias_localpart) {
            if (auto done = alias(); !done) return done;
        }
        if (auto done = preset_state(); !done) return done;
        for (const auto& entry : plan_.initial_state) {
            if (entry.state_key.empty() && ((entry.type == "m.room.name" && plan_.name) ||
                                            (entry.type == "m.room.topic" && plan_.topic))) {
                continue;
            }
            auto content = entry.content;
            if (entry.type == "m.room.power_levels" && entry.state_key.empty()) add_our_levels(content);
            const auto set =
                append_checked_state(writer_, creator_, entry.type, entry.state_key, std::move(content));
            if (!set) return base::fail(set.error());
        }
        if (plan_.name) {
            if (auto done = state("m.room.name", {{"name", *plan_.name}}); !done) return done;
        }
        if (plan_.topic) {
            base::json::object content{
                {"topic", *plan_.topic},
                {"m.topic",
                 {{"m.text", base::json::array{{{"body", *plan_.topic}, {"mimetype", "text/plain"}}}}}}};
            if (auto done = state("m.room.topic", std::move(content)); !done) return done;
        }
        for (const auto& user_id : plan_.invite) {
            if (user_id == creator_.user_id) continue;
            const auto invited = change_membership(writer_, {.actor = creator_,
                                                             .target_id = user_id,
                                                             .to = Membership::invite,
                                                             .is_direct = plan_.is_direct});
            if (!invited) return base::fail(invited.error());
        }
        if (plan_.is_listed) set_listed(writer_.transaction(), writer_.room().number, true);
        return {};
    }

  private:
    base::Result<void> state(std::string_view type, base::json::object content) {
        const auto set = writer_.append_state(creator_, type, "", std::move(content));
        if (!set) return base::fail(set.error());
        return {};
    }

    base::Result<void> joined() {
        const auto done = change_membership(
            writer_, {.actor = creator_, .target_id = creator_.user_id, .to = Membership::join});
        if (!done) return base::fail(done.error());
        return {};
    }

    base::Result<void> alias() {
        const auto alias =
            "#" + *plan_.alias_localpart + ":" + std::string(identity::server_of(creator_.user_id));
        if (!insert_alias(writer_.transaction(), alias, writer_.room().number, creator_.user,
                          writer_.now_ms())) {
            return base::fail(base::ErrorKind::conflict, "M_ROOM_IN_USE",
                              "The alias '" + alias + "' is taken.");
        }
        return state("m.room.canonical_alias", {{"alias", alias}});
    }

    base::Result<void> preset_state() {
        const bool is_public = plan_.preset == RoomPlan::Preset::public_chat;
        const std::array<std::pair<std::string_view, base::json::object>, 3> events{
            {{"m.room.join_rules", {{"join_rule", is_public ? "public" : "invite"}}},
             {"m.room.history_visibility", {{"history_visibility", "shared"}}},
             {"m.room.guest_access", {{"guest_access", is_public ? "forbidden" : "can_join"}}}}};
        for (const auto& [type, content] : events) {
            const bool is_given = std::ranges::any_of(plan_.initial_state, [&](const RoomPlan::State& given) {
                return given.type == type && given.state_key.empty();
            });
            if (is_given) continue;
            if (auto done = state(type, content); !done) return done;
        }
        return {};
    }

    /// A client that lays its own "events" over the default knows nothing of ours: without these nobody but
    /// the creator could give or take back their consent.
    static void add_our_levels(base::json::object& levels) {
        if (!levels.contains("events")) levels["events"].emplace_object();
        auto* events = levels["events"].if_object();
        if (events == nullptr) return;
        events->insert({{"im.lingxi.consent", 0}, {"im.lingxi.ai_policy", 50}});
    }

    RoomWriter& writer_;
    const Actor& creator_;
    const RoomPlan& plan_;
};

base::json::object create_content(const RoomPlan& plan, const std::string& salt) {
    auto content = plan.creation_content;
    content.erase("creator");
    content["room_version"] = to_string(plan.version);
    if (!creators_rule(plan.version)) return content;
    content["im.lingxi.salt"] = salt;
    if (plan.preset == RoomPlan::Preset::trusted_private_chat && !plan.invite.empty()) {
        auto& creators = content["additional_creators"];
        if (!creators.is_array()) creators.emplace_array();
        auto& list = creators.get_array();
        for (const auto& user_id : plan.invite) {
            const base::json::value entry(user_id);
            if (std::ranges::find(list, entry) == list.end()) list.push_back(entry);
        }
    }
    return content;
}

}  // namespace

base::Result<RoomPlan> read_room_plan(identity::Body& body) {
    RoomPlan plan;
    if (const auto version = body.optional_string("room_version")) {
        const auto known = parse_room_version(*version);
        if (!known)
            return invalid("M_UNSUPPORTED_ROOM_VERSION", "This server makes rooms of versions 11 and 12.");
        plan.version = *known;
    }
    const auto visibility = body.optional_string("visibility").value_or("private");
    if (visibility != "public" && visibility != "private") {
        return invalid("M_INVALID_PARAM", "'visibility' is 'public' or 'private'.");
    }
    plan.is_listed = visibility == "public";
    const auto preset = parse_preset(
        body.optional_string("preset").value_or(plan.is_listed ? "public_chat" : "private_chat"));
    if (!preset) return invalid("M_INVALID_PARAM", "There is no such preset.");
    plan.preset = *preset;
    plan.is_direct = body.boolean("is_direct", false);
    plan.name = body.optional_string("name");
    plan.topic = body.optional_string("topic");
    plan.alias_localpart = body.optional_string("room_alias_name");
    if (plan.alias_localpart &&
        (plan.alias_localpart->empty() || plan.alias_localpart->size() > kAliasLocalpartBytes ||
         plan.alias_localpart->find_first_of(std::string_view(":#\0 \t\r\n", 7)) != std::string::npos)) {
        return invalid("M_INVALID_PARAM", "'room_alias_name' is the part of an alias before the ':'.");
    }
    if (const auto* array = body.optional_array("invite")) {
        auto users = read_invite(*array);
        if (!users) return base::fail(std::move(users.error()));
        plan.invite = std::move(*users);
    }
    if (const auto* array = body.optional_array("invite_3pid"); array != nullptr && !array->empty()) {
        return base::fail(base::ErrorKind::forbidden, "M_THREEPID_DENIED",
                          "This server keeps no e-mail addresses or telephone numbers.");
    }
    if (const auto* array = body.optional_array("initial_state")) {
        auto states = read_initial_state(*array);
        if (!states) return base::fail(std::move(states.error()));
        plan.initial_state = std::move(*states);
    }
    if (const auto* object = body.optional_object("creation_content")) plan.creation_content = *object;
    if (const auto* object = body.optional_object("power_level_content_override"))
        plan.power_levels = *object;
    if (body.failed()) return base::fail(body.error());
    return plan;
}

base::json::object default_power_levels(const RoomPlan& plan, const Actor& creator) {
    base::json::object users;
    if (!creators_rule(plan.version)) {
        users[creator.user_id] = 100;
        if (plan.preset == RoomPlan::Preset::trusted_private_chat) {
            for (const auto& user_id : plan.invite) users[user_id] = 100;
        }
    }
    return {{"users", std::move(users)},
            {"users_default", 0},
            {"events_default", 0},
            {"state_default", 50},
            {"ban", 50},
            {"kick", 50},
            {"redact", 50},
            {"invite", plan.preset == RoomPlan::Preset::public_chat ? 50 : 0},
            {"notifications", {{"room", 50}}},
            {"events",
             {{"m.room.name", 50},
              {"m.room.avatar", 50},
              {"m.room.canonical_alias", 50},
              {"m.room.power_levels", 100},
              {"m.room.history_visibility", 100},
              {"m.room.encryption", 100},
              {"m.room.server_acl", 100},
              {"m.room.tombstone", creators_rule(plan.version) ? 150 : 100}}}};
}

base::Result<RoomWriter> make_room(storage::Transaction& tx, const Actor& creator, const RoomPlan& plan,
                                   const std::string& salt, std::int64_t now_ms) {
    RoomId id;
    if (!creators_rule(plan.version))
        id = RoomId("!" + salt + ":" + std::string(identity::server_of(creator.user_id)));
    auto writer = create_room(tx, plan.version, id, creator, create_content(plan, salt), now_ms);
    if (!writer) return as_room_state_error(std::move(writer.error()));
    if (auto done = Creation(*writer, creator, plan).run(); !done)
        return as_room_state_error(std::move(done.error()));
    return writer;
}

runtime::Task<base::Result<RoomId>> create_room(Core& core, Actor creator, RoomPlan plan) {
    for (const auto& entry : plan.initial_state) {
        if (auto allowed = core.check_content(creator.user, entry.type, entry.content); !allowed) {
            co_return base::fail(std::move(allowed.error()));
        }
    }
    std::array<std::uint8_t, 16> bits{};
    core.random.fill(bits);
    storage::OrderKey order{"room:new:" + creator.user_id};
    auto job = [&core, creator = std::move(creator), plan = std::move(plan),
                salt = base::base64url_encode(bits),
                now_ms = core.clock.now_ms()](storage::Transaction& tx) -> base::Result<RoomId> {
        auto writer = make_room(tx, creator, plan, salt, now_ms);
        if (!writer) return base::fail(std::move(writer.error()));
        core.publish_after_commit(*writer);
        return writer->room().id;
    };
    co_return co_await core.database.write(std::move(order), std::move(job));
}

}  // namespace chat
