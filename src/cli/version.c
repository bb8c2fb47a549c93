/* SPDX-License-Identifier: Apache-2.0
 *
 * Versions of the libraries are asked at run time: what is loaded counts, not what the headers said. */
#include "cli/cli.h"

#include "base/json.h"

#include "build_info.h"

#include <ares.h>
#include <brotli/decode.h>
#include <jansson.h>
#include <nghttp2/nghttp2.h>
#include <openssl/crypto.h>
#include <yaml.h>
#include <zlib.h>
#include <zstd.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

typedef const char *VersionOf(void);

static const char *version_of_openssl(void)
{
	return OpenSSL_version(OPENSSL_VERSION_STRING);
}

static const char *version_of_nghttp2(void)
{
	return nghttp2_version(0)->version_str;
}

static const char *version_of_cares(void)
{
	return ares_version(NULL);
}

static const char *version_of_pcre2(void)
{
	static char text[64]; /* as PCRE2 asks for; written before threads */

	return pcre2_config(PCRE2_CONFIG_VERSION, text) > 0 ? text : "unknown";
}

static const char *version_of_brotli(void)
{
	static char text[16]; /* written before threads */
	uint32_t version = BrotliDecoderVersion();

	(void)snprintf(text, sizeof text, "%u.%u.%u", version >> 24, version >> 12 & 0xfff,
	               version & 0xfff);
	return text;
}

static const struct {
	const char *name;
	VersionOf *version;
} libraries[] = {
	{ "openssl", version_of_openssl },
	{ "nghttp2", version_of_nghttp2 },
	{ "c-ares", version_of_cares },
	{ "libyaml", yaml_get_version_string },
	{ "jansson", jansson_version_str },
	{ "pcre2", version_of_pcre2 },
	{ "zlib", zlibVersion },
	{ "brotli", version_of_brotli },
	{ "zstd", ZSTD_versionString },
};

static void put_json(JsonWriter *w)
{
	json_begin_object(w);
	json_put_str(w, "version", S(BANYAN_VERSION));
	json_put_str(w, "commit", S(BANYAN_COMMIT));
	json_put_str(w, "compiler", S(__VERSION__));
	json_key(w, S("libraries"));
	json_begin_object(w);
	for (size_t i = 0; i < COUNT(libraries); i++)
		json_put_str(w, libraries[i].name, str_of(libraries[i].version()));
	json_end(w);
	json_end(w);
}

Err *cli_version(Cmd *cmd)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Str text;

	if (cmd->json) {
		put_json(&w);
		TRY(json_done(&w, &text));
		fprintf(cmd->out, "%.*s\n", STR_ARG(text));
		return NULL;
	}
	fprintf(cmd->out, "banyan %s (%s)\n", BANYAN_VERSION, BANYAN_COMMIT);
	fprintf(cmd->out, "  %-10s %s\n", "compiler", __VERSION__);
	for (size_t i = 0; i < COUNT(libraries); i++)
		fprintf(cmd->out, "  %-10s %s\n", libraries[i].name, libraries[i].version());
	return NULL;
}
