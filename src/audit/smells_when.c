/* SPDX-License-Identifier: Apache-2.0
 *
 * Conditions of known calls: what has to be among the arguments, or must not be missing, for it to be a finding. An argument list with ** in
 * it may hold any keyword, so what is missing there is not missed. */
#include "audit/smells_int.h"

static bool is_in(Str word, const Str *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(word, words[i]))
			return true;
	return false;
}

static bool keyword_is(const Walk *w, uint32_t call, Str key, PyKind kind)
{
	return node_is(w->s, call_keyword(w->s, call, key), kind);
}

/* Missing for sure: neither there nor perhaps in **. */
static bool lacks(const Walk *w, uint32_t call, Str key)
{
	const Syntax *s = w->s;
	uint32_t list = syntax_child(s, call, PY_F_ARGUMENTS);

	return list != SYNTAX_NONE && call_keyword(s, call, key) == SYNTAX_NONE &&
	       syntax_find(s, list, PY_DICTIONARY_SPLAT) == SYNTAX_NONE;
}

/* A string that is written there, nothing put in. */
static bool is_literal(const Syntax *s, uint32_t node)
{
	bool plain = false;

	if (node_is(s, node, PY_STRING))
		string_text(s, node, &plain);
	else if (node_is(s, node, PY_CONCATENATED_STRING))
		plain = true;
	return plain;
}

static Str literal(const Syntax *s, uint32_t node)
{
	bool plain;

	return node_is(s, node, PY_STRING) ? string_text(s, node, &plain) : S("");
}

static Str last_name(const Syntax *s, uint32_t node)
{
	if (node_is(s, node, PY_CALL))
		node = syntax_child(s, node, PY_F_FUNCTION);
	if (node_is(s, node, PY_ATTRIBUTE))
		node = syntax_child(s, node, PY_F_ATTRIBUTE);
	return node_is(s, node, PY_IDENTIFIER) ? syntax_text(s, node) : S("");
}

static uint32_t number(const Syntax *s, uint32_t node)
{
	Str text = node_is(s, node, PY_INTEGER) ? syntax_text(s, node) : S("");
	unsigned base = 10;
	uint32_t n = 0;
	size_t i = 0;

	if (text.len > 2 && text.at[0] == '0') {
		base = text.at[1] == 'o' || text.at[1] == 'O' ? 8 : text.at[1] == 'x' ? 16 : 8;
		i = text.at[1] >= '0' && text.at[1] <= '9' ? 1 : 2;
	}
	for (; i < text.len && i < 12; i++) {
		char c = text.at[i];
		unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
		                 : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
		                                        : 99;

		if (digit < base)
			n = n * base + digit;
	}
	return n;
}

bool when_no_timeout(const Walk *w, uint32_t call)
{
	return lacks(w, call, S("timeout")) || keyword_is(w, call, S("timeout"), PY_NONE);
}

bool when_verify_false(const Walk *w, uint32_t call)
{
	return keyword_is(w, call, S("verify"), PY_FALSE);
}

bool when_debug(const Walk *w, uint32_t call)
{
	uint32_t root = chain_root(w->s, syntax_child(w->s, call, PY_F_FUNCTION));
	Str name = root == SYNTAX_NONE ? S("") : syntax_text(w->s, root);

	return keyword_is(w, call, S("debug"), PY_TRUE) &&
	       (str_eq(name, S("app")) || str_eq(name, S("application")) ||
	        names_meaning(w, S("Flask")).len || names_meaning(w, S("flask")).len);
}

/* zipfile.ZipFile(name).extractall(), or a name that says zip. */
static bool is_zip(const Walk *w, uint32_t call)
{
	const Syntax *s = w->s;
	uint32_t function = syntax_child(s, call, PY_F_FUNCTION);
	uint32_t object = node_is(s, function, PY_ATTRIBUTE)
	                          ? syntax_child(s, function, PY_F_OBJECT)
	                          : SYNTAX_NONE;
	uint32_t root = object == SYNTAX_NONE ? object : chain_root(s, object);
	Str name = root == SYNTAX_NONE ? S("") : syntax_text(s, root);

	return str_starts(names_meaning(w, name), S("zipfile")) || str_find(name, S("zip")) >= 0 ||
	       str_eq(name, S("zf"));
}

/* Zip files are unpacked with care by the library itself. */
bool when_tar(const Walk *w, uint32_t call)
{
	return names_meaning(w, S("tarfile")).len && lacks(w, call, S("filter")) &&
	       !is_zip(w, call);
}

