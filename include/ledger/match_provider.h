/* Names as senders write them, and which provider of the list they mean (docs/prices.md). Inner room
 * of ledger/prices. Pure. */
#ifndef LEDGER_MATCH_PROVIDER_H
#define LEDGER_MATCH_PROVIDER_H

#include "ledger/price_list.h"

/* Longer names are those of no model and no provider. */
#define MATCH_MAX_NAME 256

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
