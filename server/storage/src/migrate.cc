#include "migrate.h"

#include <map>
#include <set>
#include <utility>

#include <base/crypto.h>
#include <base/log.h>

namespace storage {
namespace {

using Step = std::pair<std::string, int>;

std::string checksum_of(const Migration& migration) {
    return base::hex_encode(base::sha256(migration.sql));
}

std::map<Step, std::string> applied_steps(Transaction& tx) {
    std::map<Step, std::string> applied;
    auto rows = tx.prepare("SELECT module, number, checksum FROM schema_migration");
    while (rows.step()) {
        applied.emplace(Step(rows.text(0), static_cast<int>(rows.integer(1))), rows.text(2));
    }
    return applied;
}

void apply(Connection& connection, const Migration& migration) {
    connection.execute("BEGIN IMMEDIATE");
    try {
        Transaction tx(connection);
        tx.execute(migration.sql);
        tx.prepare("INSERT INTO schema_migration (module, number, name, checksum) VALUES (?1, ?2, ?3, ?4)")
            .bind(migration.module, migration.number, migration.name, checksum_of(migration))
            .run();
        connection.execute("COMMIT");
    } catch (...) {
        connection.rollback_if_open();
        throw;
    }
    base::log_info("storage.migrated", {{"module", migration.module}, {"step", migration.name}});
}

}  // namespace

base::Result<void> migrate(Connection& connection, std::span<const std::span<const Migration>> modules) {
    try {
        connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migration (module TEXT NOT NULL, number INTEGER NOT NULL, "
            "name TEXT NOT NULL,"
            " checksum TEXT NOT NULL, PRIMARY KEY (module, number)) WITHOUT ROWID");
        Transaction tx(connection);
        const auto applied = applied_steps(tx);
        std::set<Step> known;
        for (const auto& steps : modules) {
            for (const Migration& migration : steps) known.emplace(migration.module, migration.number);
        }
        for (const auto& [step, checksum] : applied) {
            if (known.contains(step)) continue;
            return base::fail(base::ErrorKind::conflict, "storage.newer_version",
                              "The data was written by a newer version of Lingxi (" + step.first + " " +
                                  std::to_string(step.second) +
                                  "): start that version, or restore a backup.");
        }
        for (const auto& steps : modules) {
            for (const Migration& migration : steps) {
                const auto done = applied.find(Step(migration.module, migration.number));
                if (done == applied.end()) {
                    apply(connection, migration);
                } else if (done->second != checksum_of(migration)) {
                    return base::fail(base::ErrorKind::conflict, "storage.migration_changed",
                                      "The migration " + std::string(migration.module) + " " +
                                          std::string(migration.name) +
                                          " is not the one that this data was made with.");
                }
            }
        }
    } catch (const Fault& fault) {
        return base::fail(fault.kind, fault.code, fault.what());
    }
    return {};
}

}  // namespace storage
