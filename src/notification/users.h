/* SPDX-License-Identifier: Apache-2.0
 *
 * What the user service tells, and what becomes of it here: who is a recipient, and the mails that accounts need. */
#pragma once
#include "notification/channel.h"
#include "service/service.h"

typedef struct JobRun JobRun;
typedef struct NotificationState NotificationState;

const ServiceConsumer *users_consumers(size_t *count);
#define JOB_USER "notification.user"
Err *user_job(JobRun *run, void *arg); /* asks the user service what somebody's address is now */

/* Workflows and templates of those mails, where there are none yet. While the service begins. */
Err *users_begin(Db *db, Arena *a) MUST_USE;
/* Who asks for those mails. Codes are opened for such a notification only, in the texts of its template, and for the very address that the
 * code is closed for: who may read and send notifications has seen closed codes, and could have them opened into a mail of his own. */
#define USERS_AUTHOR "user"
/* Data of such a mail with its code opened and its link made: what templates see as `code` and `link`. Others are left as they are. Parks (a
 * worker reads the key). Fails with PRECONDITION "notification.user_key" when no key opens it. */
Err *users_open_code(const NotificationState *state, Arena *a, Str to, Str *data) MUST_USE;
