/* SPDX-License-Identifier: Apache-2.0
 *
 * Types of files: those that websites, uploads and downloads are made of, by the last part of the name, as registered with
 * IANA or, where nothing is, as browsers know them. Texts are said to be UTF-8: what else would be written today. A name
 * that is not here is "application/octet-stream", which no browser shows; so what a stranger uploaded does not become a page
 * of the site. Sorted, for a binary search. */
#include "gateway/files_type.h"

#include <stdlib.h>
#include <string.h>

enum { ENDING_BYTES = 12 };

typedef struct Row {
	char ending[ENDING_BYTES];
	const char *type;
	bool packed;
} Row;

static const Row rows[] = {
	{ "3gp", "video/3gpp", true },
	{ "7z", "application/x-7z-compressed", true },
	{ "aac", "audio/aac", true },
	{ "ai", "application/postscript", false },
	{ "apk", "application/vnd.android.package-archive", true },
	{ "apng", "image/apng", true },
	{ "appimage", "application/vnd.appimage", true },
	{ "asc", "text/plain; charset=utf-8", false },
	{ "atom", "application/atom+xml", false },
	{ "avi", "video/x-msvideo", true },
	{ "avif", "image/avif", true },
	{ "bin", "application/octet-stream", false },
	{ "bmp", "image/bmp", false },
	{ "br", "application/x-brotli", true },
	{ "bz2", "application/x-bzip2", true },
	{ "c", "text/plain; charset=utf-8", false },
	{ "cfg", "text/plain; charset=utf-8", false },
	{ "cjs", "text/javascript; charset=utf-8", false },
	{ "conf", "text/plain; charset=utf-8", false },
	{ "crt", "application/x-x509-ca-cert", false },
	{ "css", "text/css; charset=utf-8", false },
	{ "csv", "text/csv; charset=utf-8", false },
	{ "cur", "image/x-icon", false },
	{ "db", "application/vnd.sqlite3", false },
	{ "deb", "application/vnd.debian.binary-package", true },
	{ "der", "application/x-x509-ca-cert", false },
	{ "diff", "text/plain; charset=utf-8", false },
	{ "djv", "image/vnd.djvu", true },
	{ "djvu", "image/vnd.djvu", true },
	{ "dll", "application/vnd.microsoft.portable-executable", false },
	{ "dmg", "application/x-apple-diskimage", true },
	{ "doc", "application/msword", false },
	{ "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", true },
	{ "eot", "application/vnd.ms-fontobject", false },
	{ "eps", "application/postscript", false },
	{ "epub", "application/epub+zip", true },
	{ "exe", "application/vnd.microsoft.portable-executable", false },
	{ "flac", "audio/flac", true },
	{ "geojson", "application/geo+json", false },
	{ "gif", "image/gif", true },
	{ "glb", "model/gltf-binary", true },
	{ "gltf", "model/gltf+json", false },
	{ "gpx", "application/gpx+xml", false },
	{ "gz", "application/gzip", true },
	{ "h", "text/plain; charset=utf-8", false },
	{ "heic", "image/heic", true },
	{ "heif", "image/heif", true },
	{ "htm", "text/html; charset=utf-8", false },
	{ "html", "text/html; charset=utf-8", false },
	{ "ico", "image/x-icon", false },
	{ "ics", "text/calendar; charset=utf-8", false },
	{ "ini", "text/plain; charset=utf-8", false },
	{ "iso", "application/x-iso9660-image", false },
	{ "jar", "application/java-archive", true },
	{ "jfif", "image/jpeg", true },
	{ "jpe", "image/jpeg", true },
	{ "jpeg", "image/jpeg", true },
	{ "jpg", "image/jpeg", true },
	{ "js", "text/javascript; charset=utf-8", false },
	{ "json", "application/json", false },
	{ "jsonl", "application/x-ndjson", false },
	{ "jsonld", "application/ld+json", false },
	{ "jxl", "image/jxl", true },
	{ "kml", "application/vnd.google-earth.kml+xml", false },
	{ "log", "text/plain; charset=utf-8", false },
	{ "m2ts", "video/mp2t", true },
	{ "m3u8", "application/vnd.apple.mpegurl", false },
	{ "m4a", "audio/mp4", true },
	{ "m4v", "video/mp4", true },
	{ "map", "application/json", false },
	{ "markdown", "text/markdown; charset=utf-8", false },
	{ "md", "text/markdown; charset=utf-8", false },
	{ "mid", "audio/midi", false },
	{ "midi", "audio/midi", false },
	{ "mjs", "text/javascript; charset=utf-8", false },
	{ "mkv", "video/x-matroska", true },
	{ "mov", "video/quicktime", true },
	{ "mp3", "audio/mpeg", true },
	{ "mp4", "video/mp4", true },
	{ "mpd", "application/dash+xml", false },
	{ "mpeg", "video/mpeg", true },
	{ "mpg", "video/mpeg", true },
	{ "msi", "application/x-msi", false },
	{ "ndjson", "application/x-ndjson", false },
	{ "odg", "application/vnd.oasis.opendocument.graphics", true },
	{ "odp", "application/vnd.oasis.opendocument.presentation", true },
	{ "ods", "application/vnd.oasis.opendocument.spreadsheet", true },
	{ "odt", "application/vnd.oasis.opendocument.text", true },
	{ "oga", "audio/ogg", true },
	{ "ogg", "audio/ogg", true },
	{ "ogv", "video/ogg", true },
	{ "opus", "audio/ogg", true },
	{ "otf", "font/otf", false },
	{ "patch", "text/plain; charset=utf-8", false },
	{ "pdf", "application/pdf", true },
	{ "pem", "application/x-x509-ca-cert", false },
	{ "pkpass", "application/vnd.apple.pkpass", true },
	{ "png", "image/png", true },
	{ "ppt", "application/vnd.ms-powerpoint", false },
	{ "pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	  true },
	{ "ps", "application/postscript", false },
	{ "psd", "image/vnd.adobe.photoshop", false },
	{ "py", "text/plain; charset=utf-8", false },
	{ "rar", "application/vnd.rar", true },
	{ "rpm", "application/x-rpm", true },
	{ "rss", "application/rss+xml", false },
	{ "rtf", "application/rtf", false },
	{ "sh", "text/plain; charset=utf-8", false },
	{ "shtml", "text/html; charset=utf-8", false },
	{ "sig", "application/pgp-signature", false },
	{ "sql", "application/sql", false },
	{ "sqlite", "application/vnd.sqlite3", false },
	{ "srt", "application/x-subrip", false },
	{ "stl", "model/stl", false },
	{ "svg", "image/svg+xml", false },
	{ "tar", "application/x-tar", false },
	{ "text", "text/plain; charset=utf-8", false },
	{ "tgz", "application/gzip", true },
	{ "tif", "image/tiff", false },
	{ "tiff", "image/tiff", false },
	{ "toml", "text/plain; charset=utf-8", false },
	{ "torrent", "application/x-bittorrent", false },
	{ "ts", "video/mp2t", true },
	{ "tsv", "text/tab-separated-values; charset=utf-8", false },
	{ "ttc", "font/collection", false },
	{ "ttf", "font/ttf", false },
	{ "txt", "text/plain; charset=utf-8", false },
	{ "vcf", "text/vcard; charset=utf-8", false },
	{ "vtt", "text/vtt; charset=utf-8", false },
	{ "war", "application/java-archive", true },
	{ "wasm", "application/wasm", false },
	{ "wav", "audio/wav", false },
	{ "weba", "audio/webm", true },
	{ "webm", "video/webm", true },
	{ "webmanifest", "application/manifest+json", false },
	{ "webp", "image/webp", true },
	{ "woff", "font/woff", true },
	{ "woff2", "font/woff2", true },
	{ "xhtml", "application/xhtml+xml", false },
	{ "xls", "application/vnd.ms-excel", false },
	{ "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", true },
	{ "xml", "application/xml", false },
	{ "xsd", "application/xml", false },
	{ "xsl", "application/xml", false },
	{ "xslt", "application/xslt+xml", false },
	{ "xz", "application/x-xz", true },
	{ "yaml", "text/plain; charset=utf-8", false },
	{ "yml", "text/plain; charset=utf-8", false },
	{ "zip", "application/zip", true },
	{ "zst", "application/zstd", true },
};

static int compare(const void *key, const void *row)
{
	return strcmp(key, ((const Row *)row)->ending);
}

FileType file_type(Str path)
{
	ptrdiff_t dot = str_rfind_char(path, '.'), slash = str_rfind_char(path, '/');
	Str ending = dot > slash ? str_sub(path, (size_t)dot + 1, path.len) : S("");
	char lower[ENDING_BYTES] = "";
	const Row *row = NULL;

	if (ending.len < sizeof lower) {
		for (size_t i = 0; i < ending.len; i++)
			lower[i] = ending.at[i] >= 'A' && ending.at[i] <= 'Z'
			                   ? (char)(ending.at[i] | 0x20)
			                   : ending.at[i];
		row = bsearch(lower, rows, COUNT(rows), sizeof *rows, compare);
	}
	return row ? (FileType){ str_of(row->type), row->packed }
	           : (FileType){ S("application/octet-stream"), false };
}
