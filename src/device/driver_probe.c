/* Drivers tried in a child process, before this one depends on them. */
#include "config.h"

#include <CL/cl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/atomic.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/sha256.h"
#include "device/drivers.h"

enum { SECONDS = 30, MOST_PLATFORMS = 32, MOST_DEVICES = 64 };

/* How a child ended. */
struct outcome {
    enum { RETURNED, EXITED, KILLED, HUNG, UNTRIED } how;
    int number;     /* EXITED: its exit code; KILLED: the signal */
    char said[200]; /* the last line that it wrote, empty if none */
};

static int limit_in_seconds(void)
{
    const char *wish = getenv("UNSEEN_DRIVER_TIMEOUT");
    return wish && *wish ? atoi(wish) : SECONDS;
}

/* ---- sets of drivers that have passed ---- */

static void hash_text(struct sha256_ctx *hash, const char *text)
{
    sha256_update(hash, strlen(text) + 1, (const uint8_t *)text);
}

/* A file's size and time of change; one that is not there counts as such. */
static void hash_file(struct sha256_ctx *hash, const char *path)
{
    struct stat info;
    char text[96] = "";
    if (stat(path, &info) == 0)
        snprintf(text, sizeof text, "%lld %lld.%09ld", (long long)info.st_size,
                 (long long)info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
    hash_text(hash, text);
}

/* What the answer of the drivers depends on. The list of the dynamic linker changes with each library that is
 * installed; a device may fail at the next start of the machine. */
static void describe(const struct us_drivers *drivers, char hex[65])
{
    static const char *const variables[] = {"OCL_ICD_VENDORS", "OCL_ICD_FILENAMES", "LD_LIBRARY_PATH",
                                            "LD_PRELOAD"};
    struct sha256_ctx hash;
    char *boot = NULL;
    sha256_init(&hash);
    for (int i = 0; i < drivers->n; i++) {
        hash_text(&hash, drivers->list[i].file);
        hash_text(&hash, drivers->list[i].library);
        hash_file(&hash, drivers->list[i].file);
        hash_file(&hash, drivers->list[i].library);
    }
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *value = getenv(variables[i]);
        hash_text(&hash, value ? value : "");
    }
    hash_file(&hash, "/etc/ld.so.cache");
    if (us_read_file("/proc/sys/kernel/random/boot_id", &boot, NULL) == UNSEEN_OK)
        hash_text(&hash, boot);
    free(boot);
    us_sha256_hex(&hash, hex);
}

/* <cache folder>/drivers-passed holds the hash of the last set; NULL if there can be no such file. */
static char *note_path(void)
{
    char *cache = us_cache_folder(), *path = cache ? us_format("%s/drivers-passed", cache) : NULL;
    free(cache);
    return path;
}

static bool passed_before(const char *hex)
{
    char *path = note_path(), *text = NULL;
    const bool known =
        path && us_exists(path) && us_read_file(path, &text, NULL) == UNSEEN_OK && strcmp(text, hex) == 0;
    free(text);
    free(path);
    return known;
}

/* A note that cannot be written costs another trial at the next start and nothing else. */
static void remember(const char *hex)
{
    char *path = note_path();
    if (path)
        (void)us_write_file(path, hex, strlen(hex));
    free(path);
}

/* ---- the child ---- */

static void list_devices(void)
{
    cl_platform_id platforms[MOST_PLATFORMS];
    cl_device_id devices[MOST_DEVICES];
    cl_uint n = 0, m;
    char name[256];
    if (clGetPlatformIDs(MOST_PLATFORMS, platforms, &n) != CL_SUCCESS)
        return;
    for (cl_uint i = 0; i < n && i < MOST_PLATFORMS; i++) {
        m = 0;
        if (clGetDeviceIDs(platforms[i], CL_DEVICE_TYPE_ALL, MOST_DEVICES, devices, &m) != CL_SUCCESS)
            continue;
        for (cl_uint k = 0; k < m && k < MOST_DEVICES; k++)
            (void)clGetDeviceInfo(devices[k], CL_DEVICE_NAME, sizeof name, name, NULL);
    }
}

/* What it writes goes into `pipe`, which must not hold it up; it leaves no core file behind. */
static _Noreturn void be_child(int pipe, const char *vendors, int seconds)
{
    static const int usual[] = {SIGINT, SIGTERM, SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM};
    const struct rlimit none = {0, 0};
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        signal(usual[i], SIG_DFL);
    (void)fcntl(pipe, F_SETFL, O_NONBLOCK);
    (void)dup2(pipe, STDOUT_FILENO);
    (void)dup2(pipe, STDERR_FILENO);
    (void)setrlimit(RLIMIT_CORE, &none);
    if (vendors) {
        setenv("OCL_ICD_VENDORS", vendors, 1);
        unsetenv("OCL_ICD_FILENAMES");
    }
    alarm((unsigned)seconds + 5); /* should its parent be gone */
    list_devices();
    _exit(0);
}

/* ---- its parent ---- */

/* The last line with letters in it. */
static void read_last_line(int pipe, char *line, size_t size)
{
    char text[4096];
    size_t n = 0;
    ssize_t got;
    (void)fcntl(pipe, F_SETFL, O_NONBLOCK);
    while ((got = read(pipe, text + n, sizeof text - 1 - n)) > 0) {
        n += (size_t)got;
        if (n > sizeof text / 2) { /* keep the end */
            memmove(text, text + n - sizeof text / 4, sizeof text / 4);
            n = sizeof text / 4;
        }
    }
    text[n] = '\0';
    line[0] = '\0';
    char *rest = text;
    for (char *next; (next = strtok_r(rest, "\r\n", &rest));) {
        if (strpbrk(next, "abcdefghijklmnopqrstuvwxyz"))
            snprintf(line, size, "%s", next);
    }
}

