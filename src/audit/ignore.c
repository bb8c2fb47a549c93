/* SPDX-License-Identifier: Apache-2.0
 *
 * Comments that ignore, as a file has them, and what becomes of the findings. Their ranges of lines come from the syntax, so they lie within
 * each other or apart; still no order is relied on: findings of a file go by line, and each comment looks at those of its range only. A
 * whole file of comments for the whole file, or for one statement, is bounded by PLACE_MOST. */
#include "audit/ignore.h"

#include "audit/smells_int.h"
#include "base/arena.h"
#include "base/hash.h"

#include <stdlib.h>

enum { RULES_MOST = 32, PLACE_MOST = 200, NEAREST_MOST = 1000 };

/* --- what a comment says ------------------------------------------------------------------------------------------------------------------- */

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == ':' || c == '.';
}

static Str take_word(Str *text)
{
	size_t n = 0;
	Str word;

	while (n < text->len && is_word(text->at[n]))
		n++;
	while (n && (text->at[n - 1] == ':' || text->at[n - 1] == '.'))
		n--; /* "god-class: it is split in May" */
	word = str_sub(*text, 0, n);
	*text = str_trim(str_sub(*text, n, text->len));
	return word;
}

static bool take_comma(Str *text)
{
	if (!text->len || text->at[0] != ',')
		return false;
	*text = str_trim(str_sub(*text, 1, text->len));
	return true;
}

static void take_rules(Arena *a, Str *text, Ignore *out)
{
	out->rules = ARENA_ARRAY(a, Str, RULES_MOST);
	do {
		Str word = take_word(text);

		if (word.len && out->rule_count < RULES_MOST)
			out->rules[out->rule_count++] = word;
	} while (take_comma(text));
}

/* `# nosec`, `# nosec B101, B102`, `# nosec: B101`. */
static void read_nosec(Arena *a, Str text, Ignore *out)
{
	out->nosec = true;
	out->why = S("# nosec");
	out->rules = ARENA_ARRAY(a, Str, RULES_MOST);
	while (text.len && out->rule_count < RULES_MOST) {
		Str word;

		if (text.at[0] == ':' || text.at[0] == ',')
			text = str_trim(str_sub(text, 1, text.len));
		word = take_word(&text);
		if (word.len < 2 || word.at[0] != 'B' || word.at[1] < '0' || word.at[1] > '9')
			return;
		out->rules[out->rule_count++] = word;
	}
}

/* Where "banyan:" stands behind its #; other tools' comments may stand before it. -1: nowhere. */
static ptrdiff_t find_own(Str comment)
{
	ptrdiff_t at = str_find(comment, S("banyan:")), before = at;

	while (before > 0 && comment.at[before - 1] == ' ')
		before--;
	return before > 0 && comment.at[before - 1] == '#' ? at : -1;
}

/* From behind "banyan:" to the next comment of somebody. */
static Str own_part(Str text)
{
	ptrdiff_t end = str_find(text, S(" #"));

	return str_trim(str_sub(text, 7, end < 0 ? text.len : (size_t)end));
}

bool ignore_read(Arena *a, Str comment, Ignore *out)
{
	ptrdiff_t nosec, own = find_own(comment);
	Str text;

	*out = (Ignore){ 0 };
	if (own >= 0) {
		text = own_part(str_sub(comment, (size_t)own, comment.len));
		if (!str_starts(text, S("ignore")) || (text.len > 6 && is_word(text.at[6])))
			return false;
		text = str_trim(str_sub(text, 6, text.len));
		take_rules(a, &text, out);
		if (str_starts(text, S("--")) || str_starts(text, S(":")))
			text = str_trim(str_sub(text, text.at[0] == ':' ? 1 : 2, text.len));
		out->why = text;
		return true;
	}
	nosec = str_find(comment, S("nosec"));
	if (nosec < 1 || is_word(comment.at[nosec - 1]) ||
	    ((size_t)nosec + 5 < comment.len && is_word(comment.at[nosec + 5]) &&
	     comment.at[nosec + 5] != ':'))
		return false;
	read_nosec(a, str_trim(str_sub(comment, (size_t)nosec + 5, comment.len)), out);
	return true;
}

/* --- where it counts ----------------------------------------------------------------------------------------------------------------------- */

static bool stands_alone(const Syntax *s, uint32_t node)
{
	uint32_t at = s->at[node].from;

	while (at && (s->text.at[at - 1] == ' ' || s->text.at[at - 1] == '\t'))
		at--;
	return !at || s->text.at[at - 1] == '\n' || s->text.at[at - 1] == '\r';
}

/* Of a statement with a body: its head, to the line before the body. */
static uint32_t head_end(const Syntax *s, uint32_t statement)
{
	uint32_t node = statement, body;

	if (node_is(s, node, PY_DECORATED_DEFINITION)) {
		node = syntax_child(s, node, PY_F_DEFINITION);
		if (node == SYNTAX_NONE)
			return s->at[statement].end_line;
	}
	body = syntax_find(s, node, PY_BLOCK);
	if (body == SYNTAX_NONE)
		return s->at[node].end_line;
	return MAX(s->at[node].line,
	           s->at[body].line > s->at[node].line ? s->at[body].line - 1 : 0);
}

