/* SPDX-License-Identifier: Apache-2.0
 *
 * What a route changes in the headers of its requests and answers. Compiled once for a configuration. */
#pragma once
#include "gateway/template.h"
#include "http/message.h"

typedef struct Fields Fields; /* immutable; any thread */

/* NULL: nothing is changed. Borrows conf; lives as long as the arena. */
const Fields *fields_new(Arena *a, const FieldsConf *conf, const MatchConf *match);

/* Removes, then sets, then adds; NULL is fine. New lists and values are in the arena. Fails as template_expand does. */
Err *fields_change_request(const Fields *f, Arena *a, const TemplateValues *values,
                           Headers *headers) MUST_USE;
/* A field whose value became too long is left out: the answer was worked for. */
void fields_change_answer(const Fields *f, Arena *a, const TemplateValues *values,
                          Headers *headers);
/* As that, but for what describes a body and how long it may be kept: those are the error's own. */
void fields_change_error(const Fields *f, Arena *a, const TemplateValues *values, Headers *headers);
