/* SPDX-License-Identifier: Apache-2.0
 *
 * What a file is, by the end of its name. */
#pragma once
#include "base/str.h"

typedef struct FileType {
	Str type;    /* of Content-Type */
	bool packed; /* compressed by itself: no FILE.br or FILE.gz is looked for */
} FileType;

/* Any case; "application/octet-stream" for what is not known. */
FileType file_type(Str path);
