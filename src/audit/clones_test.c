/* SPDX-License-Identifier: Apache-2.0
 *
 * Classes of clones of small projects: what is one, what is none, and where it ends. */
#include "audit/clones.c"

#include "unit.h"

#include <stdio.h>

enum { FILES_MOST = 8 };

typedef struct Made {
	Project p;
	AuditFile files[FILES_MOST];
	ClonesConf conf;
	Clones *clones;
} Made;

static void readerp(SyntaxReader **reader)
{
	syntax_reader_free(*reader);
}

static Made *find(Arena *a, const char *const *texts, size_t count)
{
	AUTO(readerp) SyntaxReader *reader = syntax_reader_new();
	Made *m = ARENA_NEW(a, Made);

	conf_defaults(a, clones_table(), &m->conf);
	m->p = (Project){ .files = m->files, .count = count };
	for (size_t i = 0; i < count; i++) {
		const Syntax *s = syntax_read(reader, str_of(texts[i]));

		m->files[i].path = str_fmt(a, "f%zu.py", i);
		measure(a, s, CC_RADON, &m->files[i].measures);
		m->files[i].facts[FACTS_TOKENS] = tokens_facts()->extract(a, s, &m->files[i]);
	}
	m->clones = clones_find(a, &m->conf, &m->p, NULL);
	return m;
}

#define BODY \
	"    total = 0\n" \
	"    for row in rows:\n" \
	"        if row.price > limit and row.count:\n" \
	"            total += row.price * row.count\n" \
	"        else:\n" \
	"            skipped.append(row)\n" \
	"    rate = table.get(total, 5)\n" \
	"    return total * rate, skipped\n"
#define RENAMED \
	"    sum_ = 0\n" \
	"    # a comment\n" \
	"    for item in rows:\n" \
	"        if item.price > limit and item.count:\n" \
	"            sum_ += item.price * item.count\n" \
	"        else:\n" \
	"            rest.append(item)\n" \
	"\n" \
	"    rate = table.get(sum_, 7,)\n" \
	"    return sum_ * rate, rest\n"
#define HEAD "def price(rows, limit, table, skipped):\n"

TEST(clones_are_found_exact_renamed_and_with_other_literals)
{
	static const char *const exact[] = { "import a\n\n" HEAD BODY,
		                             "x = 1\ny = 2\n" HEAD BODY "z = 3\n" };
	static const char *const renamed[] = { HEAD BODY,
		                               "def price(rows, limit, table, rest):\n" RENAMED };
	const CloneClass *class;
	Made *m = find(a, exact, 2);

	CHECK_INT(m->clones->count, 1);
	class = m->clones->at;
	CHECK(class->exact);
	CHECK_INT(class->count, 2);
	CHECK_INT(class->at[0].line, 3);
	CHECK_INT(class->at[0].end_line, 11);
	CHECK_INT(class->at[1].line, 3);
	CHECK_INT(class->lines, 9);
	CHECK_STR(class->at[0].unit, S("price"));
	CHECK_INT(m->clones->code.lines, 23);
	CHECK_INT(m->clones->code.cloned, 18);
	CHECK_INT(m->clones->code.surplus, 9);
	m = find(a, renamed, 2);
	CHECK_INT(m->clones->count, 1);
	class = m->clones->at;
	CHECK(!class->exact);
	CHECK_INT(class->renamed, 3);
	CHECK_INT(class->at[1].end_line, 11);
}

TEST(clones_of_one_file_do_not_overlap)
{
	static const char *const text[] = { HEAD BODY HEAD BODY HEAD BODY };
	Made *m = find(a, text, 1);

	CHECK_INT(m->clones->count, 1);
	CHECK_INT(m->clones->at->count, 3);
	CHECK_INT(m->clones->at->lines, 9);
	CHECK_INT(m->clones->code.cloned, 27);
	CHECK_INT(m->clones->code.surplus, 18);
}

