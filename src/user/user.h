/* SPDX-License-Identifier: Apache-2.0
 *
 * The user service: its row for main. */
#pragma once

typedef struct Service Service;

const Service *user_service(void);
