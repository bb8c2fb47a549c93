/* SPDX-License-Identifier: Apache-2.0
 *
 * List: intrusive, doubly linked, circular. A Node is in at most one list; `node.next == NULL` means in none.
 *
 *   List waiting; list_init(&waiting);
 *   list_add(&waiting, &fiber->node);
 *   LIST_EACH (&waiting, Fiber, node, fiber) ...          (the current one may be removed, no other) */
#pragma once
#include "base/util.h"

typedef struct Node Node;
struct Node {
	Node *next;
	Node *prev;
};

typedef struct List {
	Node head;
} List;

static inline void list_init(List *list)
{
	list->head.next = list->head.prev = &list->head;
}

static inline bool list_empty(const List *list)
{
	return list->head.next == &list->head;
}

static inline bool node_linked(const Node *node)
{
	return node->next != NULL;
}

static inline void node_insert_after(Node *at, Node *node)
{
	node->prev = at;
	node->next = at->next;
	at->next->prev = node;
	at->next = node;
}

static inline void list_add(List *list, Node *node) /* at the end */
{
	node_insert_after(list->head.prev, node);
}

static inline void list_push(List *list, Node *node) /* at the front */
{
	node_insert_after(&list->head, node);
}

static inline void list_remove(Node *node) /* fine when in none */
{
	if (!node->next)
		return;
	node->prev->next = node->next;
	node->next->prev = node->prev;
	node->next = node->prev = NULL;
}

static inline Node *list_first(const List *list) /* NULL when empty */
{
	return list_empty(list) ? NULL : list->head.next;
}

static inline Node *list_take(List *list) /* the first, removed; NULL when empty */
{
	Node *node = list_first(list);

	if (node)
		list_remove(node);
	return node;
}

#define LIST_FIRST(list, type, member) \
	({ \
		Node *first_ = list_first(list); \
		first_ ? CONTAINER(first_, type, member) : NULL; \
	})
#define LIST_TAKE(list, type, member) \
	({ \
		Node *first_ = list_take(list); \
		first_ ? CONTAINER(first_, type, member) : NULL; \
	})
#define LIST_EACH(list, type, member, var) \
	for (Node *each_ = (list)->head.next, *after_ = each_->next; each_ != &(list)->head; \
	     each_ = after_, after_ = each_->next) \
		for (type *var = CONTAINER(each_, type, member); var; var = NULL)
