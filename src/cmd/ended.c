/* Drivers abort or exit when their compiler fails or their cache is damaged; everything else may be at fault
 * itself. Who it is shows in the stack: drivers are loaded after the program and what it links. */
#include "config.h"

#include "cmd/ended.h"

#include <link.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef HAVE_EXECINFO_H
#include <execinfo.h>
#endif

#include "unseen/unseen.h"

enum { OBJECTS = 128, FRAMES = 64 };

static struct {
    uintptr_t begin, end;
} linked[OBJECTS]; /* but for the driver loader */
static int count;
static pid_t running; /* this process until its command has returned; not what a driver forks */

static int add_linked(struct dl_phdr_info *object, size_t size, void *context)
{
    (void)size;
    (void)context;
    const bool loads_drivers = object->dlpi_name && strstr(object->dlpi_name, "libOpenCL");
    if (loads_drivers || count == OBJECTS)
        return 0;
    linked[count].begin = UINTPTR_MAX;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const uintptr_t begin = object->dlpi_addr + object->dlpi_phdr[i].p_vaddr;
        const uintptr_t end = begin + object->dlpi_phdr[i].p_memsz;
        if (object->dlpi_phdr[i].p_type != PT_LOAD)
            continue;
        linked[count].begin = begin < linked[count].begin ? begin : linked[count].begin;
        linked[count].end = end > linked[count].end ? end : linked[count].end;
    }
    count++;
    return 0;
}

static bool is_linked(uintptr_t address)
{
    for (int i = 0; i < count; i++) {
        if (address >= linked[i].begin && address < linked[i].end)
            return true;
    }
    return false;
}

/* Whether a call into the driver, or into what it loaded or compiled, is under way in this thread. */
static bool in_driver(void)
{
#ifdef HAVE_EXECINFO_H
    void *frame[FRAMES];
    const int n = backtrace(frame, FRAMES);
    for (int i = 0; i < n; i++) {
        if (!is_linked((uintptr_t)frame[i]))
            return true;
    }
#endif
    return false;
}

static void write_text(const char *text)
{
    (void)!write(STDERR_FILENO, text, strlen(text));
}

static void say_who(void)
{
    write_text(isatty(STDERR_FILENO) ? "\n" : ""); /* behind a line of progress */
    if (in_driver())
        write_text("unseen: OpenCL: the driver ended the program while it built or ran kernels\n"
                   "hint: its cache may be damaged: remove it (PoCL's is POCL_CACHE_DIR, or ~/.cache/pocl) "
                   "and run the same command again\n");
    else
        write_text("unseen: program: aborted, by a fault of unseen or of a library that it uses\n"
                   "hint: please report it, with the command and what stands above\n");
}

static void on_abort(int number)
{
    (void)number;
    say_who();
    _exit(UNSEEN_FAILED);
}

static void on_exit_called(void)
{
    if (running != getpid())
        return;
    say_who();
    _exit(UNSEEN_FAILED);
}

void us_ended_watch(void)
{
#ifdef HAVE_EXECINFO_H
    void *frame[1];
    (void)backtrace(frame, 1); /* the first call loads a library */
#endif
    (void)dl_iterate_phdr(add_linked, NULL);
    running = getpid();
    signal(SIGABRT, on_abort);
    atexit(on_exit_called);
}

void us_ended_watch_no_more(void)
{
    running = 0;
}
