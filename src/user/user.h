/* SPDX-License-Identifier: Apache-2.0
 *
 * The user service: its row for main. */
#pragma once

#include <stddef.h>

typedef struct Service Service;

const Service *user_service(void);
const struct ServiceCheck *user_checks(size_t *count); /* of `banyan user fsck` */
