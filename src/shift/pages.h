/* SPDX-License-Identifier: Apache-2.0
 *
 * The shift's pages on the admin port. */
#pragma once
#include "http/admin.h"

const AdminPage *shift_pages(size_t *count);
