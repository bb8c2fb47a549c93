/* SPDX-License-Identifier: Apache-2.0
 *
 * X-Accel-Redirect and X-Sendfile: an upstream names a file, and the gateway gives it. */
#pragma once
#include "gateway/passage.h"

/* Does p->answer name a file that its route lets it name? Does not park. */
bool sendfile_is_asked(const Passage *p);
/* The file instead of the answer's body. The call and the lease end before a byte of it is sent, unless the request is
 * still being sent. Fails with INTERNAL "gateway.sendfile" (the name is not below the route's folder), NOT_FOUND
 * "gateway.no_file", DENIED "gateway.file_denied", and as files_answer does. Parks. */
Err *sendfile_answer(Passage *p) MUST_USE;
