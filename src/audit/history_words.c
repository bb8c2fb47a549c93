/* SPDX-License-Identifier: Apache-2.0
 *
 * What a commit's words tell: was it a program's, did it mend something? Both are guesses by lists, which stand here whole. A wrong guess moves one
 * commit from one count to another; which commits were left out is always said, so that a list that does not fit a team is seen. */
#include "audit/history.h"

#include <string.h>
#include <strings.h>

static const char *const kind_texts[] = {
	[SET_COUNTS] = "change sets",
	[SET_SHALLOW] = "where the shallow clone ends",
	[SET_MERGE] = "merges",
	[SET_MISSING] = "whose folders are not in this clone, or too many",
	[SET_BOT] = "by bots",
	[SET_FORMAT] = "in .git-blame-ignore-revs",
	[SET_ELSEWHERE] = "with no file under this folder",
	[SET_BIG] = "of more than 30 files",
};
_Static_assert(COUNT(kind_texts) == SET_KINDS, "a kind has no text");
_Static_assert(HISTORY_SET_FILES == 30, "the text above says 30");

static const Str bot_parts[] = {
	S("[bot]"),          S("dependabot"),      S("renovate"),         S("greenkeeper"),
	S("pyup-bot"),       S("pyup.io"),         S("snyk-bot"),         S("github-actions"),
	S("github actions"), S("pre-commit-ci"),   S("weblate"),          S("transifex"),
	S("mergify"),        S("allcontributors"), S("semantic-release"), S("jenkins"),
};
static const Str bot_ends[] = { S("-bot"), S(" bot"), S("_bot"),
	                        S("-bot@users.noreply.github.com") };

/* Whole words, in the first line. */
static const Str fix_words[] = { S("fix"),    S("fixes"),  S("fixed"),      S("bug"),
	                         S("defect"), S("hotfix"), S("regression"), S("revert") };
static const Str not_words[] = { S("typo"), S("docs"), S("lint"), S("format") };
/* Before a number, anywhere. */
static const Str closing_words[] = { S("close"),   S("closes"),   S("closed"),
	                             S("fix"),     S("fixes"),    S("fixed"),
	                             S("resolve"), S("resolves"), S("resolved") };

const char *set_kind_text(SetKind kind)
{
	return kind_texts[kind];
}

static bool holds(Str text, Str part)
{
	for (size_t i = 0; i + part.len <= text.len; i++)
		if (strncasecmp(text.at + i, part.at, part.len) == 0)
			return true;
	return false;
}

static bool ends_with(Str text, Str end)
{
	return text.len >= end.len &&
	       strncasecmp(text.at + text.len - end.len, end.at, end.len) == 0;
}

bool history_is_bot(Str name, Str email)
{
	for (size_t i = 0; i < COUNT(bot_parts); i++)
		if (holds(name, bot_parts[i]) || holds(email, bot_parts[i]))
			return true;
	for (size_t i = 0; i < COUNT(bot_ends); i++)
		if (ends_with(name, bot_ends[i]) || ends_with(email, bot_ends[i]))
			return true;
	return false;
}

/* As \w of patterns. */
static bool of_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static Str next_word(Str *rest)
{
	size_t from = 0, to;

	while (from < rest->len && !of_word(rest->at[from]))
		from++;
	for (to = from; to < rest->len && of_word(rest->at[to]);)
		to++;
	Str word = str_sub(*rest, from, to);
	*rest = str_sub(*rest, to, rest->len);
	return word;
}

static bool is_one_of(Str word, const Str *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq_nocase(word, list[i]))
			return true;
	return false;
}

static bool has_word(Str text, const Str *list, size_t count)
{
	for (Str word = next_word(&text); word.len; word = next_word(&text))
		if (is_one_of(word, list, count))
			return true;
	return false;
}

/* "closes #12", "Fixes: #12" */
static bool closes_issue(Str text)
{
	for (Str word = next_word(&text); word.len; word = next_word(&text)) {
		Str rest = text;

		if (!is_one_of(word, closing_words, COUNT(closing_words)))
			continue;
		if (str_starts(rest, S(":")))
			rest = str_sub(rest, 1, rest.len);
		rest = str_trim(rest);
		if (rest.len > 1 && rest.at[0] == '#' && rest.at[1] >= '0' && rest.at[1] <= '9')
			return true;
	}
	return false;
}

bool history_is_fix(Str message)
{
	ptrdiff_t end = str_find_char(message, '\n');
	Str first = end < 0 ? message : str_sub(message, 0, (size_t)end);

	if (has_word(first, not_words, COUNT(not_words)))
		return false;
	return has_word(first, fix_words, COUNT(fix_words)) || closes_issue(message);
}
