/* SPDX-License-Identifier: Apache-2.0
 *
 * One header line, and the errors of the codec. The errors are static rows: refusing costs no memory, which matters when
 * somebody sends nothing but what must be refused. */
#include "http/h1_int.h"
#include "http/scan.h"

static Err faults[] = { [H1_FINE] = { .slug = "http.fine" },
#define X(fault, kind, slug_, text_) [H1_##fault] = ERR_STATIC(kind, slug_, text_),
	                H1_FAULTS(X)
#undef X
};

Err *h1_fault(H1Fault fault)
{
	return fault == H1_FINE ? NULL : &faults[fault];
}

bool h1_has_small(Str method)
{
	for (size_t i = 0; i < method.len; i++)
		if (method.at[i] >= 'a' && method.at[i] <= 'z')
			return true;
	return false;
}

H1Fault h1_line(Str line, bool lenient, H1Field *out)
{
	size_t len = scan_name(line.at, line.len);
	bool underscore = len < line.len && line.at[len] == '_';
	size_t colon;

	if (underscore)
		len += scan_token(line.at + len, line.len - len);
	colon = len;
	while (colon < line.len && (line.at[colon] == ' ' || line.at[colon] == '\t'))
		colon++;
	if (len == 0 || colon == line.len || line.at[colon] != ':')
		return H1_HEADER_NAME;
	if (colon != len && !lenient)
		return H1_SPACE_COLON;
	out->name = (Str){ line.at, len };
	out->value = str_trim((Str){ line.at + colon + 1, line.len - colon - 1 });
	out->underscore = underscore;
	return H1_FINE;
}
