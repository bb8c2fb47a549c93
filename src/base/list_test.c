/* SPDX-License-Identifier: Apache-2.0 */
#include "base/list.h"

#include "unit.h"

typedef struct Item {
	char name;
	Node node;
} Item;

static Str names(Arena *a, const List *list)
{
	Str text = S("");

	LIST_EACH (list, Item, node, item)
		text = str_fmt(a, "%.*s%c", STR_ARG(text), item->name);
	return text;
}

TEST(list_keeps_order_at_both_ends)
{
	Item items[] = { { .name = 'a' }, { .name = 'b' }, { .name = 'c' } };
	List list;

	list_init(&list);
	CHECK(list_empty(&list) && !list_first(&list) && !list_take(&list));
	CHECK_NULL(LIST_FIRST(&list, Item, node));
	list_add(&list, &items[1].node);
	list_add(&list, &items[2].node);
	list_push(&list, &items[0].node);
	CHECK_STR(names(a, &list), S("abc"));
	CHECK(LIST_FIRST(&list, Item, node) == &items[0]);
	CHECK(LIST_TAKE(&list, Item, node) == &items[0]);
	CHECK(!node_linked(&items[0].node) && node_linked(&items[1].node));
	CHECK_STR(names(a, &list), S("bc"));
}

TEST(list_remove_anywhere_and_twice)
{
	Item items[] = { { .name = 'a' }, { .name = 'b' }, { .name = 'c' } };
	List list;

	list_init(&list);
	for (size_t i = 0; i < COUNT(items); i++)
		list_add(&list, &items[i].node);
	list_remove(&items[1].node);
	list_remove(&items[1].node);
	CHECK_STR(names(a, &list), S("ac"));
	node_insert_after(&items[0].node, &items[1].node);
	CHECK_STR(names(a, &list), S("abc"));
}

TEST(list_each_survives_removal_of_the_current)
{
	Item items[] = { { .name = 'a' }, { .name = 'b' }, { .name = 'c' }, { .name = 'd' } };
	List list;

	list_init(&list);
	for (size_t i = 0; i < COUNT(items); i++)
		list_add(&list, &items[i].node);
	LIST_EACH (&list, Item, node, item)
		if (item->name == 'a' || item->name == 'c' || item->name == 'd')
			list_remove(&item->node);
	CHECK_STR(names(a, &list), S("b"));
}
