/* Where values came from, for who asks. */
#include "genai/read.h"

enum { FIRST_SOURCES = 32, MOST_SOURCES = 20000 };

void sources_add(struct sources *sources, const struct source *source)
{
    if (sources == NULL || sources->count == MOST_SOURCES)
        return;
    if (sources->count == sources->cap) {
        const size_t cap = sources->cap == 0 ? FIRST_SOURCES : 2 * sources->cap;
        struct source *items = arena_array(sources->arena, struct source, cap);

        if (items == NULL)
            return; /* the arena remembers */
        if (sources->count > 0)
            memcpy(items, sources->items, sources->count * sizeof(*items));
        sources->items = items;
        sources->cap = cap;
    }
    sources->items[sources->count++] = *source;
}
