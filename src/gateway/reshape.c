/* SPDX-License-Identifier: Apache-2.0
 *
 * What the configuration's `reshape` does to one request and to its answer.
 *
 * In a body first the renames of both directions, then those of this one, then what is removed, then jq: so who writes a
 * filter sees the names of the form that comes out. Renames are exact (reshape_text.c). A filter is not, its numbers are
 * doubles; so a body with a number that a double would change is refused before it gets to one.
 *
 * A body that nothing was changed in goes on byte by byte, with its digests and its ETag. One that was changed has none of
 * them: they were said of other bytes. For the same reason a route whose answers are read asks for no ranges of them, and
 * for no compression, as what is compressed is no JSON yet.
 *
 * What fails here fails the request: a half-reshaped one is worse than none. That a filter does is the operator's affair,
 * not the client's, hence 502 with the filter's name. */
#include "gateway/reshape.h"

#include "base/arena.h"
#include "gateway/fields.h"
#include "http/url.h"
#include "rt/jq.h"
#include "rt/work.h"
#include "gateway/reshape_query.h"
#include "gateway/reshape_text.h"

enum { ON_LOOP_BYTES = 64 << 10 }; /* rule 9 of the runtime */

typedef struct Moves {
	TextMove *at;
	size_t count;
} Moves;

/* One direction. */
typedef struct Side {
	bool answer;
	const ReshapeSideConf *conf;
	Moves both,
		own; /* of `rename` above both, turned round for answers, and of this direction */
	ReshapePath *removes;
	const Fields *fields;
	bool reads;
} Side;

struct Reshape {
	Str name;
	const ReshapeConf *conf;
	const Template *path; /* NULL: it stays */
	Side request, answer;
};

/* --- compiling ------------------------------------------------------------------------------------------------------ */

static const ReshapePath *path_of(Arena *a, Str text)
{
	ReshapePath *path = ARENA_NEW(a, ReshapePath);

	if (reshape_path_read(a, text, path))
		*path = (ReshapePath){ 0 }; /* cannot be: its row has verified it */
	return path;
}

static Moves moves_of(Arena *a, const ReshapeMoveConf *at, size_t count, bool back)
{
	Moves moves = { ARENA_ARRAY(a, TextMove, count + 1), count };

	for (size_t i = 0; i < count; i++)
		moves.at[i] = (TextMove){ path_of(a, back ? at[i].to : at[i].from),
			                  path_of(a, back ? at[i].from : at[i].to) };
	return moves;
}

static Side side_of(Arena *a, const ReshapeConf *conf, bool answer, const MatchConf *match)
{
	const ReshapeSideConf *own = answer ? &conf->answer : &conf->request;
	Side side = {
		.answer = answer,
		.conf = own,
		.both = moves_of(a, conf->rename.at, conf->rename.count, answer),
		.own = moves_of(a, own->rename.at, own->rename.count, false),
		.removes = ARENA_ARRAY(a, ReshapePath, own->remove.count + 1),
		.fields = fields_new(a, &own->headers, match),
		.reads =
			answer ? reshape_conf_reads_answer(conf) : reshape_conf_reads_request(conf),
	};

	for (size_t i = 0; i < own->remove.count; i++)
		side.removes[i] = *path_of(a, own->remove.at[i]);
	return side;
}

const Reshape *reshape_new(Arena *a, Str name, const ReshapeConf *conf, const MatchConf *match)
{
	Reshape *r = ARENA_NEW(a, Reshape);

	*r = (Reshape){
		.name = name,
		.conf = conf,
		.path = conf->path.len ? template_new(a, TEMPLATE_PATH, conf->path, match) : NULL,
		.request = side_of(a, conf, false, match),
		.answer = side_of(a, conf, true, match),
	};
	return r;
}

Err *reshape_warm(const Reshape *r, Arena *a)
{
	if (r->conf->request.jq.len)
		TRY(jq_warm(a, r->conf->request.jq));
	return r->conf->answer.jq.len ? jq_warm(a, r->conf->answer.jq) : NULL;
}

/* --- which bodies --------------------------------------------------------------------------------------------------- */

static bool is_json(const Reshape *r, const Headers *headers)
{
	Str rest = headers_get(headers, HTTP_CONTENT_TYPE), type = { 0 };

	str_split(&rest, ';', &type);
	type = str_trim(type);
	if (str_eq_nocase(type, S("application/json")) ||
	    (type.len > 5 && str_eq_nocase(str_sub(type, type.len - 5, type.len), S("+json"))))
		return true;
	for (size_t i = 0; i < r->conf->types.count; i++)
		if (str_eq_nocase(type, r->conf->types.at[i]))
			return true;
	return false;
}

