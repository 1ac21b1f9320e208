/* Runs every file of tests/corpus/NAME through the fuzz target it is linked with, without
 * libFuzzer. The name is the program's own: corpus_NAME. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *body, size_t len);

static int run_file(const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    uint8_t *body;
    ssize_t got;

    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        printf("%s: cannot be read\n", path);
        return 1;
    }
    /* Exactly its size, so that ASan sees a read behind the end. */
    body = malloc((size_t)st.st_size + (st.st_size == 0));
    got = body ? read(fd, body, (size_t)st.st_size) : -1;
    (void)close(fd);
    if (got == st.st_size) {
        printf("%s\n", path); /* if this is the last line, it is the one that crashed */
        (void)fflush(stdout);
        (void)LLVMFuzzerTestOneInput(body, (size_t)got);
    }
    free(body);
    return got == st.st_size ? 0 : 1;
}

int main(int argc, char **argv)
{
    const char *name = strstr(argv[0], "/corpus_");
    const char *top = argc > 1 ? argv[1] : "tests/corpus";
    char folder[512];
    char path[1024];
    struct dirent *entry;
    int count = 0;
    int failed = 0;
    DIR *dir;

    (void)snprintf(folder, sizeof(folder), "%s/%s", top, name ? name + strlen("/corpus_") : "");
    dir = opendir(folder);
    /* The empty input is a case of every target, also of one without a corpus. */
    (void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    while (dir && (entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        failed += run_file(path);
        count++;
    }
    if (dir)
        (void)closedir(dir);
    printf("%d files of %s\n", count, folder);
    if (count == 0)
        printf("no corpus: at least one seed belongs into %s\n", folder);
    return failed == 0 && count > 0 ? 0 : 1;
}