bool when_not_literal(const Walk *w, uint32_t call)
{
	uint32_t first = call_nth(w->s, call, 0);

	return first != SYNTAX_NONE && !is_literal(w->s, first);
}

bool when_for_safety(const Walk *w, uint32_t call)
{
	return !keyword_is(w, call, S("usedforsecurity"), PY_FALSE);
}

bool when_weak_name(const Walk *w, uint32_t call)
{
	static const Str weak[] = { S("md4"), S("md5"),  S("sha"), S("sha1"),
		                    S("MD5"), S("SHA1"), S("MD4"), S("SHA") };
	uint32_t name = call_nth(w->s, call, 0);

	if (name == SYNTAX_NONE)
		name = call_keyword(w->s, call, S("name"));
	return is_in(literal(w->s, name), weak, COUNT(weak)) && when_for_safety(w, call);
}

bool when_chmod(const Walk *w, uint32_t call)
{
	uint32_t mode = call_nth(w->s, call, 1);

	if (mode == SYNTAX_NONE)
		mode = call_nth(w->s, call, 0);
	/* others may write, or the group may run: what bandit looks for */
	return (number(w->s, mode) & 012) != 0;
}

bool when_old_tls(const Walk *w, uint32_t call)
{
	static const Str old[] = {
		S("PROTOCOL_SSLv2"),   S("PROTOCOL_SSLv3"), S("PROTOCOL_TLSv1"),
		S("PROTOCOL_TLSv1_1"), S("SSLv2_METHOD"),   S("SSLv3_METHOD"),
		S("SSLv23_METHOD"),    S("TLSv1_METHOD"),   S("TLSv1_1_METHOD")
	};
	const Syntax *s = w->s;
	uint32_t list = syntax_child(s, call, PY_F_ARGUMENTS);

	for (uint32_t i = list + 1; list != SYNTAX_NONE && i < s->at[list].end; i = s->at[i].end) {
		uint32_t value =
			s->at[i].kind == PY_KEYWORD_ARGUMENT ? syntax_child(s, i, PY_F_VALUE) : i;

		if (value != SYNTAX_NONE && is_in(last_name(s, value), old, COUNT(old)))
			return true;
	}
	return false;
}

bool when_no_version(const Walk *w, uint32_t call)
{
	return (lacks(w, call, S("ssl_version")) && call_nth(w->s, call, 5) == SYNTAX_NONE) ||
	       when_old_tls(w, call);
}

bool when_short_key(const Walk *w, uint32_t call)
{
	uint32_t bits = call_keyword(w->s, call, S("key_size")), n;

	if (bits == SYNTAX_NONE)
		bits = call_keyword(w->s, call, S("bits"));
	if (bits == SYNTAX_NONE)
		bits = call_nth(w->s, call, 0);
	/* rsa has the exponent first, 65537 or 3 */
	if (node_is(w->s, call_nth(w->s, call, 1), PY_INTEGER))
		bits = call_nth(w->s, call, 1);
	n = number(w->s, bits);
	return n >= 256 && n < 2048;
}

bool when_short_curve(const Walk *w, uint32_t call)
{
	static const Str curves[] = { S("SECP192R1"), S("SECT163K1"), S("SECT163R2") };
	uint32_t curve = call_nth(w->s, call, 0);

	if (curve == SYNTAX_NONE)
		curve = call_keyword(w->s, call, S("curve"));
	return is_in(last_name(w->s, curve), curves, COUNT(curves));
}

bool when_any_yaml(const Walk *w, uint32_t call)
{
	static const Str safe[] = { S("SafeLoader"), S("CSafeLoader"), S("BaseLoader") };
	uint32_t loader = call_keyword(w->s, call, S("Loader"));

	if (loader == SYNTAX_NONE)
		loader = call_nth(w->s, call, 1);
	return loader == SYNTAX_NONE || !is_in(last_name(w->s, loader), safe, COUNT(safe));
}

bool when_any_host(const Walk *w, uint32_t call)
{
	Str policy = last_name(w->s, call_nth(w->s, call, 0));

	return str_eq(policy, S("AutoAddPolicy")) || str_eq(policy, S("WarningPolicy"));
}

bool when_old_snmp(const Walk *w, uint32_t call)
{
	uint32_t model = call_keyword(w->s, call, S("mpModel"));

	return node_is(w->s, model, PY_INTEGER) && number(w->s, model) < 2;
}

bool when_open_snmp(const Walk *w, uint32_t call)
{
	return call_nth(w->s, call, 2) == SYNTAX_NONE && lacks(w, call, S("privKey"));
}

