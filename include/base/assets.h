/* Files that are embedded at build (schema/embed.sh). */
#ifndef BASE_ASSETS_H
#define BASE_ASSETS_H

#include <stddef.h>

extern const char asset_openapi_yaml[]; /* docs/openapi.yaml */
extern const size_t asset_openapi_yaml_bytes;
extern const char asset_price_list[]; /* src/ledger/list.txt */
extern const size_t asset_price_list_bytes;
extern const char asset_price_overlay[]; /* src/ledger/overlay.txt */
extern const size_t asset_price_overlay_bytes;

#endif