TEST(clones_that_overlap_themselves_are_told_round_by_round)
{
	/* The second of the classes ends as the first two begin: one long repeat of which every place overlaps the next. */
#define CLASS(name, last) \
	"class " name \
	"(A, B):\n    def f(self, x):\n        self.y = super().f(x)\n        return self.y[x]\n" \
	"    def g(self, y, z):\n        super().g(y, z)\n        self.add(y, z, 'q')\n" \
	"    def h(self):\n        self.add(self.y, self.z)\n        return " last "\n"
	static const char *const text[] = { CLASS("C", "self.x") CLASS("D", "self.x")
		                                    CLASS("E", "[self.x, 1]") };
	Made *m = find(a, text, 1);

	CHECK_INT(m->clones->count, 2);
	CHECK_INT(m->clones->at[0].count, 3);
	CHECK_INT(m->clones->at[0].at[1].end_line, 19);
	CHECK_INT(m->clones->at[1].count, 2);
	CHECK_INT(m->clones->at[1].at[0].end_line, 10);
	CHECK_INT(m->clones->at[1].at[1].line, 11);
}

TEST(clones_have_names_that_differ_consistently)
{
	/* The same statements, but what was one name is another in each; and with just one that was forgotten. */
	static const char *const mixed[] = { HEAD BODY,
		                             HEAD "    t1 = 0\n"
		                                  "    for item in rows:\n"
		                                  "        if x.price > limit and x.count:\n"
		                                  "            t2 += y.price * y.count\n"
		                                  "        else:\n"
		                                  "            skipped.append(z)\n"
		                                  "    rate = table.get(t3, 5)\n"
		                                  "    return t4 * rate, skipped\n" };
	static const char *const forgotten[] = { HEAD BODY, HEAD
		                                 "    sum_ = 0\n"
		                                 "    for item in rows:\n"
		                                 "        if item.price > limit and item.count:\n"
		                                 "            sum_ += item.price * item.count\n"
		                                 "        else:\n"
		                                 "            skipped.append(row)\n"
		                                 "    rate = table.get(sum_, 5)\n"
		                                 "    return sum_ * rate, skipped\n" };
	/* Only the shape is the same: worth too little, as every name is another. */
	static const char *const other[] = { HEAD BODY, "def q(a, b, c, d):\n"
		                                        "    e = 0\n"
		                                        "    for f in a:\n"
		                                        "        if f.h > b and f.j:\n"
		                                        "            e += f.h * f.j\n"
		                                        "        else:\n"
		                                        "            d.p(f)\n"
		                                        "    r = c.t(e, 5)\n"
		                                        "    return e * r, d\n" };

	CHECK_INT(find(a, mixed, 2)->clones->count, 0);
	CHECK_INT(find(a, forgotten, 2)->clones->count, 1);
	CHECK_INT(find(a, other, 2)->clones->count, 0);
}

TEST(clones_are_neither_imports_nor_tables_nor_docstrings_nor_runs)
{
	static const char imports[] =
		"import a\nfrom b import c, d, e\nimport f.g as h\nfrom i import (j,\n k, l, m, n,\n o, p)\nimport q\n"
		"import r\nfrom s import t, u, v, w\nfrom x import y, z, aa, ab, ac, ad, ae, af\n";
	static const char table[] =
		"T = [\n (1, 'a', 2.5),\n (2, 'b', 2.5),\n (3, 'c', 2.5),\n (4, 'd', 2.5),\n (5, 'e', 2.5),\n (6, 'f', 2.5),\n (7, 'g', 2.5),\n]\n";
	static const char run[] =
		"r.add('a', 1)\nr.add('b', 2)\nr.add('c', 3)\nr.add('d', 4)\nr.add('e', 5)\nr.add('f', 6)\nr.add('g', 7)\n"
		"r.add('h', 8)\nr.add('i', 9)\nr.add('j', 10)\nr.add('k', 11)\nr.add('l', 12)\n";
	static const char *const all[] = { imports, table, run };

	for (size_t i = 0; i < COUNT(all); i++) {
		const char *const twice[] = { all[i], all[i] };
		Made *m = find(a, twice, 2);

		CHECK_INT(m->clones->count, 0);
	}
}

