/* docs/instructions.md. See markdown.c. */
#ifndef ORACLE_MARKDOWN_H
#define ORACLE_MARKDOWN_H

#include <stdio.h>

#include "rows.h"

/* The features that the page names; false: there is no such page. */
bool markdown_features(const char *page, u8 has[X86_F_COUNT]);
/* rows_init(has) has been called. */
void markdown_print(FILE *f, const u8 has[X86_F_COUNT]);

#endif
