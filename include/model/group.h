/* Traces put together by whose they are (sessions, users), and calls by model, as they are read. */
#ifndef MODEL_GROUP_H
#define MODEL_GROUP_H

#include "model/trace.h"

enum group_by { GROUP_SESSION, GROUP_USER };

/* A page of sessions or users, those with the newest trace first. */
struct group_filter {
    enum group_by by;
    int64_t from_ns;   /* starts of traces (of calls, for models), inclusive */
    int64_t to_ns;     /* exclusive */
    uint32_t limit;    /* 1 .. 1000 */
    int64_t search_ns; /* how long to look at most; 0: a default */
    bool has_cursor;
    int64_t before_ns; /* behind this trace */
    struct uuid before_id;
};

struct group_row {
    struct bytes id;
    int64_t trace_count;
    int64_t first_ns; /* start of the first trace */
    int64_t end_ns;   /* greatest end */
    int64_t last_ns;  /* start of the newest trace, and its id */
    struct uuid last_id;
    int64_t error_count; /* spans that failed */
    int64_t session_count;
    struct bytes input_preview; /* of the first trace that has one */
    struct trace_texts users;   /* at most 100, as environments */
    struct trace_texts environments;
    struct spend spend;
};

struct group_page {
    struct group_row *items;
    size_t count;
    bool more;    /* another page follows, behind the trace below */
    bool stopped; /* because time ran out */
    int64_t before_ns;
    struct uuid before_id;
};

/* Calls of one model. Texts are empty where none was sent. */
struct model_row {
    struct bytes provider;
    struct bytes model;
    int64_t errors;
    int64_t first_ns; /* starts of calls */
    int64_t last_ns;
    struct spend spend;
};

struct model_list {
    struct model_row *items; /* dearest first, then by calls, provider, model */
    size_t count;
    bool stopped; /* time ran out: what started before looked_from_ns was not looked at */
    int64_t looked_from_ns;
};

#endif
