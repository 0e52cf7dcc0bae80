#pragma once

#include "options.h"

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace bench {

/// One session, and the rooms that it writes in: a line of the file that `furnish` and the history tool
/// write.
struct Person {
    std::string user_id;
    std::string token;
    std::vector<std::string> rooms;
};

inline std::vector<Person> read_people(const std::string& path) {
    std::ifstream in(path);
    std::vector<Person> people;
    std::string line;
    while (std::getline(in, line)) {
        std::istringstream fields(line);
        Person person;
        fields >> person.user_id >> person.token;
        for (std::string room; fields >> room;) person.rooms.push_back(std::move(room));
        if (!person.token.empty()) people.push_back(std::move(person));
    }
    if (people.empty()) {
        std::cerr << "no people in " << path << "\n";
        std::exit(2);
    }
    return people;
}

inline std::string send_target(const std::string& room, const std::string& txn) {
    return "/_matrix/client/v3/rooms/" + room + "/send/m.room.message/" + txn;
}

/// The content of a message of ordinary length: with what the server adds, an event of about 400 bytes.
inline std::string message_body(std::uint64_t number) {
    std::string text =
        R"({"msgtype":"m.text","body":"message )" + std::to_string(number) +
        " of the load generator: 我们周六中午十二点半见，别忘了带上那本书，it is on the second shelf\"}";
    return text;
}

}  // namespace bench
