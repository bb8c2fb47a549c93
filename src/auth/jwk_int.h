/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenSSL's algorithms, fetched once: a fetch by name for each signature costs as much as an HMAC. */
#pragma once
#include <openssl/types.h>

typedef struct JwsEvp {
	EVP_MD *sha[3]; /* 256, 384, 512 */
	EVP_MAC *hmac;
} JwsEvp;

const JwsEvp *jws_evp(void);
