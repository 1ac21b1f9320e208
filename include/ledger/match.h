/*
 * Which model of the list a span's provider and model mean (docs/prices.md).
 * Inner room of ledger/prices. Pure.
 */
#ifndef LEDGER_MATCH_H
#define LEDGER_MATCH_H

#include "ledger/price_own.h"

struct match {
    uint32_t own_tenant; /* index of a group of own prices; PRICE_NONE: none, here and below */
    uint32_t own_global;
    uint32_t model; /* of the list */
};

/* False: nothing fits. */
bool match_find(const struct price_list *list, const struct price_own *own,
                const struct price_question *question, struct match *out_match);

#endif
