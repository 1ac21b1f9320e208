#include "support/load_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "support/figures.h"

#define MAX_CONNS 4096

static const char usage[] =
    "load [--host A] [--port P] [--path /v1/traces] [--header 'Name: value']...\n"
    "     [--conns N] [--requests N] [--seconds S] [--warm-up S] [--rate REQUESTS/S]\n"
    "     [--spans PER-REQUEST] [--trace-spans N] [--message-bytes N] [--llm-bytes N] [--services "
    "N]\n"
    "     [--spread S] [--ago S] [--one-trace] [--json] [--twice SHARE] [--twice-requests SHARE] "
    "[--pause MS]\n"
    "     [--seed N] [--ids FILE]\n";

static const struct option long_options[] = {
    {"host", required_argument, NULL, 'h'},        {"port", required_argument, NULL, 'p'},
    {"path", required_argument, NULL, 'u'},        {"header", required_argument, NULL, 'H'},
    {"conns", required_argument, NULL, 'c'},       {"requests", required_argument, NULL, 'n'},
    {"seconds", required_argument, NULL, 'T'},     {"warm-up", required_argument, NULL, 'w'},
    {"rate", required_argument, NULL, 'r'},        {"spans", required_argument, NULL, 's'},
    {"trace-spans", required_argument, NULL, 't'}, {"message-bytes", required_argument, NULL, 'b'},
    {"llm-bytes", required_argument, NULL, 'l'},   {"services", required_argument, NULL, 'S'},
    {"spread", required_argument, NULL, 'd'},      {"ago", required_argument, NULL, 'a'},
    {"one-trace", no_argument, NULL, '1'},         {"json", no_argument, NULL, 'j'},
    {"twice", required_argument, NULL, '2'},       {"twice-requests", required_argument, NULL, 'R'},
    {"pause", required_argument, NULL, 'P'},       {"seed", required_argument, NULL, 'x'},
    {"ids", required_argument, NULL, 'o'},         {NULL, 0, NULL, 0},
};

static void set_text(struct load_options *o, int option, const char *text)
{
    static struct buf headers = {.max = 512};

    if (option == 'h')
        o->host = text;
    else if (option == 'u')
        o->path = text;
    else if (option == 'o')
        o->ids = text;
    if (option != 'H')
        return;
    buf_printf(&headers, "%s\r\n", text);
    buf_add_byte(&headers, 0);
    headers.len--;
    o->headers = (const char *)headers.at;
}

static void set_number(struct load_options *o, int option, double value)
{
    const struct {
        int option;
        uint32_t *whole;
        double *real;
    } places[] = {
        {'c', &o->conns, NULL},
        {'s', &o->shape.spans, NULL},
        {'t', &o->shape.spans_per_trace, NULL},
        {'b', &o->shape.message_bytes, NULL},
        {'l', &o->shape.llm_bytes, NULL},
        {'S', &o->shape.services, NULL},
        {'T', NULL, &o->seconds},
        {'w', NULL, &o->warm_up_s},
        {'r', NULL, &o->rate},
        {'d', NULL, &o->shape.spread_s},
        {'a', NULL, &o->shape.ago_s},
        {'2', NULL, &o->twice_spans},
        {'R', NULL, &o->twice_requests},
        {'P', NULL, &o->pause_ms},
    };

    if (option == 'p')
        o->port = (uint16_t)value;
    else if (option == 'n')
        o->requests = (uint64_t)value;
    else if (option == 'x')
        o->seed = (uint64_t)value;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (places[i].option != option)
            continue;
        if (places[i].whole != NULL)
            *places[i].whole = (uint32_t)value;
        else
            *places[i].real = value;
    }
}

void load_options_read(struct load_options *o, int argc, char *argv[])
{
    int option = 0;
    int at = 0;

    *o = (struct load_options){.host = "127.0.0.1",
                               .path = "/v1/traces",
                               .headers = "",
                               .port = 4318,
                               .conns = 8,
                               .pause_ms = 20,
                               .seed = (uint64_t)clock_wall_ns(),
                               .shape = {.spans = 500,
                                         .spans_per_trace = 10,
                                         .message_bytes = 400,
                                         .services = 8,
                                         .spread_s = 60}};

    while ((option = getopt_long(argc, argv, "", long_options, &at)) != -1) {
        if (option == '?') {
            (void)fputs(usage, stderr);
            exit(2);
        }
        if (option == 'j')
            o->shape.json = true;
        else if (option == '1')
            o->shape.one_trace = true;
        else if (strchr("huHo", option) != NULL)
            set_text(o, option, optarg);
        else
            set_number(o, option, figures_number(long_options[at].name, optarg));
    }
    if (o->requests == 0 && !(o->seconds > 0))
        o->requests = 1000;
    if (o->conns == 0 || o->conns > MAX_CONNS || o->shape.spans == 0 || o->shape.services == 0 ||
        o->shape.spans_per_trace == 0) {
        (void)fprintf(stderr, "load: a number is 0 or too large\n%s", usage);
        exit(2);
    }
}
