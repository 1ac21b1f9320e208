/* Files that are embedded at build (schema/embed.sh). */
#ifndef BASE_ASSETS_H
#define BASE_ASSETS_H

#include <stddef.h>

extern const char asset_openapi_yaml[]; /* docs/openapi.yaml */
extern const size_t asset_openapi_yaml_bytes;

#endif
