/* Where PostgreSQL's server programs are. */
#include "store/programs.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "store/proc.h"

#define VERSION_TIMEOUT_MS 5000

int programs_major_of(const char *text)
{
    const char *digits = strpbrk(text, "0123456789");
    int64_t major = 0;

    if (!digits)
        return 0;
    if (!text_int64((struct bytes){(const uint8_t *)digits, strspn(digits, "0123456789")},
                    &major) ||
        major > 1000)
        return 0;
    return (int)major;
}

/* "postgres (PostgreSQL) 15.18 (Debian …)": asked, because a directory's name may say anything. */
static int version_of(const char *bin_dir)
{
    char path[PROGRAMS_PATH_BYTES + 16];
    char line[256];
    const char *const argv[] = {path, "-V", NULL};
    const struct proc_spec spec = {.argv = argv, .output_fd = -1};

    (void)snprintf(path, sizeof(path), "%s/initdb", bin_dir);
    if (access(path, X_OK) != 0)
        return 0;
    (void)snprintf(path, sizeof(path), "%s/postgres", bin_dir);
    if (access(path, X_OK) != 0 || !proc_output(&spec, VERSION_TIMEOUT_MS, line, sizeof(line)))
        return 0;
    return programs_major_of(line);
}

static bool has_timescale(const char *bin_dir)
{
    char path[PROGRAMS_PATH_BYTES + 40];

    (void)snprintf(path, sizeof(path), "%s/../lib/timescaledb.so", bin_dir);
    return access(path, R_OK) == 0;
}

/* Takes bin_dir when its version is wanted and newer than what was found so far. */
static void consider(const char *bin_dir, int major, struct programs *best)
{
    const int found = version_of(bin_dir);

    if (found < PROGRAMS_MAJOR_LEAST || (major && found != major) || found <= best->major ||
        strlen(bin_dir) >= sizeof(best->bin_dir))
        return;
    memcpy(best->bin_dir, bin_dir, strlen(bin_dir) + 1);
    best->major = found;
    best->timescale = has_timescale(bin_dir);
}

/* The places of the packages. Debian names the directory after the major version, so an existing
 * data directory needs one look only. */
static void consider_packages(int major, struct programs *best)
{
    static const struct {
        const char *before;
        bool has_major;
        const char *after;
    } places[] = {{"/usr/lib/postgresql/", true, "/bin"},
                  {"/usr/pgsql-", true, "/bin"},
                  {"/usr/local/pgsql/bin", false, ""},
                  {"/usr/local/bin", false, ""}};
    char number[16] = "*";
    char pattern[64];

    if (major)
        (void)snprintf(number, sizeof(number), "%d", major);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && best->major == 0; i++) {
        glob_t found;

        (void)snprintf(pattern, sizeof(pattern), "%s%s%s", places[i].before,
                       places[i].has_major ? number : "", places[i].after);
        if (glob(pattern, 0, NULL, &found) != 0)
            continue;
        for (size_t k = 0; k < found.gl_pathc; k++)
            consider(found.gl_pathv[k], major, best);
        globfree(&found);
    }
}

static void consider_pg_config(int major, struct programs *best)
{
    static const char *const argv[] = {"/usr/bin/env", "pg_config", "--bindir", NULL};
    const struct proc_spec spec = {.argv = argv, .output_fd = -1};
    char line[PROGRAMS_PATH_BYTES];

    if (!proc_output(&spec, VERSION_TIMEOUT_MS, line, sizeof(line)))
        return;
    line[strcspn(line, "\n")] = '\0';
    consider(line, major, best);
}

bool programs_find(const struct cfg *cfg, int major, struct programs *out_programs, struct err *err)
{
    struct programs best = {.major = 0};

    if (cfg->pg_bin_dir && cfg->pg_bin_dir[0]) {
        consider(cfg->pg_bin_dir, 0, &best);
        if (best.major == 0)
            return err_set(err, ERR_BAD_INPUT,
                           "pg-bin-dir '%.100s' has no postgres and initdb of version %d or newer",
                           cfg->pg_bin_dir, PROGRAMS_MAJOR_LEAST);
        if (major && best.major != major)
            return err_set(err, ERR_BAD_INPUT,
                           "data directory was made by PostgreSQL %d, pg-bin-dir has %d", major,
                           best.major);
    } else {
        consider_packages(major, &best);
        if (best.major == 0)
            consider_pg_config(major, &best);
    }
    if (best.major == 0 && major)
        return err_set(err, ERR_BAD_INPUT,
                       "data directory was made by PostgreSQL %d, whose server programs are not "
                       "installed (package postgresql-%d, or --pg-bin-dir)",
                       major, major);
    if (best.major == 0)
        return err_set(err, ERR_BAD_INPUT,
                       "no PostgreSQL server programs of version %d or newer found: install "
                       "package postgresql, or use --pg-bin-dir or --db",
                       PROGRAMS_MAJOR_LEAST);
    *out_programs = best;
    return true;
}
