/* SPDX-License-Identifier: ISC */
/*
 * Sums of quantities per asset, exact and bounded (CONTROL_TOTALS_MAX), to be
 * compared with what a header declares (domain: message types).
 */
#ifndef MUHUR_DOCUMENT_TOTALS_H
#define MUHUR_DOCUMENT_TOTALS_H

#include <libxml/xmlstring.h>
#include <stddef.h>

#include "model/header.h"
#include "model/reason.h"

struct totals;
struct totals *totals_new(void);
void totals_free(struct totals *t);
/* 0, or -1 where asset or quantity (may be NULL) are not in their form.  Too
 * many assets or a sum out of range are remembered for totals_compare. */
int  totals_add(struct totals *t, const xmlChar *asset, size_t asset_len,
    const xmlChar *quantity, size_t quantity_len);
/* Adds a CONTROL_TOTAL reason for each asset that differs, up to a few. */
void totals_compare(const struct totals *t, const struct control_total *declared, size_t n,
    struct reasons *rs);

#endif
