/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "service/home_int.h"

/* The service's API as an OpenAPI 3.1 document, out of its route table. */
void openapi_put(Buf *b, const Home *home);
