/* Content and ledger of a span. */
#include "read/render_content.h"

#include "read/amounts.h"

static void ledger_member(struct json *j, const struct stored_span *span)
{
    const struct meaning *m = span->meaning;

    json_key(j, "ledger");
    if (!m) {
        json_null(j);
        return;
    }
    json_open(j, '{');
    json_key(j, "usage_rule");
    json_cstr(j, usage_rule_name(m->usage.rule));
    json_key(j, "usage_reason");
    json_cstr(j, usage_rule_text(m->usage.rule));
    json_key(j, "billing_reason");
    json_cstr(j, billing_reason_name(span->billing.reason));
    json_key(j, "billing_text");
    json_cstr(j, billing_reason_text(span->billing.reason));
    json_close(j, '}');
}

bool render_content_members(struct renderer *r, const struct stored_span *span, struct err *err)
{
    struct json *j = &r->j;

    (void)err;
    json_key(j, "parameters");
    json_raw(j, BYTES_LITERAL("{}"));
    json_key(j, "metadata");
    json_raw(j, BYTES_LITERAL("{}"));
    json_key(j, "input");
    json_null(j);
    json_key(j, "output");
    json_null(j);
    json_key(j, "messages");
    json_raw(j, BYTES_LITERAL("[]"));
    ledger_member(j, span);
    return true;
}
