/* SPDX-License-Identifier: Apache-2.0
 *
 * Mails to one mail server over connections that are kept: so many at once on all loops together, so many mails each, closed when
 * nobody needs them; and for some domains of recipients fewer at once than that. */
#pragma once
#include "notification/smtp_client.h"

typedef struct SmtpPool SmtpPool;

typedef struct SmtpDomainLimit {
	Str domain; /* of recipients, compared without case */
	uint32_t at_once;
} SmtpDomainLimit;

typedef struct SmtpPoolConf {
	SmtpPlace place;
	uint32_t connections; /* 0: 10 */
	uint32_t mails;       /* of one connection; 0: 100 */
	int64_t idle_us;      /* 0: 30 s */
	const SmtpDomainLimit *domains;
	size_t domain_count;
} SmtpPoolConf;

/* Lives as long as the arena; smtp_pool_close before that. */
SmtpPool *smtp_pool_new(Arena *a, const SmtpPoolConf *conf) RETURNS_NONNULL;
void smtp_pool_close(SmtpPool *pool); /* nobody sends any more; parks */
/* One mail, on a connection that is there or a new one. What became of it stands in mail->to, also when this fails (as smtp_open and
 * smtp_send do: then nothing was taken unless `fate` says otherwise). Parks. */
Err *smtp_pool_send(SmtpPool *pool, Arena *a, SmtpMail *mail) MUST_USE;

typedef struct SmtpPoolStats {
	uint64_t opened, reused,
		failed; /* connections; mails on one that was there; connections that could not be had */
	uint32_t inside;
} SmtpPoolStats;
SmtpPoolStats smtp_pool_stats(SmtpPool *pool);
