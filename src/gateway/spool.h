/* SPDX-License-Identifier: Apache-2.0
 *
 * Spool: bytes of one body, held for a side that is slow. The newest are in memory, what came before them is in a file
 * that has no name, so that nothing of it is left when the process is killed. One fiber puts and one takes, on one loop;
 * disks are waited for on worker threads. In place in whatever owns it; all zero is a spool that never began. */
#pragma once
#include "base/buf.h"
#include "obs/metric.h"
#include "rt/fiber.h"

typedef struct SpoolRules {
	Str dir;       /* borrowed while the spool lives */
	size_t memory; /* bytes that are held in memory, but for the piece that was put last */
	uint64_t file; /* and in a file; 0: none */
	uint64_t max;  /* bytes of the files of all spools together; 0: no limit */
} SpoolRules;

typedef enum SpoolSide { SPOOL_REQUEST, SPOOL_ANSWER, SPOOL_SIDES } SpoolSide;

typedef struct Spool {
	SpoolRules rules;
	SpoolSide side;
	Buf filling; /* the newest bytes */
	Buf reading; /* what is being given out, from read_at on */
	size_t read_at;
	size_t counted;      /* of both, in the gauge */
	int fd;              /* -1: none */
	uint64_t begin, end; /* the file holds these bytes, those from 0 on taken */
	uint64_t size;       /* of the file */
	Fiber *putter;       /* waits for room */
	Fiber *taker;        /* waits for bytes */
	Err *err;            /* what the taker hears after the last byte */
	bool begun;
	bool spilling; /* a worker has `filling` */
	bool last;     /* nothing more will be put */
	bool stuck;    /* the file takes no more */
	bool short_of; /* room was missing, and that was counted */
} Spool;

void spool_begin(Spool *s, const SpoolRules *rules, SpoolSide side);
void spool_end(
	Spool *s); /* no fiber may be at it. Parks, shielded, while a large file goes; fine when never begun */
void spool_too_large(void); /* a body that is not even begun to be held: counted */

/* Takes a copy, whatever its size. Does not park: spool_settle is to follow. */
void spool_add(Spool *s, Str piece);
/* Moves what is too much for memory to the file. Parks. Never fails but with what parks fail with: where the file cannot
 * take it, it stays in memory, the reason is counted and the spool is full. */
Err *spool_settle(Spool *s) MUST_USE;
bool spool_is_full(const Spool *s); /* more is held in memory than should be */
/* Parks until so many more bytes fit into memory, `us` at most (NULL then, too); 0: no limit. */
Err *spool_wait_room(Spool *s, size_t bytes, int64_t us) MUST_USE;
void spool_finish(Spool *s,
                  Err *err); /* nothing more is put; err is for the taker, NULL: all is well */
void spool_resume(Spool *s); /* the taker has heard of it: more is put after all */
bool spool_is_drained(const Spool *s); /* the taker has all and waits */

/* The next bytes, good until the next call and gone from the spool; empty: the end. Parks. Fails with IO "gateway.spool"
 * (they could not be read back), and with what finish was given. */
Err *spool_take(Spool *s, Str *piece) MUST_USE;
bool spool_has(const Spool *s); /* it would give some, perhaps of the file */
/* Bytes from the at-th on, good until the next call; empty: there are no more. They stay. Parks when they are in the file;
 * fails with IO "gateway.spool". For spools that nothing is taken from. */
Err *spool_look(Spool *s, uint64_t at, Str *piece) MUST_USE;
uint64_t spool_bytes(const Spool *s); /* held now */
Str spool_memory(const Spool *s);     /* those of them that are in memory, the newest */
uint64_t spool_file_bytes(void);      /* of all files; any thread */

MetricList spool_metrics;
