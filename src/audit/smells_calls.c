/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls that are known: a table by what is called, with the imports seen through (`from os import system as run`), and what has to be true
 * of its arguments. A name that begins with a dot is a method of anything. One hash of the last part tells for most calls that they are none
 * of these; the whole name is put together for the rest. */
#include "audit/smells_int.h"

#include <pthread.h>

typedef struct CallRow {
	Str name;
	SmellId id;
	CallWhen *when; /* NULL: always */
	Str text;
} CallRow;

#define ROW(name, id, when, text) \
	{ \
		S(name), SMELL_##id, when, S(text) \
	}
#define BUILTIN2(name, now) ROW(name, PYTHON2_NAME, NULL, name "() is " now " in Python 3")
#define METHOD2(name, now) \
	ROW("." name, PYTHON2_NAME, when_gone_method, "." name "() is " now " in Python 3")
#define CLIENT(name) \
	ROW("requests." name, NO_TIMEOUT, when_no_timeout, \
	    "requests." name "() without timeout="), \
		ROW("requests." name, NO_TLS_CHECK, when_verify_false, \
	            "requests." name "() with verify=False"), \
		ROW("httpx." name, NO_TLS_CHECK, when_verify_false, \
	            "httpx." name "() with verify=False"), \
		ROW("requests." name, BLOCKING_ASYNC, when_async, \
	            "requests." name "() in async code; httpx or aiohttp wait without blocking"), \
		ROW("httpx." name, BLOCKING_ASYNC, when_async, \
	            "httpx." name "() in async code; httpx.AsyncClient waits without blocking")
#define BLOCKS(name, instead) \
	ROW(name, BLOCKING_ASYNC, when_async, name "() in async code; " instead)
#define SHELLS(name) \
	ROW(name, SHELL_COMMAND, when_shell, name "() with shell=True"), \
		ROW(name, WILDCARD_COMMAND, when_wild_shell, name "() of a command with *")
#define THROUGH_SHELL(name) \
	ROW(name, SHELL_COMMAND, NULL, name "() goes through a shell"), \
		ROW(name, WILDCARD_COMMAND, when_wild, name "() of a command with *")
#define XML(name) ROW(name, XML_PARSE, NULL, name "() follows entities")
#define DEBUGGER(name) ROW(name, DEBUGGER_LEFT, NULL, name "() stops the process")
#define RANDOM(name) ROW("random." name, WEAK_RANDOM, NULL, "random." name "() can be reckoned")
#define PICKLE(name) ROW(name, PICKLE_LOAD, NULL, name "() runs what the pickle says")
#define URL(name) ROW(name, URL_SCHEME, when_not_literal, name "() opens file: too")
#define HASH(name) ROW(name, WEAK_HASH, when_for_safety, name "()")
#define CIPHER(name) ROW(name, WEAK_CIPHER, NULL, name "()")

