/* Prints the settings as --help text ("help") or as the table of docs/configuration.md. */
#include <stdio.h>
#include <string.h>

#include "base/cfg.h"

int main(int argc, char **argv)
{
    struct buf out;
    bool ok;

    buf_init(&out, 1 << 20);
    if (argc > 1 && strcmp(argv[1], "help") == 0)
        cfg_help(&out, NULL);
    else
        cfg_markdown(&out);
    ok = buf_ok(&out) && fwrite(out.at, 1, out.len, stdout) == out.len;
    buf_done(&out);
    return ok ? 0 : 1;
}
