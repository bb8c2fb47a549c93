/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules about migrations and about who may touch whose tables. A migration that has run cannot be mended any more, so its minutes count
 * only when it is known to be new (audit.models.migrations_since): else Finding.amount is 0. Locks are PostgreSQL's, as its manual has them
 * ("Explicit Locking", "ALTER TABLE"). */
#include "audit/models_rules.h"

#include "audit/rules.h"

static const FindingRule rules[] = {
	[RULE_ADD_NOT_NULL] = { "PY601", "migration-not-null", FINDING_BUG, FINDING_WARNING,
	                        "a column is added that must have a value, and the database has none for it",
	                        "While the new release is rolled out the old one still inserts rows without this column, and fails. Add it with "
	                        "null=True or a default of the database (db_default, server_default), fill it, then make it NOT NULL.",
	                        0, 30 },
	[RULE_INDEX] = { "PY602", "migration-index", FINDING_SPEED, FINDING_WARNING,
	                 "an index is built while nobody can write to the table",
	                 "CREATE INDEX holds a lock against every write for as long as it takes. Use AddIndexConcurrently (or "
	                 "postgresql_concurrently) in a migration that is not atomic.",
	                 0, 15 },
	[RULE_TYPE] = { "PY603", "migration-column-type", FINDING_SPEED, FINDING_WARNING,
	                "a column's type is changed in place",
	                "Most changes of a type write the whole table anew while nobody can even read it, and the old release may not understand the new "
	                "type. Add a second column, fill it in batches, change over, drop the first.",
	                0, 120 },
	[RULE_RENAME] = { "PY604", "migration-rename", FINDING_BUG, FINDING_WARNING,
	                  "a table or column gets another name",
	                  "The release that still runs asks for the old name and fails, and so does a step back. Add the new one, write both, "
	                  "change over, drop the old one later; or keep the old name by db_table, db_column.",
	                  0, 60 },
	[RULE_DROP] = { "PY605", "migration-drop", FINDING_BUG, FINDING_WARNING,
	                "a table or column is dropped",
	                "The release that still runs selects it with every query of that model. Take it out of the code first "
	                "(SeparateDatabaseAndState), and drop it one release later.",
	                0, 30 },
	[RULE_KEY] = { "PY606", "migration-foreign-key", FINDING_SPEED, FINDING_WARNING,
	               "a foreign key is added and checked at once",
	               "Both tables are locked against writes while every row is looked at. Add it NOT VALID and validate it in a second "
	               "transaction.",
	               0, 20 },
	[RULE_CONSTRAINT] = { "PY607", "migration-constraint", FINDING_SPEED, FINDING_WARNING,
	                      "a constraint is added and checked at once",
	                      "Nobody can read or write the table while every row is looked at (a unique one builds its index then too). Use "
	                      "AddConstraintNotValid and ValidateConstraint, or a unique index that is built concurrently.",
	                      0, 20 },
	[RULE_NO_REVERSE] = { "PY608", "migration-no-way-back", FINDING_MAINTAIN, FINDING_NOTE,
	                      "a migration cannot be undone",
	                      "When the release has to go back, its schema cannot. Give RunPython a reverse_code (RunPython.noop where nothing is to be "
	                      "done), RunSQL a reverse_sql, Alembic a downgrade().",
	                      0, 15 },
	[RULE_MIXED] = { "PY609", "migration-mixed", FINDING_SPEED, FINDING_WARNING,
	                 "data and schema are changed in one transaction",
	                 "The locks of the schema's changes are held for as long as the data takes, and PostgreSQL refuses to alter a table with "
	                 "pending trigger events. Make two migrations of it.",
	                 0, 20 },
	[RULE_SET_NOT_NULL] = { "PY610", "migration-set-not-null", FINDING_SPEED, FINDING_WARNING,
	                        "a column becomes NOT NULL in place",
	                        "Nobody can read or write the table while every row is looked at. Add a CHECK (x IS NOT NULL) NOT VALID, validate it, "
	                        "then set NOT NULL: PostgreSQL 12 and later take the check's word for it.",
	                        0, 30 },
	[RULE_ATOMIC] = { "PY611", "migration-concurrently-atomic", FINDING_BUG, FINDING_ERROR,
	                  "an index is built concurrently inside a transaction",
	                  "PostgreSQL refuses that. Say atomic = False in the migration, or use Alembic's autocommit_block().",
	                  0, 5 },
	[RULE_REAL_MODEL] = { "PY612", "migration-real-model", FINDING_BUG, FINDING_WARNING,
	                      "a migration imports a model of the application",
	                      "It gets today's class, not the one of the migration's time, and breaks when that changes. Use "
	                      "apps.get_model().",
	                      0, 15 },
	[RULE_SQL] = { "PY613", "migration-sql", FINDING_SPEED, FINDING_WARNING,
	               "SQL of a migration locks a table",
	               "ALTER TABLE and CREATE INDEX without CONCURRENTLY hold locks for as long as they take. Set lock_timeout, and split the "
	               "statement into steps that are short.",
	               0, 30 },
	[RULE_LEAVES] = { "PY614", "migration-two-leaves", FINDING_BUG, FINDING_ERROR,
	                  "an application has two last migrations",
	                  "`migrate` stops with a conflict. Merge them (makemigrations --merge, alembic merge).",
	                  10, 0 },
	[RULE_FOREIGN_WRITE] = { "PY620", "table-of-others", FINDING_ARCHITECTURE, FINDING_WARNING,
	                         "a package writes a table that another one owns",
	                         "Whoever writes a table has to keep its rules; two who do are one service. Let the owner offer a function, and call "
	                         "that.",
	                         20, 10 },
	[RULE_CROSS_TRANSACTION] = { "PY621", "transaction-across", FINDING_ARCHITECTURE,
	                             FINDING_WARNING,
	                             "one transaction writes tables of several packages",
	                             "Services cannot share a transaction: this becomes a saga, with a way back for each step. Make it smaller first.",
	                             60, 60 },
	[RULE_SQL_FOREIGN] = { "PY622", "sql-of-others", FINDING_ARCHITECTURE, FINDING_WARNING,
	                       "SQL by hand uses a table of another package",
	                       "No import and no model shows this, so nobody who changes that table will see it. Ask the owner's code.",
	                       20, 10 },
	[RULE_JOIN] = { "PY623", "join-across", FINDING_ARCHITECTURE, FINDING_NOTE,
	                "queries join tables of several packages",
	                "A service that has one of these tables cannot make the join: it becomes a call, a copy of the data, or a read model.",
	                10, 5 },
};
_Static_assert(COUNT(rules) == MODEL_RULES, "a rule has no row");

const FindingRule *model_rule(ModelRule rule)
{
	return &rules[rule];
}

const FindingRule *models_rules(size_t *count)
{
	*count = COUNT(rules);
	return rules;
}
