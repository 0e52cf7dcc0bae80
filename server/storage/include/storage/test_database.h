#pragma once

#include <storage/database.h>

namespace storage {

/// A real database in a temporary directory with the given migrations, for tests of store functions:
/// synchronous, one connection. The directory goes with it.
class TestDatabase {
  public:
    explicit TestDatabase(std::vector<std::span<const Migration>> migrations);
    ~TestDatabase();
    TestDatabase(const TestDatabase&) = delete;
    TestDatabase& operator=(const TestDatabase&) = delete;

    /// A transaction that is rolled back with the next begin() and when the database goes, unless commit()
    /// was called. It lives until then; commit() runs its after_commit callbacks.
    Transaction& begin();
    void commit();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace storage