static const CallRow rows[] = {
	ROW("exec", EXEC_CALL, NULL, "exec() runs a text as code"),
	ROW("execfile", EXEC_CALL, NULL, "execfile() runs a file as code"),
	ROW("eval", EVAL_CALL, NULL, "eval() runs a text as code"),
	ROW("os.chmod", OPEN_PERMISSIONS, when_chmod,
	    "a mode that lets others write, or the group run"),
	ROW(".chmod", OPEN_PERMISSIONS, when_chmod,
	    "a mode that lets others write, or the group run"),
	ROW("tempfile.mktemp", TMP_RACE, NULL, "tempfile.mktemp() gives a name only"),
	ROW("os.tempnam", TMP_RACE, NULL, "os.tempnam() gives a name only"),
	ROW("os.tmpnam", TMP_RACE, NULL, "os.tmpnam() gives a name only"),
	CLIENT("get"),
	CLIENT("post"),
	CLIENT("put"),
	CLIENT("patch"),
	CLIENT("delete"),
	CLIENT("head"),
	CLIENT("options"),
	CLIENT("request"),
	ROW(".run", DEBUG_SERVER, when_debug, "debug=True gives visitors a console"),
	ROW(".extractall", ARCHIVE_EXTRACT, when_tar, "extractall() of a tar without filter="),
	PICKLE("pickle.load"),
	PICKLE("pickle.loads"),
	PICKLE("pickle.Unpickler"),
	PICKLE("cPickle.load"),
	PICKLE("cPickle.loads"),
	PICKLE("cPickle.Unpickler"),
	PICKLE("dill.load"),
	PICKLE("dill.loads"),
	PICKLE("dill.Unpickler"),
	PICKLE("shelve.open"),
	PICKLE("jsonpickle.decode"),
	PICKLE("pandas.read_pickle"),
	PICKLE("marshal.load"),
	PICKLE("marshal.loads"),
	ROW("torch.load", PICKLE_LOAD, when_weights,
	    "torch.load() without weights_only=True is a pickle"),
	HASH("hashlib.md5"),
	HASH("hashlib.md4"),
	HASH("hashlib.sha1"),
	HASH("Crypto.Hash.MD2.new"),
	HASH("Crypto.Hash.MD4.new"),
	HASH("Crypto.Hash.MD5.new"),
	HASH("Crypto.Hash.SHA.new"),
	HASH("Cryptodome.Hash.MD2.new"),
	HASH("Cryptodome.Hash.MD4.new"),
	HASH("Cryptodome.Hash.MD5.new"),
	HASH("Cryptodome.Hash.SHA.new"),
	HASH("cryptography.hazmat.primitives.hashes.MD5"),
	HASH("cryptography.hazmat.primitives.hashes.SHA1"),
	ROW("hashlib.new", WEAK_HASH, when_weak_name, "hashlib.new() of a weak one"),
	CIPHER("Crypto.Cipher.ARC2.new"),
	CIPHER("Crypto.Cipher.ARC4.new"),
	CIPHER("Crypto.Cipher.Blowfish.new"),
	CIPHER("Crypto.Cipher.DES.new"),
	CIPHER("Crypto.Cipher.XOR.new"),
	CIPHER("Cryptodome.Cipher.ARC2.new"),
	CIPHER("Cryptodome.Cipher.ARC4.new"),
	CIPHER("Cryptodome.Cipher.Blowfish.new"),
	CIPHER("Cryptodome.Cipher.DES.new"),
	CIPHER("Cryptodome.Cipher.XOR.new"),
	CIPHER("cryptography.hazmat.primitives.ciphers.algorithms.ARC4"),
	CIPHER("cryptography.hazmat.primitives.ciphers.algorithms.Blowfish"),
	CIPHER("cryptography.hazmat.primitives.ciphers.algorithms.IDEA"),
	CIPHER("cryptography.hazmat.primitives.ciphers.modes.ECB"),
	RANDOM("random"),
	RANDOM("randrange"),
	RANDOM("randint"),
	RANDOM("choice"),
	RANDOM("choices"),
	RANDOM("uniform"),
	RANDOM("triangular"),
	ROW("django.utils.safestring.mark_safe", MARK_SAFE, when_not_literal,
	    "mark_safe() of what is not written there"),
	ROW("django.utils.safestring.SafeString", MARK_SAFE, when_not_literal,
	    "SafeString() of what is not written there"),
	ROW("django.utils.safestring.SafeText", MARK_SAFE, when_not_literal,
	    "SafeText() of what is not written there"),
	ROW("markupsafe.Markup", MARK_SAFE, when_not_literal,
	    "Markup() of what is not written there"),
	ROW("flask.Markup", MARK_SAFE, when_not_literal, "Markup() of what is not written there"),
	URL("urllib.urlopen"),
	URL("urllib.urlretrieve"),
	URL("urllib.URLopener"),
	URL("urllib.FancyURLopener"),
	URL("urllib.request.urlopen"),
	URL("urllib.request.urlretrieve"),
	URL("urllib.request.URLopener"),
	URL("urllib.request.FancyURLopener"),
	URL("urllib2.urlopen"),
	URL("urllib2.Request"),
	URL("six.moves.urllib.request.urlopen"),
	URL("six.moves.urllib.request.urlretrieve"),
	XML("xml.etree.cElementTree.parse"),
	XML("xml.etree.cElementTree.iterparse"),
	XML("xml.etree.cElementTree.fromstring"),
	XML("xml.etree.cElementTree.XMLParser"),
	XML("xml.etree.ElementTree.parse"),
	XML("xml.etree.ElementTree.iterparse"),
	XML("xml.etree.ElementTree.fromstring"),
	XML("xml.etree.ElementTree.XMLParser"),
	XML("xml.sax.expatreader.create_parser"),
	XML("xml.dom.expatbuilder.parse"),
	XML("xml.dom.expatbuilder.parseString"),
	XML("xml.sax.parse"),
	XML("xml.sax.parseString"),
	XML("xml.sax.make_parser"),
	XML("xml.dom.minidom.parse"),
	XML("xml.dom.minidom.parseString"),
	XML("xml.dom.pulldom.parse"),
	XML("xml.dom.pulldom.parseString"),
	XML("lxml.etree.parse"),
	XML("lxml.etree.fromstring"),
	XML("lxml.etree.RestrictedElement"),
	XML("lxml.etree.GlobalParserTLS"),
	XML("lxml.etree.getDefaultParser"),
	XML("lxml.etree.check_docinfo"),
	ROW("ssl._create_unverified_context", NO_TLS_CHECK, NULL,
	    "a context that takes any certificate"),
	ROW("ssl.wrap_socket", OLD_TLS, when_no_version,
	    "ssl.wrap_socket() takes old versions and checks nothing"),
	ROW("ssl.SSLContext", OLD_TLS, when_old_tls, "a context of an old version"),
	ROW("OpenSSL.SSL.Context", OLD_TLS, when_old_tls, "a context of an old version"),
	ROW("cryptography.hazmat.primitives.asymmetric.rsa.generate_private_key", SHORT_KEY,
	    when_short_key, "a key of less than 2048 bits"),
	ROW("cryptography.hazmat.primitives.asymmetric.dsa.generate_private_key", SHORT_KEY,
	    when_short_key, "a key of less than 2048 bits"),
	ROW("cryptography.hazmat.primitives.asymmetric.ec.generate_private_key", SHORT_KEY,
	    when_short_curve, "a curve of less than 224 bits"),
	ROW("Crypto.PublicKey.RSA.generate", SHORT_KEY, when_short_key,
	    "a key of less than 2048 bits"),
	ROW("Crypto.PublicKey.DSA.generate", SHORT_KEY, when_short_key,
	    "a key of less than 2048 bits"),
	ROW("Cryptodome.PublicKey.RSA.generate", SHORT_KEY, when_short_key,
	    "a key of less than 2048 bits"),
	ROW("Cryptodome.PublicKey.DSA.generate", SHORT_KEY, when_short_key,
	    "a key of less than 2048 bits"),
	ROW("yaml.load", YAML_LOAD, when_any_yaml, "yaml.load() makes any object"),
	ROW("yaml.load_all", YAML_LOAD, when_any_yaml, "yaml.load_all() makes any object"),
	ROW("yaml.unsafe_load", YAML_LOAD, NULL, "yaml.unsafe_load() makes any object"),
	ROW("yaml.unsafe_load_all", YAML_LOAD, NULL, "yaml.unsafe_load_all() makes any object"),
	ROW(".set_missing_host_key_policy", SSH_ANY_HOST, when_any_host, "any host's key is taken"),
	ROW("pysnmp.hlapi.CommunityData", WEAK_SNMP, when_old_snmp, "SNMP of version 1 or 2c"),
	ROW("pysnmp.hlapi.UsmUserData", WEAK_SNMP, when_open_snmp, "SNMP without encryption"),
	SHELLS("subprocess.run"),
	SHELLS("subprocess.call"),
	SHELLS("subprocess.check_call"),
	SHELLS("subprocess.check_output"),
	SHELLS("subprocess.Popen"),
	THROUGH_SHELL("os.system"),
	THROUGH_SHELL("os.popen"),
	THROUGH_SHELL("os.popen2"),
	THROUGH_SHELL("os.popen3"),
	THROUGH_SHELL("os.popen4"),
	THROUGH_SHELL("popen2.popen2"),
	THROUGH_SHELL("popen2.popen3"),
	THROUGH_SHELL("popen2.popen4"),
	THROUGH_SHELL("popen2.Popen3"),
	THROUGH_SHELL("popen2.Popen4"),
	THROUGH_SHELL("commands.getoutput"),
	THROUGH_SHELL("commands.getstatusoutput"),
	THROUGH_SHELL("subprocess.getoutput"),
	THROUGH_SHELL("subprocess.getstatusoutput"),
	THROUGH_SHELL("asyncio.create_subprocess_shell"),
	ROW(".exec_command", SHELL_COMMAND, when_paramiko,
	    "a command goes through the other side's shell"),
	ROW(".invoke_shell", SHELL_COMMAND, when_paramiko, "a shell on the other side"),
	ROW(".extra", SQL_BY_TEXT, when_made_extra, "extra() with what is not written there"),
	ROW("django.db.models.expressions.RawSQL", SQL_BY_TEXT, when_not_literal,
	    "RawSQL() of what is not written there"),
	ROW("jinja2.Environment", NO_ESCAPE, when_no_escape,
	    "jinja2.Environment() without autoescape"),
	ROW("mako.template.Template", NO_ESCAPE, NULL, "Mako escapes nothing by itself"),
	ROW("mako.lookup.TemplateLookup", NO_ESCAPE, NULL, "Mako escapes nothing by itself"),
	ROW("logging.config.listen", OPEN_LOGGING, when_no_verify,
	    "logging.config.listen() without verify="),
	ROW("jwt.decode", JWT_UNVERIFIED, when_jwt, "the signature is not checked"),
	ROW("wsgiref.handlers.CGIHandler", DEAD_LIBRARY, NULL,
	    "CGI hands HTTP_PROXY to the process (httpoxy)"),
	ROW("twisted.web.twcgi.CGIScript", DEAD_LIBRARY, NULL,
	    "CGI hands HTTP_PROXY to the process (httpoxy)"),
	DEBUGGER("breakpoint"),
	DEBUGGER("pdb.set_trace"),
	DEBUGGER("pdb.post_mortem"),
	DEBUGGER("ipdb.set_trace"),
	DEBUGGER("pudb.set_trace"),
	DEBUGGER("IPython.embed"),
	DEBUGGER("web_pdb.set_trace"),
	DEBUGGER("celery.contrib.rdb.set_trace"),
	ROW("print", PRINT_CALL, when_printed, "print() in code that is no script"),
	BUILTIN2("unicode", "str"),
	BUILTIN2("xrange", "range"),
	BUILTIN2("raw_input", "input"),
	BUILTIN2("unichr", "chr"),
	BUILTIN2("execfile", "exec(open(...).read())"),
	BUILTIN2("basestring", "str"),
	ROW("reduce", PYTHON2_NAME, NULL, "reduce() is functools.reduce in Python 3"),
	METHOD2("iteritems", "items"),
	METHOD2("iterkeys", "keys"),
	METHOD2("itervalues", "values"),
	METHOD2("viewitems", "items"),
	METHOD2("viewkeys", "keys"),
	METHOD2("viewvalues", "values"),
	ROW(".has_key", PYTHON2_NAME, when_has_key, ".has_key() is `in` in Python 3"),
	BLOCKS("time.sleep", "await asyncio.sleep()"),
	BLOCKS("urllib.request.urlopen", "httpx or aiohttp wait without blocking"),
	BLOCKS("subprocess.run", "asyncio.create_subprocess_exec()"),
	BLOCKS("subprocess.call", "asyncio.create_subprocess_exec()"),
	BLOCKS("subprocess.check_call", "asyncio.create_subprocess_exec()"),
	BLOCKS("subprocess.check_output", "asyncio.create_subprocess_exec()"),
	BLOCKS("subprocess.getoutput", "asyncio.create_subprocess_exec()"),
	BLOCKS("os.system", "asyncio.create_subprocess_exec()"),
	BLOCKS("os.popen", "asyncio.create_subprocess_exec()"),
	BLOCKS("os.waitpid", "asyncio's child watchers"),
	BLOCKS("socket.create_connection", "asyncio.open_connection()"),
	BLOCKS("socket.getaddrinfo", "loop.getaddrinfo()"),
	BLOCKS("socket.gethostbyname", "loop.getaddrinfo()"),
	BLOCKS("open", "asyncio.to_thread() or aiofiles"),
	BLOCKS("input", "asyncio.to_thread()"),
	BLOCKS("sqlite3.connect", "aiosqlite"),
	BLOCKS("psycopg2.connect", "psycopg's AsyncConnection or asyncpg"),
	BLOCKS("pymysql.connect", "aiomysql"),
	BLOCKS("MySQLdb.connect", "aiomysql"),
	BLOCKS("smtplib.SMTP", "aiosmtplib"),
	BLOCKS("shutil.copyfile", "asyncio.to_thread()"),
	BLOCKS("shutil.copytree", "asyncio.to_thread()"),
	BLOCKS("shutil.rmtree", "asyncio.to_thread()"),
};

