/* disk: how long this disk takes to make 8 KiB behind the last ones durable (fdatasync), as a commit does. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/figures.h"

#define PIECE_BYTES 8192
#define FILE_BYTES (16 << 20)
#define ROUNDS 500

int main(int argc, char *argv[])
{
    static char piece[PIECE_BYTES];
    const char *path = argc > 1 ? argv[1] : "bench-disk.tmp";
    struct figures took = {0};
    const int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0) {
        perror(path);
        return 2;
    }
    /* Space first, as WAL segments have it: only the bytes are to be measured. */
    for (off_t at = 0; at < FILE_BYTES; at += PIECE_BYTES)
        if (pwrite(fd, piece, sizeof(piece), at) != sizeof(piece))
            return 2;
    (void)fsync(fd);
    for (int i = 0; i < ROUNDS; i++) {
        piece[0] = (char)i;
        const int64_t start_ns = clock_mono_ns();
        if (pwrite(fd, piece, sizeof(piece), (off_t)i * PIECE_BYTES) != sizeof(piece) ||
            fdatasync(fd) != 0)
            return 2;
        figures_add(&took, clock_mono_ns() - start_ns);
    }
    (void)close(fd);
    (void)unlink(path);
    (void)printf("fdatasync");
    figures_print(&took);
    (void)printf("\n");
    figures_done(&took);
    return 0;
}
