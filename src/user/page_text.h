/* SPDX-License-Identifier: Apache-2.0
 *
 * What pages say, in every language they speak. */
#pragma once
#include "base/str.h"

typedef enum PageLanguage { PAGE_EN, PAGE_DE, PAGE_LANGUAGES } PageLanguage;

Str page_language_tag(PageLanguage language); /* "en" */
/* The first of ui_locales ("de-CH en") that there is, else what Accept-Language likes best, else English. */
PageLanguage page_language(Str locales, Str accept);
/* The empty view: there is no such text. Every text is there in every language. */
Str page_text(Str key, PageLanguage language);
