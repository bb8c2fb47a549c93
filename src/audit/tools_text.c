/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines that tools write for people: PATH:LINE[:COLUMN[:LINE:COLUMN]]: and what follows, by which they are told apart.
 *
 *	shop/a.py:3: error: Incompatible types  [assignment]                          mypy
 *	shop/a.py:3:0: C0114: Missing module docstring (missing-module-docstring)     pylint
 *	shop/a.py:3: [C0114(missing-module-docstring), f] Missing module docstring    pylint, "parseable"
 *	shop/a.py:3:80: E501 Line too long                                            ruff, flake8
 *
 * All else (headings, sums, the code that is shown) is passed over. */
#include "audit/tools_int.h"

#include "base/arena.h"

typedef struct Place {
	Str path, rest;
	int64_t line, end_line;
} Place;

/* Digits and a colon at the front of *rest; false leaves it. */
static bool take_number(Str *rest, int64_t *out)
{
	size_t n = 0;
	uint64_t value;

	while (n < rest->len && rest->at[n] >= '0' && rest->at[n] <= '9')
		n++;
	if (n == rest->len || rest->at[n] != ':' || !str_to_u64(str_sub(*rest, 0, n), &value) ||
	    value > INT32_MAX)
		return false;
	*out = (int64_t)value;
	*rest = str_sub(*rest, n + 1, rest->len);
	return true;
}

/* The path ends at the first colon that a line number follows. */
static bool place_of(Str line, Place *out)
{
	for (size_t i = 1; i < line.len; i++) {
		Str rest = str_sub(line, i + 1, line.len);
		int64_t numbers[4] = { 0 };
		size_t count = 0;

		if (line.at[i] != ':' || !take_number(&rest, &numbers[count++]))
			continue;
		while (count < COUNT(numbers) && take_number(&rest, &numbers[count]))
			count++;
		*out = (Place){ str_sub(line, 0, i), str_trim(rest), numbers[0],
			        count == COUNT(numbers) ? numbers[2] : 0 };
		return out->path.at[0] != ' ' && out->rest.len > 0;
	}
	return false;
}

static size_t letters_of(Str text)
{
	size_t n = 0;

	while (n < text.len && text.at[n] >= 'A' && text.at[n] <= 'Z')
		n++;
	return n;
}

/* "E501", "PLR0913": 1 to 8 letters, 1 to 5 digits; 0: none. */
static size_t code_of(Str text)
{
	size_t letters = letters_of(text), n = letters;

	while (n < text.len && text.at[n] >= '0' && text.at[n] <= '9')
		n++;
	return letters && letters <= 8 && n > letters && n <= letters + 5 ? n : 0;
}

/* "words (in-brackets)" or "words  [in-brackets]": the last of these, without blanks in it, goes from *text to *name. */
static bool take_last(Str *text, char open, char close, Str *name)
{
	ptrdiff_t from = str_rfind_char(*text, open);

	if (from <= 0 || text->at[text->len - 1] != close)
		return false;
	*name = str_sub(*text, (size_t)from + 1, text->len - 1);
	if (!name->len || str_find_char(*name, ' ') >= 0)
		return false;
	*text = str_trim(str_sub(*text, 0, (size_t)from));
	return true;
}

static ToolHit hit_at(const Place *p, Str tool, Str text)
{
	return (ToolHit){ .tool = tool,
		          .path = p->path,
		          .line = p->line,
		          .end_line = p->end_line,
		          .text = text };
}

static bool mypy_line(ToolReader *r, const Place *p)
{
	static const Str words[] = { S("error"), S("warning"), S("note") };

	for (size_t i = 0; i < COUNT(words); i++) {
		Str rest = str_sub(p->rest, words[i].len, p->rest.len);
		ToolHit hit;

		if (!str_starts(p->rest, words[i]) || !str_starts(rest, S(": ")))
			continue;
		hit = hit_at(p, S("mypy"), str_trim(str_sub(rest, 2, rest.len)));
		hit.severity = words[i];
		if (!take_last(&hit.text, '[', ']', &hit.id))
			hit.id = S("misc");
		if (i < 2 || !str_eq(hit.id, S("misc")))
			tool_add(r, &hit);
		return true;
	}
	return false;
}

