/* SPDX-License-Identifier: Apache-2.0
 *
 * Check: what must be true of all that is kept, for `banyan analytics fsck`. */
#pragma once
#include "analytics/analytics_int.h"

const ServiceCheck *analytics_checks(size_t *count);
