/* SPDX-License-Identifier: Apache-2.0
 *
 * What comes back: delivery status notifications (RFC 3464), complaints (RFC 5965), and the addresses that they come to, which say of
 * which mail they speak (VERP). Pure. */
#pragma once
#include "base/str.h"
#include "base/uuid.h"

typedef enum BounceKind {
	BOUNCE_NONE,      /* a mail like any other */
	BOUNCE_DELIVERED, /* it arrived, or was handed on */
	BOUNCE_DELAYED,   /* still being tried */
	BOUNCE_SOFT,      /* failed, for reasons that pass */
	BOUNCE_HARD,      /* failed for good: this address takes nothing */
	BOUNCE_COMPLAINT, /* its reader called it spam */
} BounceKind;
const char *bounce_kind_name(BounceKind kind);

typedef struct BounceRow {
	BounceKind kind;
	Str address;    /* Original-Recipient, else Final-Recipient; may be empty */
	Str status;     /* "5.1.1" */
	Str diagnostic; /* for people, one line */
} BounceRow;

enum { BOUNCE_ROWS = 32 };
typedef struct Bounce {
	Str message_id; /* of the mail that it is about, without brackets; may be empty */
	BounceRow rows[BOUNCE_ROWS];
	size_t count;
} Bounce;
/* False: it is none (an out-of-office note, a person's answer). */
bool bounce_read(Arena *a, Str message, Bounce *out);
/* By an SMTP status ("5.2.2") and reply: what it means for the address. code 4xx is soft; 5xx is hard where it speaks of the address. */
BounceKind bounce_of_status(unsigned code, Str status);

/* "bounces@mail.shop.example" and a delivery become "bounces+018f3c1e...-1a2b3c4d5e6f@mail.shop.example"; the second half is a MAC, so that a stranger cannot
 * bounce others' mails. */
Str verp_make(Arena *a, Str base, Uuid id, Str secret);
bool verp_read(Str address, Str base, Str secret, Uuid *id);