/* Wait for it, until the time is over or the user has had enough. */
static struct outcome await(pid_t child, int seconds)
{
    const double end = us_seconds() + seconds;
    const struct timespec nap = {0, 1000000};
    struct outcome outcome = {.how = UNTRIED};
    int status;
    pid_t got;
    while ((got = waitpid(child, &status, WNOHANG)) == 0 && us_seconds() < end && !us_interrupted())
        nanosleep(&nap, NULL);
    if (got == 0) {
        kill(child, SIGKILL);
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
            ;
        outcome.how = us_interrupted() ? UNTRIED : HUNG;
    } else if (got == child && WIFSIGNALED(status)) {
        outcome.how = KILLED;
        outcome.number = WTERMSIG(status);
    } else if (got == child) {
        outcome.number = WEXITSTATUS(status);
        outcome.how = outcome.number ? EXITED : RETURNED;
    }
    return outcome;
}

/* List the devices of all drivers, or of those in the folder `vendors`. */
static struct outcome try_drivers(const char *vendors, int seconds)
{
    struct outcome outcome = {.how = UNTRIED};
    int ends[2];
    if (pipe(ends) != 0)
        return outcome;
    fflush(NULL); /* the child must not write it once more */
    const pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        be_child(ends[1], vendors, seconds);
    }
    close(ends[1]);
    if (child > 0) {
        outcome = await(child, seconds);
        read_last_line(ends[0], outcome.said, sizeof outcome.said);
    }
    close(ends[0]);
    return outcome;
}

/* One driver alone, in a folder of its own: loaders differ in what else they take OCL_ICD_VENDORS for. */
static struct outcome try_alone(const struct us_driver *driver, int seconds)
{
    const char *tmp = getenv("TMPDIR");
    struct outcome outcome = {.how = UNTRIED};
    char *folder = us_format("%s/unseen-driver-XXXXXX", tmp && *tmp ? tmp : "/tmp"), *file = NULL;
    if (folder && mkdtemp(folder) && (file = us_format("%s/one.icd", folder)) &&
        us_write_file(file, driver->library, strlen(driver->library)) == UNSEEN_OK)
        outcome = try_drivers(folder, seconds);
    if (file) {
        unlink(file);
        rmdir(folder);
    }
    free(file);
    free(folder);
    return outcome;
}

static bool is_bad(const struct outcome *outcome)
{
    return outcome->how == EXITED || outcome->how == KILLED || outcome->how == HUNG;
}

static void in_words(const struct outcome *outcome, int seconds, char text[320])
{
    int n = 0;
    if (outcome->how == HUNG)
        n = snprintf(text, 320, "has not answered within %d s", seconds);
    else if (outcome->how == KILLED)
        n = snprintf(text, 320, "ends the program that loads it (%s)", strsignal(outcome->number));
    else
        n = snprintf(text, 320, "ends the program that loads it (exit code %d)", outcome->number);
    if (*outcome->said)
        snprintf(text + n, 320 - (size_t)n, ": %s", outcome->said);
}

static enum unseen_status blame(const struct us_drivers *drivers, const struct outcome *all, int seconds)
{
    char words[320];
    for (int i = 0; i < drivers->n && drivers->n > 1; i++) {
        const struct outcome one = try_alone(&drivers->list[i], seconds);
        if (us_interrupted())
            return us_fail(UNSEEN_INTERRUPTED, "OpenCL", "interrupted while drivers were tried");
        if (!is_bad(&one))
            continue;
        in_words(&one, seconds, words);
        us_fail(UNSEEN_NO_DEVICE, drivers->list[i].file, "the OpenCL driver %s %s", drivers->list[i].library,
                words);
        us_hint("without it: OCL_ICD_VENDORS=FOLDER, with the other .icd files of %s in that folder",
                drivers->place);
        return UNSEEN_NO_DEVICE;
    }
    in_words(all, seconds, words);
    if (drivers->n == 1) {
        us_fail(UNSEEN_NO_DEVICE, drivers->list[0].file, "the OpenCL driver %s %s", drivers->list[0].library,
                words);
        us_hint("install the driver's package again; UNSEEN_DRIVER_TIMEOUT=SECONDS waits longer for one that "
                "is slow");
    } else {
        us_fail(UNSEEN_NO_DEVICE, drivers->place,
                "each of the %d OpenCL drivers there works alone, but together one %s", drivers->n, words);
        us_hint("two copies of one driver, or two that bring the same compiler, do not mix: name one alone, "
                "OCL_ICD_VENDORS=%s",
                drivers->list[0].file);
    }
    return UNSEEN_NO_DEVICE;
}

enum unseen_status us_drivers_probe(const struct us_drivers *drivers)
{
    const int seconds = limit_in_seconds();
    char hex[65];
    if (seconds <= 0 || drivers->n == 0)
        return UNSEEN_OK;
    describe(drivers, hex);
    if (passed_before(hex))
        return UNSEEN_OK;
    const struct outcome all = try_drivers(NULL, seconds);
    if (us_interrupted())
        return us_fail(UNSEEN_INTERRUPTED, "OpenCL", "interrupted while drivers were tried");
    if (is_bad(&all))
        return blame(drivers, &all, seconds);
    if (all.how == RETURNED)
        remember(hex);
    return UNSEEN_OK;
}
