#include "migrate.h"

#include "fault.h"

#include <map>
#include <string>
#include <utility>

#include <base/crypto.h>
#include <base/log.h>

namespace storage {

namespace {

using base::ErrorKind;

using Key = std::pair<std::string, int>;

std::string title(std::string_view module, int number) {
    return std::string(module) + " " + std::to_string(number);
}

/// Errors: storage.foreign_file, where somebody else's tables are in the file.
base::Result<std::map<Key, std::string>> read_applied(Connection& connection) {
    auto tables = connection.prepare("SELECT count(*), sum(name = 'schema_migration') FROM sqlite_schema");
    tables.step();
    const bool empty = tables.integer(0) == 0;
    if (!empty && tables.integer(1) == 0) {
        return base::fail(ErrorKind::conflict, "storage.foreign_file",
                          "The file is a database of another program.");
    }
    std::map<Key, std::string> applied;
    if (empty) return applied;
    auto rows = connection.prepare("SELECT module, number, checksum FROM schema_migration");
    while (rows.step()) {
        applied.emplace(Key{std::string(rows.text(0)), static_cast<int>(rows.integer(1))},
                        std::string(rows.text(2)));
    }
    return applied;
}

void create_table(Connection& connection) {
    connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_migration (module TEXT NOT NULL, number INTEGER NOT NULL,"
        " name TEXT NOT NULL, checksum TEXT NOT NULL, PRIMARY KEY (module, number)) WITHOUT ROWID");
}

base::Result<void> apply(Connection& connection, const Migration& step, const std::string& checksum) {
    connection.execute("BEGIN IMMEDIATE");
    try {
        connection.execute(step.sql);
        if (!connection.in_transaction()) {
            return base::fail(ErrorKind::internal, "storage.migration_failed",
                              title(step.module, step.number) + " ends its own transaction.");
        }
        connection
            .prepare("INSERT INTO schema_migration (module, number, name, checksum) VALUES (?1, ?2, ?3, ?4)")
            .bind(step.module, step.number, step.name, checksum)
            .run();
        connection.execute("COMMIT");
    } catch (const Fault& fault) {
        base::Error error = error_of(fault);
        if (error.code == "storage.internal" || error.code == "storage.constraint") {
            error.kind = ErrorKind::internal;
            error.code = "storage.migration_failed";
        }
        error.message = title(step.module, step.number) + ": " + error.message;
        try {
            connection.roll_back();
        } catch (const Fault& second) {
            base::log_error("storage.rollback_failed", {{"what", second.what()}});
        }
        return base::fail(std::move(error));
    }
    base::log_info("storage.migrated", {{"module", step.module}, {"number", step.number}});
    return {};
}

}  // namespace

base::Result<void> migrate(Connection& connection, std::span<const std::span<const Migration>> of_modules) {
    try {
        auto applied = read_applied(connection);
        if (!applied) return base::fail(std::move(applied.error()));

        // Judge everything before changing anything.
        std::map<Key, std::string> unknown = *applied;
        std::vector<std::pair<const Migration*, std::string>> missing;
        for (const auto& steps : of_modules) {
            int last = 0;
            bool one_missing = false;
            for (const Migration& step : steps) {
                if (step.number <= last) {
                    return base::fail(ErrorKind::internal, "storage.migration_failed",
                                      title(step.module, step.number) + " is out of order.");
                }
                last = step.number;
                const std::string checksum = base::hex_encode(base::sha256(step.sql));
                const auto found = unknown.find({std::string(step.module), step.number});
                if (found == unknown.end()) {
                    missing.emplace_back(&step, checksum);
                    one_missing = true;
                    continue;
                }
                if (one_missing || found->second != checksum) {
                    return base::fail(ErrorKind::conflict, "storage.migration_changed",
                                      title(step.module, step.number) +
                                          " is not the migration that this data was made with.");
                }
                unknown.erase(found);
            }
        }
        if (!unknown.empty()) {
            const auto& [module, number] = unknown.begin()->first;
            return base::fail(ErrorKind::conflict, "storage.newer_version",
                              "The data was written by a newer version of Lingxi (" + title(module, number) +
                                  "): start that version, or restore a backup.");
        }

        create_table(connection);
        for (const auto& [step, checksum] : missing) {
            if (auto done = apply(connection, *step, checksum); !done) return done;
        }
        return {};
    } catch (const Fault& fault) {
        return base::fail(error_of(fault));
    }
}

}  // namespace storage
