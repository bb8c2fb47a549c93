/* SPDX-License-Identifier: Apache-2.0
 *
 * Scripts of the fault provider. What is read is shown, and what is shown reads as the same; a rule that is used up strikes no more. */
#include "base/arena.h"
#include "base/json.h"
#include "payment/fault_script.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fine)
{
	if (!fine)
		abort();
}

static Str shown(Arena *a, const FaultScript *script)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Str text;

	fault_script_put(&w, script);
	must(!json_done(&w, &text));
	return str_dup(a, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena *a = arena_new(0);
	FaultScript *script, *again;
	const Json *json;

	if (!json_read(a, (Str){ (const char *)data, size }, 0, &json) &&
	    !fault_script_read(a, json, &script)) {
		Str text = shown(a, script);

		must(!json_read(a, text, 0, &json) && !fault_script_read(a, json, &again));
		for (int i = 0; i < 64; i++) {
			FaultOn on = (FaultOn)(i % FAULT_ONS);

			must(fault_script_draw(script, on).fault ==
			     fault_script_draw(again, on).fault);
		}
	}
	arena_free(a);
	return 0;
}