TEST(clones_end_with_the_block_that_they_began_in)
{
	/* The end of one function and all of the next are the same: only the next is told. */
	static const char *const texts[] = {
		"def one(a):\n    b(a)\n    return a\n\n" HEAD BODY,
		"def two(q):\n    c(q, 5)\n    return q\n\n" HEAD BODY
	};
	Made *m = find(a, texts, 2);

	CHECK_INT(m->clones->count, 1);
	CHECK_INT(m->clones->at->at[0].line, 5);
	CHECK_INT(m->clones->at->at[0].end_line, 13);
}

TEST(clones_within_larger_ones_are_told_only_for_more_places)
{
	static const char *const texts[] = {
		"class A:\n    def n(self):\n        log(self)\n        return [self.x for x in self.y if x > 3]\n" HEAD
			BODY,
		"class A:\n    def n(self):\n        log(self)\n        return [self.x for x in self.y if x > 3]\n" HEAD
			BODY,
		"k = 1\n" HEAD BODY
	};
	Made *m = find(a, texts, 3);

	CHECK_INT(m->clones->count, 2);
	CHECK_INT(m->clones->at[0].count, 3);
	CHECK_INT(m->clones->at[1].count, 2);
	CHECK_INT(m->clones->at[1].lines, 13);
	m = find(a, texts, 2);
	CHECK_INT(m->clones->count, 1);
}

TEST(clones_that_drifted_apart_say_where)
{
	static const char more[] =
		"    audit.write(total, rate, table)\n    cache[rows.key] = (total, rate, limit)\n    return cache.keys(), total\n";
	AUTO(buf_fini) Buf one = { 0 }, other = { 0 };
	const char *both[2];
	Made *m;

	buf_put(&one,
	        S("def f(rows, limit, table, skipped):\n    total = 0\n    for row in rows:\n        if row.price > limit and row.count:\n            total += row.price * row.count\n"
	          "        else:\n            skipped.append(row)\n    rate = table.get(total, 5)\n"));
	buf_put(&other, buf_str(&one));
	buf_put(&other, S("    if rate is None:\n        raise LookupError(total)\n"));
	buf_put(&one, str_of(more));
	buf_put(&other, str_of(more));
	both[0] = str_z(a, buf_str(&one));
	both[1] = str_z(a, buf_str(&other));
	m = find(a, both, 2);
	CHECK_INT(m->clones->count, 1);
	CHECK_INT(m->clones->drifted, 1);
	CHECK_INT(m->clones->at->drift_count, 1);
	CHECK_INT(m->clones->at->drifts[0].one_line, 0);
	CHECK_INT(m->clones->at->drifts[0].other_line, 9);
	CHECK_INT(m->clones->at->drifts[0].other_end_line, 10);
}

TEST(clones_do_not_drift_behind_their_function)
{
#define BEHIND "start(one, two, three, [four, five])\nstop(one.two(three), four, five.six)\n"
	static const char *const texts[] = { HEAD BODY "k = 1\n" BEHIND,
		                             HEAD BODY "k(2)[3]()\n" BEHIND };
	Made *m = find(a, texts, 2);

	CHECK_INT(m->clones->count, 1);
	CHECK_INT(m->clones->drifted, 0);
}

TEST(clones_of_what_repeats_itself_all_over_end_in_time)
{
	AUTO(buf_fini) Buf b = { 0 };
	const char *texts[1];
	Made *m;

	for (int i = 0; i < 6000; i++)
		buf_put(&b, i % 2 ? S("q.w(e, 3)\n") : S("a = b[c] + d\n"));
	texts[0] = str_z(a, buf_str(&b));
	m = find(a, texts, 1);
	CHECK_INT(m->clones->count, 0);
	CHECK_INT(m->clones->runs, 5995);
}