bool when_shell(const Walk *w, uint32_t call)
{
	uint32_t shell = call_keyword(w->s, call, S("shell"));

	if (shell == SYNTAX_NONE)
		return false;
	return w->s->at[shell].kind != PY_FALSE && w->s->at[shell].kind != PY_NONE &&
	       !(w->s->at[shell].kind == PY_INTEGER && number(w->s, shell) == 0);
}

bool when_paramiko(const Walk *w, uint32_t call)
{
	(void)call;
	return names_meaning(w, S("paramiko")).len != 0;
}

static bool is_wild(const Walk *w, uint32_t call)
{
	static const Str tools[] = { S("chown"), S("chmod"), S("tar"), S("rsync") };
	uint32_t first = call_nth(w->s, call, 0);
	Str text = first == SYNTAX_NONE ? S("") : syntax_text(w->s, first);

	if (str_find_char(text, '*') < 0)
		return false;
	for (size_t i = 0; i < COUNT(tools); i++)
		if (str_find(text, tools[i]) >= 0)
			return true;
	return false;
}

bool when_wild(const Walk *w, uint32_t call)
{
	return is_wild(w, call);
}

bool when_wild_shell(const Walk *w, uint32_t call)
{
	return is_wild(w, call) && when_shell(w, call);
}

/* extra(select=, where=, tables=) with anything that is not written there. */
bool when_made_extra(const Walk *w, uint32_t call)
{
	static const Str keys[] = { S("select"), S("where"), S("tables") };
	const Syntax *s = w->s;

	for (size_t i = 0; i < COUNT(keys); i++) {
		uint32_t value = call_keyword(s, call, keys[i]);

		if (value == SYNTAX_NONE)
			continue;
		if (!node_is(s, value, PY_LIST) && !node_is(s, value, PY_TUPLE) &&
		    !node_is(s, value, PY_DICTIONARY))
			return true;
		for (uint32_t k = value + 1; k < s->at[value].end; k++)
			if (s->at[k].kind == PY_IDENTIFIER || s->at[k].kind == PY_INTERPOLATION)
				return true;
	}
	return false;
}

bool when_no_escape(const Walk *w, uint32_t call)
{
	return lacks(w, call, S("autoescape")) || keyword_is(w, call, S("autoescape"), PY_FALSE);
}

bool when_no_verify(const Walk *w, uint32_t call)
{
	return lacks(w, call, S("verify"));
}

bool when_jwt(const Walk *w, uint32_t call)
{
	uint32_t options = call_keyword(w->s, call, S("options"));

	if (keyword_is(w, call, S("verify"), PY_FALSE))
		return true;
	return options != SYNTAX_NONE &&
	       str_find(syntax_text(w->s, options), S("verify_signature\": False")) >= 0;
}

bool when_weights(const Walk *w, uint32_t call)
{
	return !keyword_is(w, call, S("weights_only"), PY_TRUE);
}

bool when_async(const Walk *w, uint32_t call)
{
	return walk_scope(w)->async && w->s->at[w->s->at[call].parent].kind != PY_AWAIT;
}

/* print to the process's own output, in code of the module that is no script. */
bool when_printed(const Walk *w, uint32_t call)
{
	return !w->is_script && lacks(w, call, S("file"));
}

/* Does the file itself have a method of this name? Among the first units only: it is a question of kindness. */
static bool is_own_method(const Walk *w, Str name)
{
	const Measures *m = &w->file->measures;

	for (uint32_t i = 0; i < m->unit_count && i < 1000; i++)
		if (str_eq(m->units[i].name, name))
			return true;
	return false;
}

bool when_gone_method(const Walk *w, uint32_t call)
{
	uint32_t list = syntax_child(w->s, call, PY_F_ARGUMENTS),
		 root = chain_root(w->s, syntax_child(w->s, call, PY_F_FUNCTION));

	return list != SYNTAX_NONE && w->s->at[list].end == list + 1 &&
	       !(root != SYNTAX_NONE && str_eq(syntax_text(w->s, root), S("six"))) &&
	       !is_own_method(w, call_verb(w->s, call));
}

/* Caches of Django have it too. */
bool when_has_key(const Walk *w, uint32_t call)
{
	uint32_t root = chain_root(w->s, syntax_child(w->s, call, PY_F_FUNCTION));
	Str name = root == SYNTAX_NONE ? S("") : syntax_text(w->s, root);

	return call_nth(w->s, call, 0) != SYNTAX_NONE && call_nth(w->s, call, 1) == SYNTAX_NONE &&
	       !str_eq(name, S("self")) && str_find(name, S("cache")) < 0 &&
	       !names_meaning(w, name).len && !is_own_method(w, S("has_key"));
}
