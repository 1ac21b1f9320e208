/* The recorded exports. */
#include "support/fixture.h"

#include "test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "support/client.h"

#define FIXTURES "tests/data/fixtures"
#define RECORDINGS "../recordings/" /* from there */

struct bytes fixture_file(struct arena *arena, const char *path)
{
    char full[512];
    struct buf raw;
    struct buf plain;
    struct bytes copy;

    buf_init(&raw, 64U << 20);
    buf_init(&plain, 64U << 20);
    (void)snprintf(full, sizeof(full), FIXTURES "/%s", path);
    if (!file_read(full, &raw))
        fail_msg("%s cannot be read", full);
    if (raw.len > 2 && raw.at[0] == 0x1f && raw.at[1] == 0x8b) {
        if (!gunzip_bytes(buf_bytes(&raw), &plain))
            fail_msg("%s is no gzip", full);
        copy = arena_copy(arena, buf_bytes(&plain));
    } else {
        copy = arena_copy(arena, buf_bytes(&raw));
    }
    buf_done(&raw);
    buf_done(&plain);
    return copy;
}

static bool file_exists(const char *folder, const char *request)
{
    char path[512];
    FILE *file;

    (void)snprintf(path, sizeof(path), FIXTURES "/%s/%s.body", folder, request);
    file = fopen(path, "rb");
    if (file)
        (void)fclose(file);
    return file != NULL;
}

static struct doc *read_doc(struct arena *arena, const char *folder, const char *name)
{
    char path[512];
    struct doc *doc;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    doc = doc_parse(arena, fixture_file(arena, path));
    if (!doc)
        fail_msg("%s is no JSON", path);
    return doc;
}

static bool says_json(const struct doc *request)
{
    const struct doc *header;

    DOC_EACH(i, header, doc_get(request, "headers"))
    {
        const struct doc *name = doc_item(header, 0);
        const struct doc *value = doc_item(header, 1);

        if (name && value && bytes_is_nocase(name->text, "content-type"))
            return bytes_is(value->text, "application/json");
    }
    return false; /* gRPC */
}

/* Recordings have no word about their request: the body shows what it is. */
static bool is_json(struct arena *arena, const char *folder, const char *request, struct bytes body)
{
    char name[16];

    if (strncmp(folder, RECORDINGS, sizeof(RECORDINGS) - 1) == 0)
        return body.len > 0 && body.at[0] == '{';
    (void)snprintf(name, sizeof(name), "%s.json", request);
    return says_json(read_doc(arena, folder, name));
}

static size_t each_body(struct arena *arena, const char *folder,
                        void (*see)(const struct fixture_body *, void *), void *context)
{
    const struct doc *expect = read_doc(arena, folder, "expect.json");
    size_t count = 0;

    for (unsigned i = 1;; i++) {
        const char *request = arena_printf(arena, "%03u", i);
        char name[16];
        struct fixture_body body;

        if (!file_exists(folder, request))
            return count;
        body = (struct fixture_body){
            .name = folder,
            .request = request,
            .spans = doc_get(expect, "spans"),
        };
        (void)snprintf(name, sizeof(name), "%s.body", request);
        body.body = fixture_file(arena, arena_printf(arena, "%s/%s", folder, name));
        body.json = is_json(arena, folder, request, body.body);
        see(&body, context);
        count++;
    }
}

static int only_folders(const struct dirent *entry)
{
    return entry->d_type == DT_DIR && entry->d_name[0] != '.';
}

static size_t each(struct arena *arena, const char *below, const char *only,
                   void (*see)(const struct fixture_body *body, void *context), void *context)
{
    struct dirent **entries = NULL;
    const char *top = arena_printf(arena, FIXTURES "/%s", below);
    const int found = scandir(top, &entries, only_folders, alphasort);
    size_t count = 0;

    if (found < 0)
        fail_msg("%s is not there: run from the top of the repository", top);
    for (int i = 0; i < found; i++) {
        if (!only || strcmp(only, entries[i]->d_name) == 0)
            count += each_body(arena, arena_printf(arena, "%s%s", below, entries[i]->d_name), see,
                               context);
        free(entries[i]);
    }
    free(entries);
    return count;
}

size_t fixture_each(struct arena *arena, const char *only,
                    void (*see)(const struct fixture_body *body, void *context), void *context)
{
    return each(arena, "", only, see, context);
}

size_t fixture_each_recording(struct arena *arena,
                              void (*see)(const struct fixture_body *body, void *context),
                              void *context)
{
    return each(arena, RECORDINGS, NULL, see, context);
}
