#include "connection.h"
#include "migrate.h"

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <stdexcept>

#include <storage/test_database.h>

namespace storage {

namespace {

template <class T>
T value_of(base::Result<T> result) {
    if (!result) throw Fault(result.error().kind, result.error().code, result.error().message);
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// A directory of its own that goes with everything in it.
class TemporaryDirectory {
  public:
    TemporaryDirectory() {
        std::string name = (std::filesystem::temp_directory_path() / "lingxi-test-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
        path_ = name;
    }
    ~TemporaryDirectory() {
        std::error_code ignored;  // a test's leftovers fail no test
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

}  // namespace

struct TestDatabase::State {
    TemporaryDirectory directory;
    std::unique_ptr<Connection> connection = value_of(Connection::open(
        {.path = directory.path() / "test.db", .role = Connection::Role::test, .cache_kib = 4096}));
    std::optional<Transaction> transaction;
};

TestDatabase::TestDatabase(std::vector<std::span<const Migration>> migrations)
    : state_(std::make_unique<State>()) {
    value_of(migrate(*state_->connection, migrations));
}

TestDatabase::~TestDatabase() = default;

Transaction& TestDatabase::begin() {
    state_->connection->roll_back();
    state_->connection->take_after_commit();
    state_->connection->execute("BEGIN IMMEDIATE");
    return state_->transaction.emplace(*state_->connection);
}

void TestDatabase::commit() {
    state_->connection->execute("COMMIT");
    for (auto& callback : state_->connection->take_after_commit()) callback();
}

}  // namespace storage
