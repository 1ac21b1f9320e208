/* Fuzzes the settings file: whatever stands in it, it is taken or refused with a text. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cfg.h"

int LLVMFuzzerTestOneInput(const uint8_t *body, size_t len);

static bool write_file(int fd, const uint8_t *body, size_t len)
{
    return ftruncate(fd, 0) == 0 && pwrite(fd, body, len, 0) == (ssize_t)len;
}

static void expect(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *body, size_t len)
{
    static int fd = -1;
    char flag[64];
    char *argv[] = {flag, NULL};
    struct cfg cfg;
    struct err err = {0};
    int rest = 77;

    if (fd < 0)
        fd = memfd_create("cfg", MFD_CLOEXEC);
    expect(fd >= 0 && write_file(fd, body, len));
    (void)snprintf(flag, sizeof(flag), "--config=/proc/self/fd/%d", fd);
    if (cfg_load(&cfg, 1, argv, NULL, &rest, &err)) {
        expect(rest == 1 && cfg.ingest_workers >= 1 && cfg.ingest_workers <= 64);
        expect(strlen(cfg.listen) <= len + 16 && strlen(cfg.db) <= len);
        cfg_done(&cfg);
    } else {
        expect(rest == 77 && err.kind == ERR_BAD_INPUT && err.text[0] != '\0');
    }
    return 0;
}
