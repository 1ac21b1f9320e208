/* What the column of facets holds: a number for each 'kind:value' of a tenant. Pure. */
#ifndef STORE_FACET_KEY_H
#define STORE_FACET_KEY_H

#include "model/trace.h"

/* As hashtextextended(text, tenant_id) of PostgreSQL, which recounts and sums use; the tenant is in
 * it so that one tenant's values are not looked for among another's. */
int64_t facet_key(int32_t tenant_id, struct bytes text);

/* Of the facet that stands for a value: 'kind:', and as much of the value as facets hold. */
int64_t facet_key_of(int32_t tenant_id, enum facet_kind kind, struct bytes value);

#endif
