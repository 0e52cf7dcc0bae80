#include "connection.h"
#include "migrate.h"

#include <stdlib.h>

#include <optional>

#include <storage/test_database.h>

namespace storage {

struct TestDatabase::State {
    std::filesystem::path directory;
    std::unique_ptr<Connection> connection;
    std::optional<Transaction> transaction;

    ~State() {
        transaction.reset();
        connection.reset();
        std::error_code ignored;  // a directory that stays behind harms no test
        std::filesystem::remove_all(directory, ignored);
    }
};

TestDatabase::TestDatabase(std::vector<std::span<const Migration>> migrations)
    : state_(std::make_unique<State>()) {
    std::string name = (std::filesystem::temp_directory_path() / "lingxi-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    state_->directory = name;
    auto connection = Connection::open(state_->directory / "test.db", Connection::Mode::write, 8192);
    if (!connection) throw std::runtime_error(connection.error().message);
    state_->connection = std::move(*connection);
    if (auto migrated = migrate(*state_->connection, migrations); !migrated) {
        throw std::runtime_error(migrated.error().message);
    }
}

TestDatabase::~TestDatabase() {
    state_->connection->rollback_if_open();
}

Transaction& TestDatabase::begin() {
    state_->connection->execute("BEGIN IMMEDIATE");
    state_->transaction.emplace(*state_->connection);
    return *state_->transaction;
}

void TestDatabase::commit() {
    state_->connection->execute("COMMIT");
    auto callbacks = std::exchange(state_->connection->after_commit, {});
    for (auto& callback : callbacks) callback();
}

}  // namespace storage
