/* What the recorded applications really said is found in the messages of their spans. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "genai/read.h"
#include "otlp/decode.h"
#include "otlp/logs.h"
#include "support/doc.h"
#include "support/fixture.h"
#include "support/genai_case.h"

#define ROOM ((size_t)1 << 30)

static struct arena arena;

static struct span_array spans_of(const struct fixture_body *body)
{
    static const struct otlp_limits limits = {.max_depth = 64, .max_attributes = 1000};
    struct span_array spans = {0};
    struct err err = {0};

    if (!(body->json ? otlp_from_json : otlp_from_protobuf)(body->body, &limits, &arena, &spans,
                                                            &err))
        fail_msg("%s: %s", body->name, err.text);
    return spans;
}

static enum observation type_of(const struct span *span)
{
    struct findings findings;
    struct meaning meaning;
    struct err err = {0};

    if (!genai_find(span, FIND_FACTS, &arena, &findings, &err) ||
        !genai_read(&findings, NULL, &meaning, &err))
        fail_msg("%s", err.text);
    return meaning.observation;
}

/* "user: hi | assistant: call f {"a":1} c1 | tool: result 42 c1"; long texts are cut. */
static void render_part(struct buf *out, const struct doc *part)
{
    const char *type = doc_at(part, "type", NULL);
    const struct doc *inner;

    if (strcmp(type, "text") == 0) {
        buf_printf(out, " %.40s", doc_at(part, "content", NULL));
    } else if (strcmp(type, "tool_call") == 0) {
        inner = doc_get(part, "arguments");
        buf_printf(out, " call %s %s %s", doc_at(part, "name", NULL),
                   inner ? doc_sorted(&arena, inner) : "-", doc_at(part, "id", NULL));
    } else if (strcmp(type, "tool_call_response") == 0) {
        inner = doc_get(part, "response");
        buf_printf(out, " result %s %s", inner ? doc_sorted(&arena, inner) : "-",
                   doc_at(part, "id", NULL));
    } else {
        buf_printf(out, " %s", type);
    }
}

static const char *rendered(struct bytes messages)
{
    __attribute__((cleanup(buf_done))) struct buf out = {.max = 1 << 20};
    const struct doc *list = doc_parse(&arena, messages);
    const struct doc *message;
    const struct doc *part;

    DOC_EACH(i, message, list)
    {
        buf_printf(&out, "%s%s:", i > 0 ? " | " : "", doc_at(message, "role", NULL));
        DOC_EACH(k, part, doc_get(message, "parts"))
        {
            render_part(&out, part);
        }
    }
    return (const char *)arena_copy(&arena, buf_bytes(&out)).at;
}

/* Line breaks as spaces: a line is a span. */
static const char *line_of(const struct fixture_body *body, const struct span *span,
                           enum observation type, struct bytes messages)
{
    char id[17] = "";
    const char *text = rendered(messages);
    char *line;

    text_hex(span->span_id, id);
    line = (char *)(uintptr_t)arena_printf(&arena, "%s\t%s\t%s\t%s", body->name, id,
                                           observation_name(type), text ? text : "");
    for (char *at = line; *at; at++)
        if (*at == '\n')
            *at = ' ';
    return line;
}

/* ---- every message of every recording ---- */

struct lines {
    const char *text; /* of the file */
    const char *fixture;
    size_t found;
    size_t wanted;
};

static void must_be_listed(const struct fixture_body *body, void *context)
{
    struct lines *lines = context;
    const struct span_array spans = spans_of(body);

    for (size_t i = 0; i < spans.count; i++) {
        const struct span *span = &spans.items[i];
        const enum observation type = type_of(span);
        const struct content content = case_content(&arena, body->name, span, type);
        const char *line;

        if (content.messages.len == 0)
            continue;
        line = line_of(body, span, type, content.messages);
        if (getenv("SHOW_MESSAGES"))
            printf("%s\n", line);
        else if (!strstr(lines->text, arena_printf(&arena, "\n%s\n", line)))
            fail_msg("not in messages.tsv:\n%s", line);
        lines->found++;
    }
}

static void every_recorded_conversation_is_found(void **state)
{
    struct lines lines = {
        .text = (const char *)fixture_file(&arena, "../messages.tsv").at,
    };

    (void)state;
    for (const char *at = lines.text; *at; at++)
        lines.wanted += *at == '\n' && at[1] != '#' && at[1] != '\0';
    (void)fixture_each(&arena, NULL, must_be_listed, &lines);
    if (!getenv("SHOW_MESSAGES"))
        assert_int_equal(lines.found, lines.wanted);
}

