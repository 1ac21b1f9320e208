/* sink: answers 200 to every POST and throws the body away: shows what the sender alone can do. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK_BYTES (256 * 1024)

static const char answer[] = "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\n"
                             "content-length: 0\r\n\r\n";

static void *serve(void *arg)
{
    const int fd = *(int *)arg;
    char *chunk = malloc(CHUNK_BYTES);
    size_t have = 0;

    free(arg);
    while (chunk != NULL) {
        ssize_t got = recv(fd, chunk + have, CHUNK_BYTES - 1 - have, 0);
        if (got <= 0)
            break;
        have += (size_t)got;
        chunk[have] = '\0';
        const char *end = strstr(chunk, "\r\n\r\n");
        const char *length = strcasestr(chunk, "content-length:");
        if (end == NULL || length == NULL)
            continue;
        size_t left = strtoul(length + 15, NULL, 10) + (size_t)(end + 4 - chunk) - have;
        for (have = 0; left > 0 && got > 0; left -= (size_t)got)
            got = recv(fd, chunk, left < CHUNK_BYTES ? left : CHUNK_BYTES, 0);
        if (got <= 0 || send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL) < 0)
            break;
    }
    free(chunk);
    (void)close(fd);
    return NULL;
}

int main(int argc, char *argv[])
{
    const int port = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 4390;
    const int one = 1;
    const struct sockaddr_in at = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int listener = socket(AF_INET, SOCK_STREAM, 0);

    (void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(listener, (const struct sockaddr *)&at, sizeof(at)) != 0 || listen(listener, 128)) {
        perror("sink");
        return 2;
    }
    for (;;) {
        pthread_t thread;
        int *fd = malloc(sizeof(*fd));
        if (fd == NULL || (*fd = accept(listener, NULL, NULL)) < 0 ||
            pthread_create(&thread, NULL, serve, fd) != 0)
            return 2;
        (void)pthread_detach(thread);
    }
}