/* Behind or within a statement: that one. */
static void bind_here(const Walk *w, Ignore *ignore)
{
	const PyNode *statement = &w->s->at[w->statement];

	ignore->from = ignore->to = ignore->line;
	if (w->statement && statement->line <= ignore->line &&
	    head_end(w->s, w->statement) >= ignore->line) {
		ignore->from = statement->line;
		ignore->to = MAX(ignore->line, head_end(w->s, w->statement));
	}
}

/* Within one expression or list, not between statements. By kinds: a list may have a hundred thousand children. */
static bool is_bracketed(const Syntax *s, uint32_t node)
{
	switch (s->at[s->at[node].parent].kind) {
	case PY_MODULE:
	case PY_BLOCK:
	case PY_FUNCTION_DEFINITION:
	case PY_CLASS_DEFINITION:
	case PY_DECORATED_DEFINITION:
	case PY_IF_STATEMENT:
	case PY_ELIF_CLAUSE:
	case PY_ELSE_CLAUSE:
	case PY_FOR_STATEMENT:
	case PY_WHILE_STATEMENT:
	case PY_TRY_STATEMENT:
	case PY_EXCEPT_CLAUSE:
	case PY_EXCEPT_GROUP_CLAUSE:
	case PY_FINALLY_CLAUSE:
	case PY_WITH_STATEMENT:
	case PY_MATCH_STATEMENT:
	case PY_CASE_CLAUSE:
	case PY_ERROR:
		return false;
	default:
		return true;
	}
}

static bool has_ignore(Str comment)
{
	return comment.len > 6 &&
	       (str_find(comment, S("banyan:")) >= 0 || str_find(comment, S("nosec")) >= 0);
}

void ignore_comment(Walk *w, uint32_t node)
{
	FileSmells *out = w->out;
	Str comment = syntax_text(w->s, node);
	Ignore ignore;

	if (!has_ignore(comment) || !ignore_read(w->scratch, comment, &ignore))
		return;
	ignore.line = w->s->at[node].line;
	if (ignore.rule_count) {
		Str *rules = ARENA_ARRAY(w->a, Str, ignore.rule_count);

		for (uint32_t i = 0; i < ignore.rule_count; i++)
			rules[i] = str_dup(w->a, ignore.rules[i]);
		ignore.rules = rules;
	} else {
		ignore.rules = NULL;
	}
	ignore.why = str_dup(w->a, ignore.why);
	ignore.from = UINT32_MAX;
	if (!stands_alone(w->s, node) || ignore.nosec || is_bracketed(w->s, node))
		bind_here(w, &ignore);
	out->ignores = walk_grow(w->a, out->ignores, out->ignore_count, &w->ignore_room,
	                         sizeof(*out->ignores));
	out->ignores[out->ignore_count++] = ignore;
	if (ignore.from != UINT32_MAX && w->waiting + 1 == out->ignore_count)
		w->waiting = out->ignore_count;
}

static bool is_defined(const Syntax *s, uint32_t node)
{
	return s->at[node].kind == PY_FUNCTION_DEFINITION ||
	       s->at[node].kind == PY_CLASS_DEFINITION ||
	       s->at[node].kind == PY_DECORATED_DEFINITION;
}

void ignore_statement(Walk *w, uint32_t node)
{
	const PyNode *at = &w->s->at[node];
	uint32_t below = at->line;

	for (uint32_t i = w->out->ignore_count; i-- > w->waiting;) {
		Ignore *ignore = &w->out->ignores[i];

		if (ignore->from != UINT32_MAX)
			continue;
		/* At the top, and not right above a definition: of the file. */
		if (!w->code_seen && !(is_defined(w->s, node) && ignore->line + 1 == below)) {
			ignore->from = 0;
			continue;
		}
		ignore->from = at->line;
		ignore->to = at->end_line;
		below = ignore->line;
	}
	w->waiting = w->out->ignore_count;
}

void ignore_end(Walk *w)
{
	for (uint32_t i = w->waiting; i < w->out->ignore_count; i++)
		if (w->out->ignores[i].from == UINT32_MAX)
			w->out->ignores[i].from = w->code_seen ? w->out->ignores[i].line : 0;
}

/* --- findings ------------------------------------------------------------------------------------------------------------------------------ */

static bool has_word(const char *words, Str word)
{
	Str rest = str_of(words), item;

	while (str_split(&rest, ' ', &item))
		if (str_eq(item, word))
			return true;
	return false;
}

/* By bandit's id of a test: what it found itself, and what was found here in its place (tools_same.c). */
static bool is_bandits(const Finding *f, Str id)
{
	const char *ids = smells_bandit_ids(f->rule);
	Str own = str_of(f->rule->id);

	return (ids && has_word(ids, id)) ||
	       (str_starts(own, S("bandit:")) && str_eq(str_sub(own, 7, own.len), id));
}

