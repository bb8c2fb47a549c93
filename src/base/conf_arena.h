/* SPDX-License-Identifier: Apache-2.0
 *
 * For checks that make something of what was read. */
#pragma once
#include "base/conf.h"

Arena *conf_arena(const Conf *conf) RETURNS_NONNULL; /* where its values are */
