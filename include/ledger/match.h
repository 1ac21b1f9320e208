/*
 * Which model of the list a span's provider and model mean (docs/prices.md).
 * Inner room of ledger/prices. Pure.
 */
#ifndef LEDGER_MATCH_H
#define LEDGER_MATCH_H

#include "ledger/price_own.h"

/* Longer names are those of no model and no provider. */
#define MATCH_MAX_NAME 256

struct match {
    uint32_t own_tenant; /* index of a group of own prices; PRICE_NONE: none, here and below */
    uint32_t own_global;
    uint32_t model; /* of the list */
};

/* False: nothing fits. */
bool match_find(const struct price_list *list, const struct price_own *own,
                const struct price_question *question, struct match *out_match);

enum match_provider_kind {
    MATCH_PROVIDER_UNKNOWN, /* none sent, or a framework's name */
    MATCH_PROVIDER_LISTED,
    MATCH_PROVIDER_UNLISTED, /* a name of somebody that the list has no prices of */
    MATCH_PROVIDER_OTHER,    /* a name that nobody knows */
};

/* name: in lower case, trimmed; out_index of a LISTED one. */
enum match_provider_kind match_provider(const struct price_list *list, struct bytes name,
                                        uint32_t *out_index);

/* Lower case without spaces around it, in to; empty when it is longer than MATCH_MAX_NAME. */
struct bytes match_lower(struct bytes text, uint8_t to[MATCH_MAX_NAME]);

#endif
