/* SPDX-License-Identifier: Apache-2.0
 *
 * What a browser may do with the page is said here once, and it is little: scripts, styles and calls of this very origin,
 * nothing inline, no frame around it, no form sent anywhere, no word of it to other sites. A file below v/ is kept for good, for its address
 * changes with what is in it; index.html, which names those addresses, is asked for each time. */
#include "console/files.h"

#include "console_web.h"
#include "http/coding.h"
#include "http/conditional.h"
#include "http/exchange.h"

static const struct {
	Str name, value;
} guards[] = {
	{ S("Content-Security-Policy"),
	  S("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
	    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
	    "require-trusted-types-for 'script'; trusted-types 'none'") },
	{ S("X-Content-Type-Options"), S("nosniff") },
	{ S("Referrer-Policy"), S("no-referrer") },
	{ S("Cross-Origin-Opener-Policy"), S("same-origin") },
	{ S("Cross-Origin-Resource-Policy"), S("same-origin") },
};

const ConsoleFile *console_files(size_t *count)
{
	*count = COUNT(web_files);
	return web_files;
}

const ConsoleFile *console_file(Str path)
{
	Str wanted = path.len ? path : S("index.html");

	for (size_t i = 0; i < COUNT(web_files); i++)
		if (str_eq(web_files[i].path, wanted))
			return &web_files[i];
	return NULL;
}

Err *console_file_answer(Exchange *x, const ConsoleFile *file)
{
	Codings wants = http_codings(&x->request.headers);
	bool packed = wants.gzip >= wants.identity && wants.gzip;
	Str body = packed ? file->gzip : file->bytes;
	Head head = { .status = 200,
		      .body = HTTP_BODY_LENGTH,
		      .content_length = (int64_t)body.len };
	Validators validators = { file->etag, -1 };

	for (size_t i = 0; i < COUNT(guards); i++)
		headers_add(&head.headers, x->arena, guards[i].name, guards[i].value);
	headers_add(&head.headers, x->arena, S("ETag"), file->etag);
	headers_add(&head.headers, x->arena, S("Vary"), S("Accept-Encoding"));
	headers_add(&head.headers, x->arena, S("Cache-Control"),
	            str_starts(file->path, S("v/")) ? S("public, max-age=31536000, immutable")
	                                            : S("no-cache"));
	if (conditional_check(&x->request.headers, &validators) == CONDITIONAL_SAME) {
		head.status = 304;
		head.body = HTTP_BODY_NONE;
		return http_begin(x, &head);
	}
	headers_add(&head.headers, x->arena, S("Content-Type"), file->type);
	if (packed)
		headers_add(&head.headers, x->arena, S("Content-Encoding"), S("gzip"));
	TRY(http_begin(x, &head));
	TRY(http_write(x, body));
	return http_end(x, NULL);
}