/* ---- what was said is not lost ---- */

/* What the applications of the recordings say and hear (their meta.json). */
static const char *const said[] = {
    "How is the weather in Oslo?",
    "What is the weather in Oslo?",
    "Weather in Oslo?",
    "And in Bergen?",
    "Oslo is sunny today",
    "FAIL429",
    "FAIL500",
    "You are a weather assistant",
    "You are a terse weather bot",
};

struct told {
    size_t texts;
    size_t ids;
};

static void must_be_told(const char *where, const struct value *value, struct bytes messages,
                         struct told *told)
{
    if (value->kind != VALUE_STRING || value->text.len == 0)
        return;
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        if (!memmem(value->text.at, value->text.len, said[i], strlen(said[i])))
            continue;
        told->texts++;
        if (!memmem(messages.at, messages.len, said[i], strlen(said[i])))
            fail_msg("%s: \"%s\" is lost: %.*s", where, said[i], (int)messages.len,
                     (const char *)messages.at);
    }
    for (size_t i = 0; i + 14 <= value->text.len; i++) {
        const char *at = (const char *)value->text.at + i;
        const size_t len = memcmp(at, "call_0", 6) == 0    ? 13
                           : memcmp(at, "toolu_0", 7) == 0 ? 14
                                                           : 0;

        if (len == 0)
            continue;
        told->ids++;
        if (!memmem(messages.at, messages.len, at, len))
            fail_msg("%s: %.14s is lost", where, at);
    }
}

static void look_for_loss(const struct fixture_body *body, void *context)
{
    const struct span_array spans = spans_of(body);

    for (size_t i = 0; i < spans.count; i++) {
        const struct span *span = &spans.items[i];
        const enum observation type = type_of(span);
        struct bytes messages;

        if (type != OBSERVATION_LLM)
            continue;
        messages = case_content(&arena, body->name, span, type).messages;
        for (uint32_t k = 0; k < span->attributes.count; k++)
            must_be_told(body->name, &span->attributes.items[k].value, messages, context);
        for (uint32_t k = 0; k < span->event_count; k++)
            for (uint32_t n = 0; n < span->events[k].attributes.count; n++)
                must_be_told(body->name, &span->events[k].attributes.items[n].value, messages,
                             context);
    }
}

static void no_question_answer_or_call_of_a_model_is_lost(void **state)
{
    struct told told = {0};

    (void)state;
    (void)fixture_each(&arena, NULL, look_for_loss, &told);
    assert_true(told.texts > 200);
    assert_true(told.ids > 60);
}

/* ---- content that came as log records ---- */

static void messages_of_log_records_are_found(void **state)
{
    static const struct otlp_limits limits = {.max_depth = 64, .max_attributes = 1000};
    struct span *span = case_span(&arena, NULL, NULL);
    struct stored_span row = {0};
    struct log_array logs;
    struct err err = {0};
    struct buf list;

    (void)state;
    buf_init(&list, 1 << 20);
    assert_true(
        otlp_logs_from_protobuf(fixture_file(&arena, "python-openai_v2-legacy_chat/logs/001.body"),
                                &limits, &arena, &logs, &err));
    for (size_t i = 0; i < logs.count; i++) {
        struct stored_log log;

        assert_true(otlp_check_log(&logs.items[i], &arena));
        assert_true(otlp_log_to_stored(&logs.items[i], 1, 1, &arena, &log, &err));
        buf_add_byte(&list, i ? ',' : '[');
        buf_add_bytes(&list, log.event);
    }
    buf_add_byte(&list, ']');
    row.log_events = buf_bytes(&list);
    assert_true(otlp_add_log_events(&row, &arena, span, &err));
    assert_string_equal(
        rendered(case_content(&arena, "logs", span, OBSERVATION_LLM).messages),
        "system: You are a weather assistant. Answer shor | user: How is the weather in Oslo? "
        "\xe5\xa4\xa9\xe6\xb0\x97\xe3\x81\xaf\xef\xbc\x9f | assistant: Oslo is sunny today: 21 "
        "\xc2\xb0"
        "C, light wind.");
    buf_done(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_recorded_conversation_is_found),
        cmocka_unit_test(no_question_answer_or_call_of_a_model_is_lost),
        cmocka_unit_test(messages_of_log_records_are_found),
    };
    int failed;

    arena_init(&arena, ROOM);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_done(&arena);
    return failed;
}
