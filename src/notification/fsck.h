/* SPDX-License-Identifier: Apache-2.0
 *
 * What `banyan notification fsck` looks at. */
#pragma once
#include "service/service.h"

const ServiceCheck *notification_checks(size_t *count);