bool reshape_wants_request(const Reshape *r, const Headers *headers)
{
	return r->request.reads && is_json(r, headers);
}

bool reshape_wants_answer(const Reshape *r, unsigned status, const Headers *headers)
{
	return r->answer.reads && status >= r->conf->status_min && status <= r->conf->status_max &&
	       is_json(r, headers);
}

uint64_t reshape_body_max(const Reshape *r)
{
	return r->conf->body;
}

/* --- what goes wrong ------------------------------------------------------------------------------------------------ */

static const char *word_of(const Side *side)
{
	return side->answer ? "answer" : "request";
}

/* A request's body is the client's to mend, an answer's is not. */
static Err *bad_body(const Reshape *r, Arena *a, const Side *side, Str why)
{
	if (!side->answer)
		return err_new(a, ERR_INVALID, "shift.reshape_body",
		               "this address takes JSON, but of the body %.*s", STR_ARG(why));
	return err_new(a, ERR_UPSTREAM, "shift.reshape",
	               "the answer for route %.*s could not be reshaped: of its body %.*s",
	               STR_ARG(r->name), STR_ARG(why));
}

static Err *failed(const Reshape *r, Arena *a, const Side *side, const char *key, Err *why)
{
	if (why->kind == ERR_BUSY || why->kind == ERR_CANCELLED)
		return why; /* no fault of the filter's */
	return err_because(a, why, ERR_UPSTREAM, "shift.reshape",
	                   "reshape.%s.%s of route %.*s: %.*s", word_of(side), key,
	                   STR_ARG(r->name), STR_ARG(why->text));
}

Err *reshape_too_large(const Reshape *r, Arena *a, bool answer)
{
	if (!answer)
		return err_new(a, ERR_TOO_LARGE, "shift.reshape_large",
		               "this address takes JSON of at most %" PRIu64 " bytes",
		               r->conf->body);
	return err_new(a, ERR_UPSTREAM, "shift.reshape",
	               "the answer for route %.*s has more than the %" PRIu64
	               " bytes that can be reshaped (reshape.body)",
	               STR_ARG(r->name), r->conf->body);
}

/* --- bodies --------------------------------------------------------------------------------------------------------- */

/* What is exact: all but the filter. On a worker where the body is large. */
typedef struct Exact {
	const Reshape *r;
	const Side *side;
	Arena *arena;
	Str body;
	bool changed;
	Err *err;
} Exact;

static void buf_free(void *arg)
{
	buf_fini(arg);
}

static Str written(Arena *a, const TextNode *root)
{
	Buf *b = ARENA_NEW(a, Buf);

	arena_defer(a, buf_free, b);
	reshape_text_put(b, root);
	return buf_str(b);
}

static Err *move_all(const Exact *e, Arena *tree, TextNode *root, size_t *count)
{
	const Side *side = e->side;
	Err *err = reshape_text_move(tree, root, side->both.at, side->both.count, count);

	if (!err)
		err = reshape_text_move(tree, root, side->own.at, side->own.count, count);
	if (err)
		return failed(e->r, e->arena, side, "rename", err_copy(e->arena, err));
	for (size_t i = 0; i < side->conf->remove.count; i++)
		reshape_text_remove(root, &side->removes[i], count);
	return NULL;
}

static Err *change_exactly(Exact *e)
{
	AUTO(arena_freep) Arena *tree = arena_new(0);
	size_t count = 0;
	TextNode *root;
	Str number;
	Err *err = reshape_text_read(tree, e->body, &root);

	if (err)
		return bad_body(e->r, e->arena, e->side,
		                str_fmt(tree, "it was found that %.*s", STR_ARG(err->text)));
	TRY(move_all(e, tree, root, &count));
	if (e->side->conf->jq.len && !reshape_text_is_double(root, &number))
		return bad_body(e->r, e->arena, e->side,
		                str_fmt(tree, "the number %.*s is one that jq would change",
		                        STR_ARG(str_sub(number, 0, 40))));
	if (count)
		e->body = written(e->arena, root);
	e->changed = count > 0;
	return NULL;
}

static void run_exact(void *arg)
{
	Exact *e = arg;

	e->err = change_exactly(e);
}

