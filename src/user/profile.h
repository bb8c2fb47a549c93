/* SPDX-License-Identifier: Apache-2.0
 *
 * Custom fields of accounts: a JSON object that keeps to a JSON Schema (draft 2020-12, these words of it):
 *
 *   type (one, or several) enum const
 *   properties required additionalProperties (true, false, a schema) minProperties maxProperties
 *   items minItems maxItems uniqueItems
 *   minLength maxLength (characters) pattern format (email, date, date-time, uri, uuid)
 *   minimum maximum exclusiveMinimum exclusiveMaximum multipleOf (of integers)
 *   title description default examples $schema $id $comment deprecated readOnly writeOnly: for people, and not looked at
 *
 * A word that is not here is refused when the schema is read: what nobody checks should not look as if somebody did. Pure; any
 * thread. */
#pragma once
#include "base/json.h"
#include "service/fields.h"

typedef struct ProfileSchema ProfileSchema; /* lives as long as the arena */

/* Fails with INVALID "user.profile_schema": the sentence has the place, as a JSON pointer. */
Err *profile_schema_read(Arena *a, Str text, const ProfileSchema **out) MUST_USE;

/* Everything that is wrong with a value, each with its pointer below `pointer`. NULL schema: anything goes. */
void profile_check(const ProfileSchema *schema, Arena *a, const Json *value, Str pointer,
                   FieldMistakes *wrong);

/* A profile as it is sent, or empty for none: an object of at most PROFILE_BYTES that keeps to the schema; then *text is its compact
 * form. */
void profile_read(const ProfileSchema *schema, Arena *a, Str *text, Str pointer,
                  FieldMistakes *wrong);