TEST(clones_step_over_what_weighs_nothing)
{
	enum { RUN = 5000 };
	AUTO(buf_fini) Buf b = { 0 };
	uint32_t next[RUN + 4];
	Sieve sieve = { .tokens = 50, .next = next };
	const char *texts[1];
	const FileTokens *t;
	uint64_t hash;

	for (int i = 0; i < RUN; i++)
		buf_put(&b, S("x = 1\n"));
	buf_put(&b, S("import z\n"));
	texts[0] = str_z(a, buf_str(&b));
	t = tokens_of(&find(a, texts, 1)->p, 0);
	sieve_begin(&sieve, t);
	CHECK_INT(t->piece_count, RUN + 1);
	CHECK_INT(next[0], 1);
	CHECK_INT(next[2], RUN - RUN_WALKED); /* most of it at once */
	CHECK_INT(next[RUN - 3], RUN - 2);
	CHECK_INT(next[RUN], RUN + 1); /* an import, which ends all windows */
	CHECK_INT(window(&sieve, t, 0, &hash), 0);
	CHECK_INT(window(&sieve, t, 9, &hash), 0);
}

/* --- repeats, by trying all ----------------------------------------------------------------------------------------------------------------- */

typedef struct Told {
	uint32_t count;
	struct {
		uint32_t length, places, first;
	} at[256];
} Told;

static void note_repeat(void *arg, uint32_t length, const uint32_t *places, uint32_t count)
{
	Told *t = arg;
	uint32_t first = UINT32_MAX;

	for (uint32_t i = 0; i < count; i++)
		first = MIN(first, places[i]);
	t->at[t->count].length = length;
	t->at[t->count].places = count;
	t->at[t->count++].first = first;
}

static bool same(const uint32_t *s, uint32_t x, uint32_t y, uint32_t length)
{
	return memcmp(s + x, s + y, length * sizeof(*s)) == 0;
}

/* Every text that occurs twice and cannot be made longer either way; its first place tells it. */
static void by_trying(const uint32_t *s, uint32_t n, Told *t)
{
	for (uint32_t length = 1; length < n; length++)
		for (uint32_t x = 0; x + length <= n; x++) {
			uint32_t places = 0;
			bool first = true, left = true, right = true;

			for (uint32_t y = 0; y + length <= n; y++) {
				if (!same(s, x, y, length))
					continue;
				first = first && y >= x;
				places++;
				left = left && x && y && s[x - 1] == s[y - 1];
				right = right && y + length < n && x + length < n &&
				        s[x + length] == s[y + length];
			}
			if (first && places > 1 && !left && !right)
				note_repeat(t, length, &x, 1), t->at[t->count - 1].places = places;
		}
}

static int by_length(const void *x, const void *y)
{
	return memcmp(x, y, sizeof(((Told *)NULL)->at[0]));
}

TEST(repeats_are_those_that_trying_finds)
{
	uint32_t seed = 7;

	for (uint32_t round = 0; round < 300; round++) {
		uint32_t s[24], n = 2 + round % 22;
		Told ours = { 0 }, theirs = { 0 };

		for (uint32_t i = 0; i < n; i++) {
			seed = seed * 1103515245 + 12345;
			s[i] = (seed >> 16) % (1 + round % 4);
		}
		repeats_find(s, n, 4, note_repeat, &ours);
		by_trying(s, n, &theirs);
		qsort(ours.at, ours.count, sizeof(ours.at[0]), by_length);
		qsort(theirs.at, theirs.count, sizeof(theirs.at[0]), by_length);
		CHECK_INT(ours.count, theirs.count);
		for (uint32_t i = 0; i < ours.count; i++) {
			CHECK_INT(ours.at[i].length, theirs.at[i].length);
			CHECK_INT(ours.at[i].places, theirs.at[i].places);
			CHECK_INT(ours.at[i].first, theirs.at[i].first);
		}
	}
}
