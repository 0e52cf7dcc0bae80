// What becomes of a file when the events that show it are redacted, or its owner is erased.
#include "media/media_use.h"

#include "house.h"
#include "sync/account_data_store.h"

#include <algorithm>
#include <fstream>

#include <gtest/gtest.h>

#include <base/encoding.h>
#include <chat/media.h>
#include <chat/sync.h>
#include <identity/users.h>
#include <imaging/renderer.h>

namespace chat {
namespace {

class OnePiece final : public net::BodyReader {
  public:
    explicit OnePiece(std::string body) : body_(std::move(body)) {}
    runtime::Task<base::Result<std::span<const std::uint8_t>>> next() override {
        const auto piece = base::as_bytes(std::string_view(body_).substr(std::exchange(at_, body_.size())));
        co_return piece;
    }

  private:
    std::string body_;
    std::size_t at_ = 0;
};

/// That of the house, which fails as often as it is told to: as nearly anything can where memory is short.
class FaultyClock final : public base::Clock {
  public:
    explicit FaultyClock(const base::Clock& clock) : clock_(clock) {}
    std::int64_t now_ms() const override {
        if (faults_ > 0 && faults_-- > 0) throw std::runtime_error("no time");
        return clock_.now_ms();
    }
    std::chrono::steady_clock::time_point steady_now() const override { return clock_.steady_now(); }
    void fail(int times) { faults_ = times; }
    int faults_left() const { return faults_; }

  private:
    const base::Clock& clock_;
    mutable int faults_ = 0;
};

class MediaUse : public testing::Test {
  protected:
    MediaUse() : peer_(house_.runtime()), renderer_(peer_) {
        directory_ = (std::filesystem::temp_directory_path() / "lingxi-media-use-XXXXXX").string();
        EXPECT_NE(::mkdtemp(directory_.data()), nullptr);
        media_ = std::make_unique<Media>(
            house_.runtime(), house_.database(), clock_, random_, renderer_, house_.chat().news(),
            Media::Options{.directory = directory_, .server_name = [] { return std::string("x"); }});
        routes_ = media_->routes();
        EXPECT_TRUE(house_.await(media_->start()));
    }
    ~MediaUse() override {
        house_.await(media_->stop());
        house_.await(peer_.stop());
        std::error_code ignored;  // a directory that stays behind harms no test
        std::filesystem::remove_all(directory_, ignored);
    }

    net::Response call(const std::string& operation, const Actor& actor, const std::string& body,
                       const std::string& media_id = {}) {
        net::Request request;
        request.path_values = {{"serverName", "x"}, {"mediaId", media_id}};
        request.query.add("timeout_ms", "0");
        request.principal = net::Principal{.user_id = actor.user_id, .user_number = actor.user.value};
        OnePiece piece(body);
        request.body_reader = &piece;
        const auto route = std::ranges::find(routes_, operation, &net::Route::operation_id);
        return house_.await(route->handler(std::move(request)));
    }
    /// Uploads, and plays that a thumbnail of it was made.
    std::string upload(const Actor& actor, const std::string& body) {
        const auto parsed = base::parse_json(call("uploadContent", actor, body).body, 4096).value();
        const auto hash = base::hex_encode(base::sha256(base::as_bytes(body)));
        std::ofstream(std::filesystem::path(directory_) / (hash + ".96x96-crop")) << "small";
        return std::string(base::get_string(parsed.as_object(), "content_uri").value());
    }
    std::string show(const Actor& actor, const std::string& room, const std::string& uri) {
        const auto sent = house_.put(
            "/_matrix/client/v3/rooms/" + in_path(room) + "/send/m.room.message/" + std::to_string(++sent_),
            actor, {{"msgtype", "m.file"}, {"body", "a file"}, {"url", uri}});
        EXPECT_EQ(sent.status, 200);
        return sent.text("event_id");
    }
    void redact(const Actor& actor, const std::string& room, const std::string& event) {
        const auto done = house_.put("/_matrix/client/v3/rooms/" + in_path(room) + "/redact/" +
                                         in_path(event) + "/" + std::to_string(++sent_),
                                     actor);
        EXPECT_EQ(done.status, 200);
    }
    bool is_there(const std::string& uri) {
        const auto response =
            call("getContentAuthed", reader_, {}, uri.substr(std::string("mxc://x/").size()));
        return response.status == 200;
    }
    std::ptrdiff_t files() const {
        return std::distance(std::filesystem::directory_iterator(directory_),
                             std::filesystem::directory_iterator());
    }
    void until_no_files() {
        const auto wait = [](MediaUse& test) -> runtime::Task<void> {
            while (test.files() > 0) co_await runtime::sleep_for(std::chrono::milliseconds(2));
        };
        house_.await(wait(*this));
    }
    void until_no_faults() {
        const auto wait = [](MediaUse& test) -> runtime::Task<void> {
            while (test.clock_.faults_left() > 0) co_await runtime::sleep_for(std::chrono::milliseconds(2));
        };
        house_.await(wait(*this));
    }
    std::size_t to_be_deleted() {
        return house_
            .read([](storage::Transaction& tx) {
                return base::Result<std::size_t>(unused_media(tx, 100).size());
            })
            .value();
    }

