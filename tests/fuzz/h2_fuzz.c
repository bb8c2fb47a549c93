/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP/2 header blocks. The input is a byte of options and then fields: a byte of name length, a byte of value length,
 * and their bytes. What is taken must
 *   - go on as HTTP/1 as exactly one request, which our own strict parser reads back as the same (no smuggling), and
 *   - go on as HTTP/2 and come back as the same. */
#include "base/arena.h"
#include "http/h2_convert.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const H1Limits limits = { .head_bytes = 16 << 10, .line_bytes = 4 << 10, .headers = 60 };
static const H1Limits wide = { .head_bytes = 64 << 10, .line_bytes = 32 << 10, .headers = 100 };

static void must(bool so, const char *what)
{
	if (so)
		return;
	fprintf(stderr, "h2_fuzz: %s\n", what);
	abort();
}

static void feed(H2Block *b, const uint8_t *data, size_t size)
{
	while (size >= 2) {
		size_t name = MIN((size_t)data[0], size - 2);
		size_t value = MIN((size_t)data[1], size - 2 - name);
		const char *at = (const char *)data + 2;

		h2_block_field(b, (Str){ at, name }, (Str){ at + name, value });
		data += 2 + name + value;
		size -= 2 + name + value;
	}
}

static bool written(const Header *header)
{
	return header->id != HTTP_HOST && header->id != HTTP_CONTENT_LENGTH &&
	       header->id != HTTP_TE;
}

static void same_headers(const Headers *x, const Headers *y)
{
	uint32_t j = 0;

	for (uint32_t i = 0; i < x->count; i++) {
		if (!written(&x->at[i]))
			continue;
		while (j < y->count && !written(&y->at[j]))
			j++;
		must(j < y->count, "a header was lost");
		must(str_eq(x->at[i].name, y->at[j].name), "a header's name changed");
		must(str_eq(x->at[i].value, y->at[j].value), "a header's value changed");
		j++;
	}
	while (j < y->count && !written(&y->at[j]))
		j++;
	must(j == y->count, "a header was made up");
}

/* No body, or one of no bytes: HTTP/1 does not tell them apart, HTTP/2 ends the second with a frame of its own. */
static bool has_none(const Head *head)
{
	return head->body == HTTP_BODY_NONE ||
	       (head->body == HTTP_BODY_LENGTH && head->content_length == 0);
}

static void same(const Head *x, const Head *y)
{
	must(str_eq(x->method, y->method), "the method changed");
	must(str_eq(x->target, y->target), "the target changed");
	must(str_eq(x->authority, y->authority), "the authority changed");
	must(x->body == y->body || has_none(x), "the framing changed");
	must(has_none(x) || x->body != HTTP_BODY_LENGTH || x->content_length == y->content_length,
	     "the length changed");
	must(x->expect_continue == y->expect_continue, "the expectation changed");
	same_headers(&x->headers, &y->headers);
}

/* HTTP/1's framing is the writer's own. */
static void drop_framing(Head *head)
{
	headers_remove(&head->headers, HTTP_CONNECTION);
	headers_remove(&head->headers, HTTP_TRANSFER_ENCODING);
}

static void through_h1(Arena *a, const Head *head)
{
	AUTO(buf_fini) Buf out = { 0 };
	H1Parser parser;
	Head back;
	size_t used = 0;
	Err *err;

	h1_put_request(&out, head, false);
	h1_init(&parser, false);
	err = h1_parse_request(&parser, a, &wide, buf_str(&out), &back, &used);
	h1_fini(&parser);
	must(!err, err ? err->slug : "");
	must(used == out.len, "HTTP/1 saw another end of the head");
	drop_framing(&back);
	same(head, &back);
}

static void through_h2(Arena *a, const Head *head)
{
	H2Fields fields = h2_request_fields(a, head, true);
	H2Block b;
	Err *err;

	h2_block_begin(&b, H2_REQUEST, a, &wide, (Str){ 0 });
	for (size_t i = 0; i < fields.count; i++)
		h2_block_field(&b, (Str){ (const char *)fields.at[i].name, fields.at[i].namelen },
		               (Str){ (const char *)fields.at[i].value, fields.at[i].valuelen });
	err = h2_block_end(&b, head->body == HTTP_BODY_NONE);
	must(!err, err ? err->slug : "");
	same(head, &b.head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena *a = arena_new(0);
	H2Block b;

	if (size) {
		uint8_t options = data[0];
		H2BlockKind kind = options % 3;

		h2_block_begin(&b, kind, a, &limits, options & 64 ? S("HEAD") : S("GET"));
		feed(&b, data + 1, size - 1);
		if (!h2_block_end(&b, options & 128) && kind == H2_REQUEST) {
			through_h1(a, &b.head);
			through_h2(a, &b.head);
		}
		must(b.malformed ? b.err != NULL : true, "malformed without an error");
	}
	arena_free(a);
	return 0;
}
