/* SPDX-License-Identifier: Apache-2.0
 *
 * What a text costs as an SMS (3GPP TS 23.038, 23.040). Pure. */
#pragma once
#include "base/str.h"

typedef struct SmsCount {
	bool unicode; /* UCS-2: at least one character is in neither of the GSM alphabet's tables */
	uint32_t units;    /* septets, or UTF-16 units */
	uint32_t segments; /* messages that are paid for; 0: the text is empty */
	uint32_t room;     /* units that the last one still has */
	Str odd; /* the first character that made it UCS-2, a view of the text; empty: none did */
} SmsCount;

/* Of UTF-8; what is none counts as U+FFFD. One message has 160 septets or 70 units, each of several 153 or 67, as a header takes the
 * rest; no escaped character and no pair of surrogates is cut in two. */
SmsCount sms_count(Str text);