static bool matches(const Ignore *ignore, const Finding *f)
{
	if (ignore->nosec && !ignore->rule_count)
		return smells_bandit_ids(f->rule) || str_starts(str_of(f->rule->id), S("bandit:"));
	for (uint32_t i = 0; i < ignore->rule_count; i++) {
		Str word = ignore->rules[i];

		if (ignore->nosec) {
			if (is_bandits(f, word))
				return true;
		} else if (str_eq_nocase(word, str_of(f->rule->id)) ||
		           str_eq_nocase(word, str_of(f->rule->name)) ||
		           (str_starts(word, S("bandit:")) &&
		            is_bandits(f, str_sub(word, 7, word.len)))) {
			return true;
		}
	}
	return false;
}

/* The first finding of a path at or after a line; findings are sorted. */
static size_t first_at(const Findings *list, size_t count, Str path, uint32_t line)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = str_cmp(list->at[mid].path, path);

		if (order < 0 || (!order && list->at[mid].line < line))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool apply(Findings *list, size_t count, Str path, const Ignore *ignore)
{
	bool used = false;

	for (size_t i = first_at(list, count, path, ignore->from); i < count; i++) {
		Finding *f = &list->at[i];

		if (!str_eq(f->path, path) || (ignore->from && f->line > ignore->to))
			break;
		if (!matches(ignore, f))
			continue;
		used = true;
		if (!f->ignored_why.len)
			f->ignored_why = ignore->why.len ? ignore->why : S("no reason is given");
	}
	return used;
}

typedef struct Applying {
	Arena *a;
	const AuditRules *rules;
	Findings *list;
	const AuditFile *file;
	uint32_t unknown; /* words that name no rule */
} Applying;

static void add(const Applying *to, SmellId id, const Ignore *ignore, Str text)
{
	const FindingRule *rule = smell_rule(id);
	const AuditFile *file = to->file;

	if (!smell_is_for(id, file->kind) || audit_rule_is_off(to->rules, rule->id, rule->name))
		return;
	finding_add(to->a, to->list,
	            &(Finding){ .rule = rule,
	                        .path = file->path,
	                        .line = ignore->line,
	                        .end_line = ignore->line,
	                        .text = text,
	                        .print = finding_print(rule, file->path, S(""), text) });
}

static bool is_foreign(Str word)
{
	return str_find_char(word, ':') >= 0;
}

static bool is_known(Str word)
{
	return is_foreign(word) || rules_find(word);
}

/* One of a rule that is off today is not unused: it was not looked for. */
static bool is_looked_for(const AuditRules *rules, Str word)
{
	const FindingRule *rule = rules_find(word);

	return is_foreign(word) || (rule && !audit_rule_is_off(rules, rule->id, rule->name));
}

static void judge_unknown(Applying *to, const Ignore *ignore, Str word)
{
	Str near = to->unknown++ < NEAREST_MOST ? rules_nearest(word) : S("");

	add(to, SMELL_IGNORE_UNKNOWN, ignore,
	    str_fmt(to->a, "there is no rule %.*s%s%.*s", STR_ARG(str_quote(to->a, word)),
	            near.len ? "; near is " : "", STR_ARG(near)));
}

static void judge(Applying *to, const Ignore *ignore, bool used)
{
	bool looked_for = false;

	for (uint32_t i = 0; i < ignore->rule_count; i++) {
		looked_for |= is_looked_for(to->rules, ignore->rules[i]);
		if (!is_known(ignore->rules[i]))
			judge_unknown(to, ignore, ignore->rules[i]);
	}
	if (!ignore->rule_count)
		add(to, SMELL_IGNORE_UNKNOWN, ignore, S("it names no rule"));
	else if (looked_for && !used)
		add(to, SMELL_IGNORE_UNUSED, ignore,
		    str_fmt(to->a, "nothing was found here for %.*s", STR_ARG(ignore->rules[0])));
	else if (looked_for && !ignore->why.len)
		add(to, SMELL_IGNORE_BARE, ignore,
		    str_fmt(to->a, "%.*s is ignored without a reason", STR_ARG(ignore->rules[0])));
}

static void apply_file(Applying *to, size_t count)
{
	const FileSmells *facts = to->file->facts[FACTS_SMELLS];
	uint32_t wide = 0, here = 0, from = 0;

	for (uint32_t k = 0; facts && k < facts->ignore_count; k++) {
		const Ignore *ignore = &facts->ignores[k];
		bool used;

		here = ignore->from == from ? here + 1 : 0;
		from = ignore->from;
		wide += !from;
		if ((from ? here : wide) > PLACE_MOST)
			continue;
		used = apply(to->list, count, to->file->path, ignore);
		if (!ignore->nosec)
			judge(to, ignore, used);
	}
}

Err *ignores_apply(Arena *a, const AuditRules *rules, Audit *audit)
{
	Applying to = { .a = a, .rules = rules, .list = &audit->findings };
	size_t count;

	findings_sort(to.list);
	count = to.list->count;
	for (size_t i = 0; i < audit->project.count; i++) {
		to.file = &audit->project.files[i];
		apply_file(&to, count);
	}
	findings_sort(to.list);
	return NULL;
}
