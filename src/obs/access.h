/* SPDX-License-Identifier: Apache-2.0
 *
 * Access records: one line a request, as JSON with the field names of the Elastic Common Schema or as text for people.
 *
 * A record is written into its loop's own buffer; a thread of the log takes full buffers to the file. The loop never waits
 * for the file: when both its buffers are full the record is dropped and counted. */
#pragma once
#include "base/err.h"
#include "obs/metric.h"

typedef enum AccessFormat {
	ACCESS_JSON,
	ACCESS_TEXT,
	ACCESS_AUTO, /* text on a terminal, else JSON */
} AccessFormat;
/* What becomes of query strings, in the target and in the referrer: they may hold secrets. */
typedef enum AccessQuery {
	ACCESS_QUERY_REDACT, /* values of parameters whose name sounds like a secret become "***" */
	ACCESS_QUERY_KEEP,
	ACCESS_QUERY_DROP,
} AccessQuery;

/* Everything is borrowed until the call returns; empty, zero: left out. Strings are cut at 2 KiB. */
typedef struct AccessRecord {
	int64_t start_us;   /* UTC, when the first byte of the request came */
	int64_t took_us;    /* to the last byte of the answer */
	int64_t connect_us; /* of it, to get a connection to the server; -1: none was needed */
	int64_t head_us;    /* from sending the request to the answer's head; -1: none came */
	uint64_t bytes_in;  /* of bodies */
	uint64_t bytes_out;
	Str client; /* address of the client, as trusted proxies tell */
	Str peer;   /* address of the connection; left out when it is the client's */
	uint16_t client_port;
	uint16_t status;  /* 0: none was sent */
	uint8_t version;  /* 10, 11, 20 */
	uint8_t attempts; /* servers that were tried */
	bool tls;
	bool reused;                   /* the upstream connection had been used before */
	bool cancelled;                /* the client left first */
	Str method, host, path, query; /* host without the port; query without "?" */
	Str user_agent, referer, request_id;
	Str trace_id, span_id; /* hexadecimal: the trace, and the span that servers were told of */
	Str user;              /* who it was proved to be from */
	Str route, upstream, server;
	Str error;   /* slug */
	Str message; /* what went wrong, and why, in words */
} AccessRecord;

typedef struct AccessLogConf {
	Str path; /* a file to append to (0640); empty: `fd`, which stays the caller's (it is duplicated) */
	int fd;
	AccessFormat format;
	AccessQuery query;
} AccessLogConf;

typedef struct AccessLog AccessLog;
typedef struct AccessLane AccessLane; /* one thread's way into a log */

enum {
	ACCESS_BUFFER_BYTES = 256 << 10, /* two of them a lane */
	ACCESS_TICK_MS = 200,
	ACCESS_CLOSE_MS = 3000,
};

/* Opens the file and starts the writer. Blocks on the disk. Fails with "access.open" (kind by errno). */
Err *access_open(Arena *a, const AccessLogConf *conf, AccessLog **out) MUST_USE;
/* Writes what all lanes still hold and frees log and lanes; waits ACCESS_CLOSE_MS at most (a file that takes nothing is
 * left to the log's thread). Blocks: at exit, or on a worker. No lane may be in use any more. NULL is fine. */
void access_close(AccessLog *log);
/* The file is opened anew by its path (it was renamed by whoever rotates); nothing is lost or written twice. Blocks on the
 * disk. The old file goes on when that fails. Fine, and nothing, without a path. Any thread. */
Err *access_reopen(Arena *a, AccessLog *log) MUST_USE;

AccessLane *access_lane(AccessLog *log) RETURNS_NONNULL; /* any thread; lives as long as the log */
/* One record. This lane's thread only; never blocks, does not allocate. */
void access_write(AccessLane *lane, const AccessRecord *record);
/* Hands over what has waited. The owner of the lane calls it at least every ACCESS_TICK_MS from a timer, on its thread.
 * True: the writer was still busy and something waits: call again, though no record may come. */
bool access_tick(AccessLane *lane);

/* The line itself, "\n" included: at most `room` bytes at `into`; 0 when it does not fit. */
enum { ACCESS_LINE_BYTES = 96 << 10 }; /* always enough */
size_t access_put_json(char *into, size_t room, const AccessRecord *record, AccessQuery query);
size_t access_put_text(char *into, size_t room, const AccessRecord *record, AccessQuery query);

typedef struct AccessStats {
	uint64_t records; /* given to access_write */
	uint64_t dropped; /* of them, never written */
	uint64_t bytes;   /* written */
} AccessStats;
AccessStats access_stats(void); /* all logs, since the start */
MetricList access_metrics;
