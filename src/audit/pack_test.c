/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/pack.c"

#include "unit.h"

typedef struct Leaf {
	uint32_t number;
	double real;
} Leaf;
typedef struct Twig {
	Str name;
	const Leaf *leaves;
	uint32_t leaf_count;
	bool green;
} Twig;
typedef struct Tree {
	int kind;
	Twig *twigs;
	size_t twig_count;
	const Str *names;
	uint32_t name_count;
	Str note;
} Tree;

static const PackType leaf_type = { PACK_PLAIN(Leaf) };
static const PackField twig_fields[] = { PACK_TEXT(Twig, name),
	                                 PACK_ARRAY(Twig, leaves, leaf_count, &leaf_type) };
static const PackType twig_type = { PACK_FIELDS(Twig, twig_fields) };
static const PackField tree_fields[] = { PACK_ARRAY(Tree, twigs, twig_count, &twig_type),
	                                 PACK_TEXTS(Tree, names, name_count),
	                                 PACK_TEXT(Tree, note) };
static const PackType tree_type = { PACK_FIELDS(Tree, tree_fields) };

static const Leaf leaves[] = { { 7, 0.5 }, { 8, -1 }, { 9, 1e300 } };
static Twig twigs[] = { { S("long"), leaves, 3, true },
	                { S(""), NULL, 0, false },
	                { S("short"), leaves + 2, 1, true } };
static const Str names[] = { S("a"), S(""), S("ccc") };
static const Tree tree = { 42, twigs, 3, names, 3, S("a note") };

TEST(pack_gives_back_what_was_written)
{
	AUTO(buf_fini) Buf b = { 0 };
	const Tree *back;
	void *value;
	Str in;

	pack_write(&b, &tree_type, &tree);
	pack_write(&b, &tree_type, &(Tree){ .kind = 1 });
	in = buf_str(&b);
	CHECK(pack_read(a, &tree_type, &in, &value));
	back = value;
	CHECK(back->kind == 42 && back->twig_count == 3 && back->name_count == 3);
	CHECK_STR(back->note, S("a note"));
	CHECK_STR(back->names[2], S("ccc"));
	CHECK(back->names[1].len == 0);
	CHECK_STR(back->twigs[0].name, S("long"));
	CHECK(back->twigs[0].leaf_count == 3 && back->twigs[0].leaves[2].number == 9);
	CHECK(back->twigs[1].leaf_count == 0 && !back->twigs[1].green);
	CHECK(back->twigs[2].leaves[0].real == 1e300);
	CHECK(pack_read(a, &tree_type, &in, &value));
	CHECK(((const Tree *)value)->kind == 1 && !((const Tree *)value)->twigs);
	CHECK(in.len == 0);
}

TEST(pack_writes_no_addresses)
{
	AUTO(buf_fini) Buf b = { 0 };
	const void *addresses[] = { twigs, leaves, names, names[0].at, tree.note.at };

	pack_write(&b, &tree_type, &tree);
	for (size_t i = 0; i < COUNT(addresses); i++)
		CHECK(str_find(buf_str(&b),
		               (Str){ (const char *)&addresses[i], sizeof(addresses[i]) }) < 0);
}

TEST(pack_refuses_bytes_that_end_too_early)
{
	AUTO(buf_fini) Buf b = { 0 };
	void *value;

	pack_write(&b, &tree_type, &tree);
	for (size_t len = 0; len < b.len; len++) {
		Str in = { b.at, len };

		CHECK(!pack_read(a, &tree_type, &in, &value));
	}
}

TEST(pack_refuses_counts_that_the_bytes_cannot_hold)
{
	static const uint64_t counts[] = { 4, 1000000, UINT32_MAX, UINT64_MAX / sizeof(Twig) + 2,
		                           UINT64_MAX };

	for (size_t i = 0; i < COUNT(counts); i++) {
		AUTO(buf_fini) Buf b = { 0 };
		size_t before = arena_used(a);
		void *value;
		Str in;

		pack_write(&b, &tree_type, &tree);
		memcpy(b.at + offsetof(Tree, twig_count), &counts[i], sizeof(counts[i]));
		in = buf_str(&b);
		CHECK(!pack_read(a, &tree_type, &in, &value));
		CHECK(arena_used(a) - before < 4096);
	}
}
