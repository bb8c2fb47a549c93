/* SPDX-License-Identifier: Apache-2.0
 *
 * A frame's head has two to ten bytes, and a client's four more for the mask. */
#include "load/frame.h"

#include "base/arena.h"
#include "base/rand.h"

#include <openssl/evp.h>
#include <string.h>

void frame_put(Buf *out, FrameKind kind, Str payload)
{
	uint8_t mask[4];
	uint64_t bits = rand_u64();
	unsigned bytes = payload.len < 126 ? 0 : payload.len < 65536 ? 2 : 8;

	memcpy(mask, &bits, sizeof mask);
	buf_putc(out, (char)(0x80 | kind));
	buf_putc(out, (char)(0x80 | (bytes == 0 ? payload.len : bytes == 2 ? 126 : 127)));
	while (bytes--)
		buf_putc(out, (char)((uint64_t)payload.len >> (8 * bytes)));
	buf_put(out, (Str){ (const char *)mask, sizeof mask });
	for (size_t i = 0; i < payload.len; i++)
		buf_putc(out, (char)((uint8_t)payload.at[i] ^ mask[i % 4]));
}

static bool is_known(unsigned kind)
{
	return kind <= FRAME_BINARY || (kind >= FRAME_CLOSE && kind <= FRAME_PONG);
}

int frame_head(Str bytes, Frame *out)
{
	unsigned first, len, more;

	if (bytes.len < 2)
		return 0;
	first = (uint8_t)bytes.at[0];
	len = (uint8_t)bytes.at[1];
	if ((first & 0x70) || (len & 0x80) || !is_known(first & 0x0f))
		return -1;
	more = len < 126 ? 0 : len == 126 ? 2 : 8;
	if (bytes.len < 2 + more)
		return 0;
	*out = (Frame){ .kind = (FrameKind)(first & 0x0f),
		        .last = first & 0x80,
		        .len = more ? 0 : len };
	for (unsigned i = 0; i < more; i++)
		out->len = out->len << 8 | (uint8_t)bytes.at[2 + i];
	return (int)(2 + more);
}

static Str base64(Arena *a, const void *bytes, int len)
{
	char *out = arena_alloc(a, (size_t)(len + 2) / 3 * 4 + 1);

	return (Str){ out, (size_t)EVP_EncodeBlock((unsigned char *)out, bytes, len) };
}

Str frame_accept(Arena *a, Str key)
{
	Str text = str_fmt(a, "%.*s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", STR_ARG(key));
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (!EVP_Digest(text.at, text.len, digest, &len, EVP_sha1(), NULL))
		return S("");
	return base64(a, digest, (int)len);
}

Str frame_key(Arena *a)
{
	uint64_t bits[2] = { rand_u64(), rand_u64() };

	return base64(a, bits, sizeof bits);
}