static Err *filter(const Reshape *r, Arena *a, const Side *side, Str *body)
{
	const JqLimits limits = { r->conf->time_us, r->conf->memory, r->conf->body };
	Err *err = jq_run(a, side->conf->jq, &limits, *body, body);

	return err ? failed(r, a, side, "jq", err) : NULL;
}

static Err *change_body(const Reshape *r, Arena *a, const Side *side, const Headers *headers,
                        ReshapeOut *out)
{
	Str coding = headers_get(headers, HTTP_CONTENT_ENCODING);
	Exact exact = { .r = r, .side = side, .arena = a, .body = out->body };

	if (coding.len && !str_eq_nocase(coding, S("identity")))
		return bad_body(r, a, side, S("Content-Encoding says that it is compressed"));
	if (out->body.len > r->conf->body)
		return reshape_too_large(r, a, side->answer);
	if (out->body.len > ON_LOOP_BYTES)
		TRY(work_run(run_exact, &exact));
	else
		run_exact(&exact);
	TRY(exact.err);
	out->body = exact.body;
	out->body_changed = exact.changed || side->conf->jq.len;
	return side->conf->jq.len ? filter(r, a, side, &out->body) : NULL;
}

/* --- headers -------------------------------------------------------------------------------------------------------- */

static void remove_named(Headers *headers, const Str *names, size_t count)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < headers->count; i++) {
		bool gone = false;

		for (size_t k = 0; k < count && !gone; k++)
			gone = str_eq_nocase(headers->at[i].name, names[k]);
		if (!gone)
			headers->at[kept++] = headers->at[i];
	}
	headers->count = kept;
}

/* What was said of bytes that are others now. */
static void forget_digests(Headers *headers)
{
	static const Str names[] = { S("ETag"),           S("Content-MD5"), S("Digest"),
		                     S("Content-Digest"), S("Repr-Digest"), S("Accept-Ranges"),
		                     S("Content-Range") };

	remove_named(headers, names, COUNT(names));
}

/* The answer is to come whole and as it is. */
static void ask_plainly(Headers *headers, Arena *a)
{
	static const Str names[] = { S("Accept-Encoding"), S("Range"), S("If-Range") };

	remove_named(headers, names, COUNT(names));
	headers_add_id(headers, a, HTTP_ACCEPT_ENCODING, S("identity"));
}

static Headers copy_of(Arena *a, const Headers *headers)
{
	Headers copy = { 0 };

	for (uint32_t i = 0; i < headers->count; i++) {
		headers_add(&copy, a, headers->at[i].name, headers->at[i].value);
		copy.at[i].id = headers->at[i].id;
	}
	return copy;
}

/* --- both directions ------------------------------------------------------------------------------------------------ */

static Err *change_target(const Reshape *r, Arena *a, const ReshapeIn *in, Str *target)
{
	Str query = in->target, path = { 0 };

	str_split(&query, '?', &path);
	if (r->path)
		TRY(template_expand(r->path, a, in->values, &path));
	query = reshape_query(&r->conf->query, a, query);
	*target = query.at ? str_fmt(a, "%.*s?%.*s", STR_ARG(path), STR_ARG(query)) : path;
	return NULL;
}

Err *reshape_request(const Reshape *r, Arena *a, const ReshapeIn *in, ReshapeOut *out)
{
	*out = (ReshapeOut){ .headers = copy_of(a, in->headers), .body = in->body };
	TRY(change_target(r, a, in, &out->target));
	if (in->body.len && reshape_wants_request(r, in->headers))
		TRY(change_body(r, a, &r->request, in->headers, out));
	if (out->body_changed)
		forget_digests(&out->headers);
	if (r->answer.reads)
		ask_plainly(&out->headers, a);
	return fields_change_request(r->request.fields, a, in->values, &out->headers);
}

Err *reshape_answer(const Reshape *r, Arena *a, unsigned status, const ReshapeIn *in,
                    ReshapeOut *out)
{
	*out = (ReshapeOut){ .headers = copy_of(a, in->headers), .body = in->body };
	if (in->body.len && reshape_wants_answer(r, status, in->headers)) {
		if (status == 206)
			return bad_body(r, a, &r->answer, S("only a part was sent, unasked"));
		TRY(change_body(r, a, &r->answer, in->headers, out));
	}
	if (out->body_changed)
		forget_digests(&out->headers);
	fields_change_answer(r->answer.fields, a, in->values, &out->headers);
	return NULL;
}
