/* SPDX-License-Identifier: Apache-2.0
 *
 * Findings about tables of others: who writes what another package owns, by which transaction, by SQL, by a join. One for a package and a table,
 * at the first place; forms and admin pages do not count as writers, as they write what they are told. */
#include "audit/models_join.h"
#include "audit/models_rules.h"
#include "audit/plural.h"

#include "base/arena.h"

static bool is_part_of(Str inner, Str outer)
{
	return str_starts(inner, outer) && (inner.len == outer.len || inner.at[outer.len] == '.');
}

/* Has the table an owner, and is that somebody else? A package within the owner's is not. */
static bool is_foreign(const Models *m, uint32_t table, uint32_t package)
{
	uint32_t owner = m->tables[table].package;
	Str one, other;

	if (owner == MODEL_NONE || package == MODEL_NONE || owner == package)
		return false;
	one = m->packages[owner];
	other = m->packages[package];
	return !is_part_of(one, other) && !is_part_of(other, one);
}

/* `what` is what stays the same when the figures in the text change. */
static void add(Join *j, ModelRule rule, ModelPlace place, uint32_t end_line, Str what, Str text,
                double amount)
{
	const AuditFile *file = &j->project->files[place.file];
	Str unit = join_unit_name(j->a, file, place.unit);
	Finding finding = { .rule = model_rule(rule),
		            .path = file->path,
		            .line = place.line,
		            .end_line = end_line,
		            .unit = unit,
		            .text = text,
		            .amount = amount };

	finding.print = finding_print(finding.rule, file->path, unit, what);
	finding_add(j->a, &j->audit->findings, &finding);
}

/* By package and table: the places that have a part in it. */
typedef struct Group {
	ModelPlace first;
	uint32_t table, package, from, places, times;
} Group;
typedef struct Groups {
	Group *at;
	uint32_t count;
	PairMap by;
} Groups;

static void add_group(Join *j, Groups *g, uint32_t table, uint32_t from, uint32_t package,
                      ModelPlace place, uint32_t times)
{
	uint32_t at = pair_get(&g->by, table, package);

	if (at == MODEL_NONE) {
		at = g->count;
		*TAKE_ADD(j->a, g->at, g->count) =
			(Group){ .first = place, .table = table, .package = package, .from = from };
		pair_put(j->a, &g->by, table, package, at);
	}
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): `by` has no row that `at` has not */
	g->at[at].places++;
	g->at[at].times += times;
}

static void writes(Join *j)
{
	const Models *m = j->m;
	Groups writes = { 0 }, sql = { 0 };

	for (uint32_t i = 0; i < m->touch_count; i++) {
		const Touch *t = &m->touches[i];
		ModelPlace written = { t->place.file, t->write_line, t->place.unit };

		if (!is_foreign(m, t->table, t->package))
			continue;
		if (t->vias & 1U << TOUCH_SQL)
			add_group(j, &sql, t->table, MODEL_NONE, t->package, t->place,
			          t->reads + t->writes);
		if (t->write_line)
			add_group(j, &writes, t->table, MODEL_NONE, t->package, written, t->writes);
	}
	for (uint32_t i = 0; i < writes.count; i++) {
		const Group *g = &writes.at[i];

		add(j, RULE_FOREIGN_WRITE, g->first, g->first.line, m->tables[g->table].name,
		    str_fmt(j->a, "%.*s writes %.*s of %.*s: %u time%s in %u %s",
		            STR_ARG(m->packages[g->package]), STR_ARG(m->tables[g->table].name),
		            STR_ARG(m->packages[m->tables[g->table].package]), g->times,
		            plural(g->times), g->places, g->places == 1 ? "place" : "places"),
		    g->places);
	}
	for (uint32_t i = 0; i < sql.count; i++) {
		const Group *g = &sql.at[i];

		add(j, RULE_SQL_FOREIGN, g->first, g->first.line, m->tables[g->table].name,
		    str_fmt(j->a, "SQL of %.*s uses %.*s of %.*s in %u %s",
		            STR_ARG(m->packages[g->package]), STR_ARG(m->tables[g->table].name),
		            STR_ARG(m->packages[m->tables[g->table].package]), g->places,
		            g->places == 1 ? "place" : "places"),
		    g->places);
	}
}

static void joins(Join *j)
{
	const Models *m = j->m;
	Groups joins = { 0 };

	for (uint32_t i = 0; i < m->join_count; i++)
		if (is_foreign(m, m->joins[i].to, m->tables[m->joins[i].from].package))
			add_group(j, &joins, m->joins[i].to, m->joins[i].from,
			          m->package_of[m->joins[i].place.file], m->joins[i].place, 1);
	for (uint32_t i = 0; i < joins.count; i++) {
		const Group *g = &joins.at[i];

		add(j, RULE_JOIN, g->first, g->first.line, m->tables[g->table].name,
		    str_fmt(j->a, "%.*s joins %.*s of %.*s to %.*s: %u time%s",
		            STR_ARG(m->packages[g->package]), STR_ARG(m->tables[g->table].name),
		            STR_ARG(m->packages[m->tables[g->table].package]),
		            STR_ARG(m->tables[g->from].name), g->places, plural(g->places)),
		    g->places);
	}
}

static void transactions(Join *j)
{
	const Models *m = j->m;

	for (uint32_t i = 0; i < m->transaction_count; i++) {
		const CrossTransaction *t = &m->transactions[i];
		Str names = S("");

		for (uint32_t k = 0; k < t->table_count; k++)
			names = str_fmt(j->a, "%.*s%s%.*s", STR_ARG(names), k ? ", " : "",
			                STR_ARG(m->tables[t->tables[k]].name));
		add(j, RULE_CROSS_TRANSACTION, t->place, t->end_line, names,
		    str_fmt(j->a, "one transaction writes tables of %u packages: %.*s%s",
		            t->packages, STR_ARG(names),
		            t->by_calls ? " (some by functions that it calls)" : ""),
		    t->packages - 1.0);
	}
}

void join_findings(Join *j)
{
	writes(j);
	joins(j);
	transactions(j);
}
