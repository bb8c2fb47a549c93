/* SPDX-License-Identifier: Apache-2.0
 *
 * What the admin port gives to those who log people in at a provider (http/admin_openid.h). */
#pragma once
#include "base/err.h"

typedef struct AdminOpenidConf AdminOpenidConf;

/* Keeps a copy of conf in `lasting`, which is that of the open port, and reads the certificates it names: blocks. `run` is
 * for the error: that of tls_client_new. */
Err *admin_openid_begin(Arena *lasting, Arena *run, const AdminOpenidConf *conf) MUST_USE;
void admin_openid_end(void); /* fine when it never began */