enum { TYPES_MOST = 64, SLOTS = 2048, LAST_BITS = 1 << 14, NO_ROW = UINT16_MAX };
_Static_assert(COUNT(rows) < SLOTS / 2, "the table is too small");

/* Rows by name: a slot has the last row of its name, next[] the one before. */
static struct {
	uint16_t slots[SLOTS], next[COUNT(rows)];
	uint64_t last[LAST_BITS / 64]; /* hashes of last parts */
} known;
static pthread_once_t known_once = PTHREAD_ONCE_INIT;

static Str last_part(Str name)
{
	ptrdiff_t dot = str_rfind_char(name, '.');

	return dot < 0 ? name : str_sub(name, (size_t)dot + 1, name.len);
}

static uint16_t *slot_of(Str name)
{
	uint32_t i = (uint32_t)name_hash(name) % SLOTS;

	while (known.slots[i] != NO_ROW && !str_eq(rows[known.slots[i]].name, name))
		i = (i + 1) % SLOTS;
	return &known.slots[i];
}

static void learn(void)
{
	for (size_t i = 0; i < SLOTS; i++)
		known.slots[i] = NO_ROW;
	for (size_t i = COUNT(rows); i--;) {
		uint16_t *slot = slot_of(rows[i].name);
		uint64_t hash = name_hash(last_part(rows[i].name)) % LAST_BITS;

		known.next[i] = *slot;
		*slot = (uint16_t)i;
		known.last[hash / 64] |= 1ULL << hash % 64;
	}
}