    House house_;
    FaultyClock clock_{house_.clock()};
    base::SystemRandom random_;
    wire::Peer peer_;
    imaging::Renderer renderer_;
    std::string directory_;
    std::unique_ptr<Media> media_;
    std::vector<net::Route> routes_;
    Actor reader_ = house_.person("reader");
    int sent_ = 0;
};

TEST_F(MediaUse, a_file_and_its_thumbnail_go_when_the_event_that_shows_it_is_redacted) {
    const auto ann = house_.person("ann");
    const auto room = house_.room(ann);
    const auto uri = upload(ann, "a picture");
    const auto event = show(ann, room, uri);
    EXPECT_EQ(files(), 2);
    redact(ann, room, event);
    until_no_files();
    EXPECT_FALSE(is_there(uri));
}

TEST_F(MediaUse, files_go_also_after_a_fault_amid_it) {
    const auto ann = house_.person("ann");
    const auto room = house_.room(ann);
    const auto first = show(ann, room, upload(ann, "a picture"));
    const auto second = show(ann, room, upload(ann, "another"));
    EXPECT_EQ(files(), 4);
    clock_.fail(1);
    redact(ann, room, first);
    until_no_faults();
    redact(ann, room, second);
    until_no_files();
}

TEST_F(MediaUse, a_file_stays_until_the_last_event_that_shows_it_is_redacted) {
    const auto ann = house_.person("ann");
    const auto bob = house_.person("bob");
    const auto room = house_.room(ann, {{"preset", "public_chat"}});
    house_.join(bob, room);
    const auto uri = upload(ann, "a picture");
    const auto first = show(ann, room, uri);
    const auto forwarded = show(bob, room, uri);
    redact(ann, room, first);
    EXPECT_EQ(to_be_deleted(), 0U);
    EXPECT_TRUE(is_there(uri));
    redact(bob, room, forwarded);
    until_no_files();
    EXPECT_FALSE(is_there(uri));
}

TEST_F(MediaUse, nobody_deletes_what_another_person_uploaded_by_showing_and_redacting_it) {
    const auto ann = house_.person("ann");
    const auto bob = house_.person("bob");
    const auto room = house_.room(bob);
    const auto uri = upload(ann, "hers");
    redact(bob, room, show(bob, room, uri));
    EXPECT_EQ(to_be_deleted(), 0U);
    EXPECT_TRUE(is_there(uri));
}

TEST_F(MediaUse, a_picture_that_is_its_owners_avatar_stays) {
    const auto ann = house_.person("ann");
    const auto room = house_.room(ann);
    const auto uri = upload(ann, "a face");
    ASSERT_TRUE(house_.write([user = ann.user, uri](storage::Transaction& tx) -> base::Result<void> {
        tx.prepare("UPDATE identity_accounts SET avatar_url = ?2 WHERE user_number = ?1")
            .bind(user, uri)
            .run();
        return {};
    }));
    redact(ann, room, show(ann, room, uri));
    while (to_be_deleted() > 0) house_.runtime().io().run_one();
    EXPECT_TRUE(is_there(uri));
}

TEST_F(MediaUse, an_event_shows_all_that_it_names_however_many) {
    const auto ann = house_.person("ann");
    const auto room = house_.room(ann);
    base::json::object stickers;
    std::vector<std::string> uris;
    for (int i = 0; i < 80; ++i) {
        uris.push_back(upload(ann, "sticker " + std::to_string(i)));
        stickers[std::to_string(i)] = {{"url", uris.back()}};
    }
    const auto set = house_.put("/_matrix/client/v3/rooms/" + in_path(room) + "/state/im.lingxi.stickers",
                                ann, {{"images", stickers}});
    ASSERT_EQ(set.status, 200);
    for (const auto& uri : uris) redact(ann, room, show(ann, room, uri));
    EXPECT_EQ(to_be_deleted(), 0U);
    EXPECT_TRUE(std::ranges::all_of(uris, [&](const auto& uri) { return is_there(uri); }));
}

TEST_F(MediaUse, what_its_owner_keeps_as_account_data_stays_as_long) {
    const auto ann = house_.person("ann");
    const auto bob = house_.person("bob");
    const auto room = house_.room(ann);
    const auto uri = upload(ann, "a favourite");
    const auto keep = [&](const Actor& actor, std::string_view what) {
        const auto json = base::json::serialize(base::json::object{{"images", {{"one", what}}}});
        ASSERT_TRUE(house_.write([user = actor.user, json](storage::Transaction& tx) -> base::Result<void> {
            put_account_data(tx, user, kNoRoom, "im.lingxi.favourites", json);
            return {};
        }));
    };
    keep(ann, uri);
    keep(bob, uri);
    redact(ann, room, show(ann, room, uri));
    EXPECT_EQ(to_be_deleted(), 0U);
    EXPECT_TRUE(is_there(uri));
    keep(ann, "no file");  // what others keep of it counts as little as their screenshots
    EXPECT_EQ(to_be_deleted(), 1U);
    house_.chat().news().publish_rest();
    until_no_files();
    EXPECT_FALSE(is_there(uri));
}

TEST_F(MediaUse, account_data_that_is_erased_shows_nothing_any_more) {
    const auto ann = house_.person("ann");
    const auto uri = upload(ann, "a favourite");
    ASSERT_TRUE(house_.write([&](storage::Transaction& tx) -> base::Result<void> {
        put_account_data(tx, ann.user, kNoRoom, "im.lingxi.favourites", R"({"url":")" + uri + R"("})");
        EXPECT_TRUE(erase_some_of(tx, ann.user));
        return {};
    }));
    ASSERT_TRUE(house_.await(media_->erase_user(ann.user)));
    EXPECT_FALSE(is_there(uri));
}

TEST_F(MediaUse, of_events_from_before_it_was_kept_is_found_within_texts_too) {
    const auto ann = house_.person("ann");
    const auto bob = house_.person("bob");
    const auto room = house_.room(ann);
    const auto in_words = upload(ann, "one");
    const auto kept = upload(ann, "two");
    const auto of_another = upload(ann, "three");
    const auto sent =
        house_.put("/_matrix/client/v3/rooms/" + in_path(room) + "/send/m.room.message/html", ann,
                   {{"msgtype", "m.text"},
                    {"body", "mxc:// mxc://x mxc://y/none"},
                    {"formatted_body", "<b>see</b> <img src=\"" + in_words + "\">"}});
    ASSERT_EQ(sent.status, 200);
    std::vector<std::string> found;
    ASSERT_TRUE(house_.write([&](storage::Transaction& tx) -> base::Result<void> {
        put_account_data(tx, ann.user, kNoRoom, "a", R"({"url":")" + kept + R"("})");
        put_account_data(tx, bob.user, kNoRoom, "a", R"({"url":")" + of_another + R"("})");
        tx.execute("DELETE FROM media_use");
        tx.execute(migrations()[5].sql);
        auto rows = tx.prepare("SELECT media_id FROM media_use ORDER BY room_number DESC");
        while (rows.step()) found.push_back("mxc://x/" + std::string(rows.text(0)));
        return {};
    }));
    EXPECT_EQ(found, (std::vector<std::string>{in_words, kept}));
}

TEST_F(MediaUse, what_an_erased_person_uploaded_goes_but_for_what_others_show) {
    const auto ann = house_.person("ann");
    const auto bob = house_.person("bob");
    const auto room = house_.room(bob);
    const auto uri = upload(ann, "kept by bob");
    const auto other = upload(ann, "kept by nobody");
    const auto event = show(bob, room, uri);
    ASSERT_TRUE(house_.await(media_->erase_user(ann.user)));
    EXPECT_TRUE(is_there(uri));
    EXPECT_FALSE(is_there(other));
    redact(bob, room, event);
    until_no_files();
}

TEST_F(MediaUse, an_erased_persons_face_goes_from_the_invitations_that_others_sent_them) {
    const auto ann = house_.person("ann");
    const auto bob = house_.person("bob");
    const auto face = upload(ann, "a face");
    ASSERT_TRUE(house_.write([user = ann.user, face](storage::Transaction& tx) -> base::Result<void> {
        tx.prepare("UPDATE identity_accounts SET avatar_url = ?2 WHERE user_number = ?1")
            .bind(user, face)
            .run();
        return {};
    }));
    const auto joined = house_.room(bob, {{"invite", base::json::array{ann.user_id}}});
    house_.join(ann, joined);
    const auto invited = house_.room(bob, {{"invite", base::json::array{ann.user_id}}, {"is_direct", true}});
    const auto put_out = house_.room(bob, {{"invite", base::json::array{ann.user_id}}});
    EXPECT_EQ(house_
                  .post("/_matrix/client/v3/rooms/" + in_path(put_out) + "/kick", bob,
                        {{"user_id", ann.user_id}, {"reason", "the wrong Ann"}})
                  .status,
              200);

    ASSERT_TRUE(house_.await(house_.chat().hooks().account_deactivated(ann.user, true)));
    // What identity does where an account ends.
    ASSERT_TRUE(house_.write([user = ann.user](storage::Transaction& tx) -> base::Result<void> {
        tx.prepare("UPDATE identity_accounts SET avatar_url = NULL WHERE user_number = ?1").bind(user).run();
        return {};
    }));
    ASSERT_TRUE(house_.await(media_->erase_user(ann.user)));

    const auto left = house_.read([](storage::Transaction& tx) -> base::Result<std::string> {
        std::string found;
        auto rows = tx.prepare("SELECT json FROM event WHERE json LIKE '%ame of ann%' OR json LIKE '%mxc:%'");
        while (rows.step()) found.append(rows.text(0));
        return found;
    });
    EXPECT_EQ(left.value(), "");
    for (const auto& room : {joined, invited}) {
        const auto now = house_.get("/_matrix/client/v3/rooms/" + in_path(room) + "/state/m.room.member/" +
                                        in_path(ann.user_id) + "?format=event",
                                    bob);
        EXPECT_EQ(now.object().at("content").at("membership").as_string(), "leave");
        EXPECT_FALSE(now.object().at("unsigned").at("prev_content").as_object().contains("avatar_url"));
    }
    // Somebody else's words stay.
    EXPECT_EQ(base::json::serialize(house_.state(bob, put_out, "m.room.member", ann.user_id)),
              R"({"membership":"leave","reason":"the wrong Ann"})");
    EXPECT_FALSE(is_there(face));
    EXPECT_EQ(files(), 0);
}

TEST(MediaNamed, is_found_wherever_a_content_names_it) {
    EXPECT_EQ(media_named_in(R"({"url":"mxc://x/one","info":{"thumbnail_url":"mxc://x/two"}})", "x"),
              (std::vector<std::string>{"one", "two"}));
    EXPECT_EQ(media_named_in(R"({"formatted_body":"<img src=\"mxc://x/a-b_C\"> mxc://x/a-b_C"})", "x"),
              std::vector<std::string>{"a-b_C"});
    EXPECT_TRUE(
        media_named_in(R"({"url":"mxc://xx/one","a":"mxc://y/two","b":"mxc://x/","c":"mxc://x"})", "x")
            .empty());
    std::string many;
    for (int i = 0; i < 1000; ++i) many += "mxc://x/" + std::to_string(i) + " ";
    EXPECT_EQ(media_named_in(many, "x").size(), 1000U);
}

}  // namespace
}  // namespace chat