/* "C0114: words (name)" */
static bool pylint_line(ToolReader *r, const Place *p)
{
	size_t code = code_of(p->rest);
	ToolHit hit;

	if (!code || !str_starts(str_sub(p->rest, code, p->rest.len), S(": ")))
		return false;
	hit = hit_at(p, S("pylint"), str_trim(str_sub(p->rest, code + 2, p->rest.len)));
	hit.id = str_sub(p->rest, 0, code);
	(void)take_last(&hit.text, '(', ')', &hit.name);
	tool_add(r, &hit);
	return true;
}

/* "[C0114(name), unit] words" */
static bool parseable_line(ToolReader *r, const Place *p)
{
	ptrdiff_t end = str_find_char(p->rest, ']'), comma;
	Str head;
	ToolHit hit;

	if (!str_starts(p->rest, S("[")) || end < 0)
		return false;
	head = str_sub(p->rest, 1, (size_t)end);
	hit = hit_at(p, S("pylint"), str_trim(str_sub(p->rest, (size_t)end + 1, p->rest.len)));
	comma = str_find_char(head, ',');
	if (comma >= 0) {
		hit.unit = str_trim(str_sub(head, (size_t)comma + 1, head.len));
		head = str_sub(head, 0, (size_t)comma);
	}
	(void)take_last(&head, '(', ')', &hit.name);
	hit.id = head;
	if (!hit.text.len || code_of(head) != head.len)
		return false;
	tool_add(r, &hit);
	return true;
}

/* "E501 words", "E501 [*] words", "SyntaxError: words" */
static bool code_line(ToolReader *r, const Place *p, Str tool)
{
	size_t code = code_of(p->rest);
	bool syntax = str_starts(p->rest, S("SyntaxError: "));
	ToolHit hit = hit_at(p, tool, S(""));

	if (!syntax && (!code || !str_starts(str_sub(p->rest, code, p->rest.len), S(" "))))
		return false;
	hit.id = syntax ? S("syntax-error") : str_sub(p->rest, 0, code);
	hit.text = syntax ? p->rest : str_trim(str_sub(p->rest, code, p->rest.len));
	if (str_starts(hit.text, S("[*] ")))
		hit.text = str_sub(hit.text, 4, hit.text.len);
	hit.severity = S("code");
	if (hit.text.len)
		tool_add(r, &hit);
	return hit.text.len > 0;
}

/* Lines that stand alone when nothing was found, or at the end. */
static const struct {
	Str begins;
	const char *format;
} closings[] = {
	{ S("Success: no issues found"), "mypy's text" },
	{ S("All checks passed!"), "ruff's text" },
	{ S("Your code has been rated at"), "pylint's text" },
};

static bool is_ruff(Str text)
{
	Str line;

	while (str_split(&text, '\n', &line))
		if ((str_starts(line, S("Found ")) &&
		     (str_find(line, S(" error.")) > 0 || str_find(line, S(" errors.")) > 0 ||
		      str_find(line, S(" remaining)")) > 0)) ||
		    str_starts(line, S("[*] ")))
			return true;
	return false;
}

static const char *read_line(ToolReader *r, Str line, Str coder)
{
	Place place;

	for (size_t i = 0; i < COUNT(closings); i++)
		if (str_starts(line, closings[i].begins))
			return closings[i].format;
	if (!place_of(line, &place))
		return NULL;
	if (mypy_line(r, &place))
		return "mypy's text";
	if (pylint_line(r, &place) || parseable_line(r, &place))
		return "pylint's text";
	if (code_line(r, &place, coder))
		return str_eq(coder, S("ruff")) ? "ruff's text" : "flake8's text";
	r->about->skipped++;
	return NULL;
}

bool tool_read_text(ToolReader *r, Str text)
{
	Str coder = is_ruff(text) ? S("ruff") : S("flake8"), line;
	bool known = false;

	while (str_split(&text, '\n', &line)) {
		const char *format;

		if (str_ends(line, S("\r")))
			line.len--;
		format = line.len ? read_line(r, line, coder) : NULL;
		if (format)
			r->about->format = format;
		known |= format != NULL;
	}
	return known;
}