static bool may_be_known(Str last)
{
	uint64_t hash = name_hash(last) % LAST_BITS;

	return known.last[hash / 64] >> hash % 64 & 1;
}

static void apply(Walk *w, uint32_t call, Str name)
{
	for (uint16_t i = *slot_of(name); i != NO_ROW; i = known.next[i])
		if (!rows[i].when || rows[i].when(w, call))
			smell_add(w, rows[i].id, call, 0, rows[i].text);
}

/* shell=True of a function that nobody knows. */
static void look_at_shell(Walk *w, uint32_t call, Str name)
{
	if (!str_starts(name, S("subprocess.")) &&
	    node_is(w->s, call_keyword(w->s, call, S("shell")), PY_TRUE))
		smell_add(w, SMELL_SHELL_COMMAND, call, 0,
		          S("a function that is called with shell=True"));
}

/* isinstance(x, basestring) */
static void look_at_instance(Walk *w, uint32_t call)
{
	static const Str gone[] = { S("basestring"), S("unicode"), S("long") };
	uint32_t type = call_nth(w->s, call, 1);

	for (uint32_t i = type;
	     type != SYNTAX_NONE && i < MIN(w->s->at[type].end, type + TYPES_MOST); i++)
		for (size_t k = 0; k < COUNT(gone); k++)
			if (w->s->at[i].kind == PY_IDENTIFIER &&
			    str_eq(syntax_text(w->s, i), gone[k]) && !names_meaning(w, gone[k]).len)
				smell_add(w, SMELL_PYTHON2_NAME, call, 0,
				          S("a type that Python 3 has not"));
}

void calls_look(Walk *w, uint32_t call)
{
	const Syntax *s = w->s;
	uint32_t function = syntax_child(s, call, PY_F_FUNCTION);
	Str verb = call_verb(s, call), name;
	char method[64];

	pthread_once(&known_once, learn);
	if (!verb.len)
		return;
	if (node_is(s, function, PY_IDENTIFIER)) {
		Str means = names_meaning(w, verb);

		name = means.len ? means : verb;
		if (str_eq(name, S("isinstance")))
			look_at_instance(w, call);
		if (may_be_known(last_part(name)))
			apply(w, call, name);
		look_at_shell(w, call, name);
		return;
	}
	if (!may_be_known(verb)) {
		look_at_shell(w, call, S(""));
		return;
	}
	name = names_qualify(w, function);
	if (name.len && *slot_of(name) != NO_ROW)
		apply(w, call, name);
	else if (verb.len < sizeof(method)) {
		method[0] = '.';
		__builtin_memcpy(method + 1, verb.at, verb.len);
		apply(w, call, (Str){ method, verb.len + 1 });
	}
	look_at_shell(w, call, name);
}
