/* Decompression of request bodies with a cap on what comes out (OTLP-25..30). */
#ifndef WIRE_INFLATE_H
#define WIRE_INFLATE_H

#include "base/bytes.h"

enum inflate_coding { INFLATE_IDENTITY, INFLATE_GZIP, INFLATE_ZSTD };

/* Reads a Content-Encoding or grpc-encoding value: empty, identity, gzip, x-gzip, zstd, any case.
 * Others, also lists: ERR_UNSUPPORTED that names the good ones. */
MUST_CHECK bool inflate_coding_of(struct bytes header, enum inflate_coding *out_coding,
                                  struct err *err);

/* State of the libraries, kept for reuse by one thread. */
struct inflater;
struct inflater *inflater_new(void); /* NULL: no memory */
void inflater_free(struct inflater *inflater);

/*
 * Appends the decompressed body to out (cleared by the caller, whose max is the cap). All members
 * of a gzip stream and all frames of a zstd one. Fails with ERR_BAD_INPUT (corrupt, cut short,
 * trailing bytes, wrong checksum or size), ERR_TOO_LARGE as soon as the cap is passed (bombs).
 */
MUST_CHECK bool inflater_run(struct inflater *inflater, enum inflate_coding coding,
                             struct bytes body, struct buf *out, struct err *err);

#endif
