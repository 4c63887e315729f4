#include "config.h"

#include "base/fs.h"
#include "base/host_memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* The number that `format` takes from a line of a file. 0 if there is none. */
static uint64_t number_in(const char *path, const char *format)
{
    char line[256];
    uint64_t number = 0;
    FILE *file = us_fopen(path, "re");
    while (file && fgets(line, sizeof line, file) && sscanf(line, format, &number) != 1)
        number = 0;
    if (file)
        fclose(file);
    return number;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* A control group without a limit says "max", which is no number. */
static uint64_t group_free(const char *most_path, const char *used_path)
{
    const uint64_t most = number_in(most_path, "%" SCNu64), used = number_in(used_path, "%" SCNu64);
    return most == 0 ? UINT64_MAX : most > used ? most - used : 0;
}

static uint64_t process_free(void)
{
    struct rlimit limit;
    const uint64_t used = number_in("/proc/self/statm", "%" SCNu64) * (uint64_t)sysconf(_SC_PAGESIZE);
    if (getrlimit(RLIMIT_AS, &limit) || limit.rlim_cur == RLIM_INFINITY)
        return UINT64_MAX;
    return limit.rlim_cur > used ? limit.rlim_cur - used : 0;
}

uint64_t us_host_memory_free(void)
{
    const uint64_t available = 1024 * number_in("/proc/meminfo", "MemAvailable: %" SCNu64);
    const uint64_t unified = group_free("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current");
    const uint64_t former = group_free("/sys/fs/cgroup/memory/memory.limit_in_bytes",
                                       "/sys/fs/cgroup/memory/memory.usage_in_bytes");
    return least(least(available, process_free()), least(unified, former));
}
