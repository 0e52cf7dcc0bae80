// Makes people and rooms on a server that is open for registration, as clients do.

#include "commands.h"
#include "connection.h"
#include "people.h"

#include <functional>

namespace bench {
namespace {

/// One request, and its answer: for what is done once.
class Asker {
  public:
    explicit Asker(const Endpoint& endpoint) : connection_(std::make_shared<Connection>(io_, endpoint)) {}

    std::string ask(std::string_view method, std::string_view target, std::string_view token,
                    std::string_view body, int expected) {
        std::string out;
        int status = 0;
        if (connection_->is_open() || connection_->open()) {
            connection_->ask(request_text(method, target, token, body), [&](const Answer& answer) {
                status = answer.status;
                out = answer.body;
                io_.stop();
            });
            io_.restart();
            io_.run();
        }
        if (status != expected) {
            std::cerr << method << " " << target << ": " << status << " " << out << "\n";
            std::exit(1);
        }
        return out;
    }

  private:
    asio::io_context io_{1};
    std::shared_ptr<Connection> connection_;
};

Person make_person(Asker& asker, const std::string& name) {
    const std::string password = "a long password of the bench";
    const auto credentials = R"("username":")" + name + R"(","password":")" + password + '"';
    const auto challenge = asker.ask("POST", "/_matrix/client/v3/register", "", "{" + credentials + "}", 401);
    (void)asker.ask("POST", "/_matrix/client/v3/register", "",
                    "{" + credentials +
                        R"(,"inhibit_login":true,"auth":{"type":"m.login.dummy","session":")" +
                        json_text(challenge, "session") + "\"}}",
                    200);
    const auto login = asker.ask("POST", "/_matrix/client/v3/login", "",
                                 R"({"type":"m.login.password","identifier":{"type":"m.id.user","user":")" +
                                     name + R"("},"password":")" + password + "\"}",
                                 200);
    return {json_text(login, "user_id"), json_text(login, "access_token"), {}};
}

}  // namespace

int furnish(const Options& options) {
    Asker asker(loopback_endpoint(options.text("url")));
    const auto count = options.number("people", 64);
    const auto rooms = options.number("rooms", 1);
    std::ofstream out(options.text("people-file"));
    for (std::int64_t i = 0; i < count; ++i) {
        auto person = make_person(asker, options.text("prefix", "sender") + std::to_string(i));
        for (std::int64_t r = 0; r < rooms; ++r) {
            const auto made = asker.ask("POST", "/_matrix/client/v3/createRoom", person.token,
                                        R"({"preset":"private_chat","name":"bench"})", 200);
            person.rooms.push_back(json_text(made, "room_id"));
        }
        out << person.user_id << '\t' << person.token;
        for (const auto& room : person.rooms) out << '\t' << room;
        out << '\n';
    }
    return out.good() ? 0 : 1;
}

}  // namespace bench
