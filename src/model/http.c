/* Requests and responses. */
#include "model/http.h"

#define GRPC_DETAILS_MAX_BYTES                                                                     \
    4096 /* what fits, base64-encoded, into the 8 KiB of headers that gRPC clients take */

struct bytes http_request_header(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (bytes_is(request->headers[i].name, name))
            return request->headers[i].value;
    return (struct bytes){0};
}

void http_response_init(struct http_response *response, size_t max_body_bytes)
{
    *response = (struct http_response){.status = 200};
    buf_init(&response->body, max_body_bytes);
    buf_init(&response->grpc_details, GRPC_DETAILS_MAX_BYTES);
}

void http_response_done(struct http_response *response)
{
    buf_done(&response->body);
    buf_done(&response->grpc_details);
}
