/*
 * get: asks for paths over one kept connection, one after the other, and prints how long the whole answers took.
 *
 *   get --port P [--requests N] [--warm-up N] [--seed N] (--paths FILE | PATH ...)
 *   FILE has a path per line; a random one is taken each time. --prefix stands before each.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "support/client.h"
#include "support/figures.h"
#include "support/traffic.h"

struct paths {
    char **items;
    size_t count;
};

struct run {
    struct client client;
    const char *prefix;
    struct paths paths;
    uint64_t seed;
    double bytes;
    size_t failed;
    unsigned last_status;
    struct figures latency;
};

static void add_path(struct paths *paths, const char *path)
{
    char **items = realloc(paths->items, (paths->count + 1) * sizeof(items[0]));
    char *copy = strdup(path);

    if (items == NULL || copy == NULL)
        exit(2);
    copy[strcspn(copy, "\n")] = '\0';
    paths->items = items;
    paths->items[paths->count++] = copy;
}

static void read_paths(struct paths *paths, const char *file)
{
    char line[4096];
    FILE *f = fopen(file, "r");

    if (f == NULL) {
        perror(file);
        exit(2);
    }
    while (fgets(line, sizeof(line), f) != NULL)
        add_path(paths, line);
    (void)fclose(f);
}

static void ask(struct run *r, bool counted)
{
    const char *path = r->paths.items[traffic_below(&r->seed, (uint32_t)r->paths.count)];
    char head[8192];
    struct bytes body = {0};

    const int len =
        snprintf(head, sizeof(head), "GET %s%s HTTP/1.1\r\nHost: bench\r\n\r\n", r->prefix, path);
    if (len <= 0 || (size_t)len >= sizeof(head))
        exit(2);
    const int64_t start_ns = clock_mono_ns();
    const unsigned status =
        client_ask(&r->client, (struct bytes){(const uint8_t *)head, (size_t)len},
                   (struct bytes){NULL, 0}, &body);
    if (!counted)
        return;
    figures_add(&r->latency, clock_mono_ns() - start_ns);
    r->bytes += (double)body.len;
    if (status != 200) {
        r->failed++;
        r->last_status = status;
    }
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {{"port", required_argument, NULL, 'p'},
                                            {"requests", required_argument, NULL, 'n'},
                                            {"warm-up", required_argument, NULL, 'w'},
                                            {"seed", required_argument, NULL, 'x'},
                                            {"prefix", required_argument, NULL, 'P'},
                                            {"paths", required_argument, NULL, 'f'},
                                            {NULL, 0, NULL, 0}};
    struct run r = {.prefix = "", .seed = 42};
    uint16_t port = 4318;
    size_t requests = 1000;
    size_t warm_up = 50;
    int option;
    int at = 0;

    while ((option = getopt_long(argc, argv, "", options, &at)) != -1) {
        if (option == 'P')
            r.prefix = optarg;
        else if (option == 'f')
            read_paths(&r.paths, optarg);
        else if (option == '?')
            return 2;
        else if (option == 'p')
            port = (uint16_t)figures_number("--port", optarg);
        else if (option == 'x')
            r.seed = (uint64_t)figures_number("--seed", optarg);
        else
            *(option == 'n' ? &requests : &warm_up) =
                (size_t)figures_number(options[at].name, optarg);
    }
    for (int i = optind; i < argc; i++)
        add_path(&r.paths, argv[i]);
    if (r.paths.count == 0 || requests == 0)
        return 2;
    client_init(&r.client, "127.0.0.1", port);
    for (size_t i = 0; i < warm_up + requests; i++)
        ask(&r, i >= warm_up);
    (void)printf("requests %zu failed %zu last_failed_status %u bytes_mean %.0f", requests,
                 r.failed, r.last_status, r.bytes / (double)requests);
    figures_print(&r.latency);
    (void)printf("\n");
    client_done(&r.client);
    figures_done(&r.latency);
    return r.failed > 0 ? 1 : 0;
}
