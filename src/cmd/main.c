#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"
#include "cmd/cmd.h"
#include "cmd/ended.h"

static const struct {
    const char *name, *summary;
    enum unseen_status (*run)(int argc, char **argv);
} commands[] = {
#define US_COMMAND(name, summary) {#name, summary, us_cmd_##name},
#include "cmd/commands.def"
#undef US_COMMAND
};

#define N_COMMANDS (sizeof commands / sizeof *commands)

static void usage(FILE *to)
{
    fprintf(
        to,
        "Usage: unseen COMMAND [arguments]\n\n"
        "Which samples of a labelled image dataset to keep, by models that never saw them.\n\nCommands:\n");
    for (size_t i = 0; i < N_COMMANDS; i++)
        fprintf(to, "  %-12s %s\n", commands[i].name, commands[i].summary);
    fprintf(to,
            "\n'unseen COMMAND --help' tells more. Exit codes: 0 done, 1 failed, 2 bad usage, 3 bad input\n"
            "data, 4 no usable OpenCL device, 130 interrupted.\n");
}

static pid_t self; /* not what a driver forks, which Ctrl-C reaches too */

/* The first Ctrl-C asks for a checkpoint; the second one ends the program at once, but for SIGXCPU, which
 * comes every second. Nothing interrupts a driver's compiler, which may take a minute where no kernel is
 * cached. */
static void on_signal(int number)
{
    static const char text[] = "unseen: stopping after the step under way, or when the driver's compiler "
                               "returns; once more ends it at once\n";
    static volatile sig_atomic_t before;
    const bool is_first = !before;
    before = 1;
    unseen_interrupt();
    if (number != SIGXCPU)
        signal(number, SIG_DFL);
    else if (!is_first)
        return;
    if (getpid() != self)
        return;
    (void)!write(STDERR_FILENO, "\n", (size_t)isatty(STDERR_FILENO)); /* behind a line of progress */
    (void)!write(STDERR_FILENO, text, sizeof text - 1);
}

static bool is_one_of(const char *text, const char *a, const char *b, const char *c)
{
    return strcmp(text, a) == 0 || strcmp(text, b) == 0 || strcmp(text, c) == 0;
}

static enum unseen_status run_command(int argc, char **argv)
{
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (strcmp(argv[0], commands[i].name) == 0)
            return commands[i].run(argc, argv);
    }
    us_fail(UNSEEN_USAGE, argv[0], "unknown command");
    us_hint("unseen --help lists the commands");
    return UNSEEN_USAGE;
}

/* unseen help prune; unseen help dataset synth. */
static enum unseen_status help_of(int argc, char **argv)
{
    char *with_help[4] = {0};
    int n = 0;
    for (; n < argc && n < 2; n++)
        with_help[n] = argv[n];
    with_help[n++] = "--help";
    return run_command(n, with_help);
}

static enum unseen_status dispatch(int argc, char **argv)
{
    if (argc < 2) {
        usage(stderr);
        return us_fail(UNSEEN_USAGE, "command", "none given");
    }
    if (is_one_of(argv[1], "--help", "help", "-h")) {
        if (argc > 2)
            return help_of(argc - 2, argv + 2);
        usage(stdout);
        return UNSEEN_OK;
    }
    if (is_one_of(argv[1], "--version", "version", "-V")) {
        printf("unseen %s\n", unseen_version());
        return UNSEEN_OK;
    }
    if (strcmp(argv[1], "--rows") == 0) { /* for scripts/make-completion */
        for (size_t i = 0; i < N_COMMANDS; i++)
            printf("%s\t%s\n", commands[i].name, commands[i].summary);
        return UNSEEN_OK;
    }
    return run_command(argc - 1, argv + 1);
}

/* Names of files may hold what a terminal obeys. */
static void say(const char *what, const char *text)
{
    char shown[16384];
    us_utf8_show(text, false, shown, sizeof shown);
    fprintf(stderr, "%s: %s\n", what, shown);
}

int main(int argc, char **argv)
{
    self = getpid();
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    signal(SIGXCPU, on_signal);
    if (signal(SIGHUP, on_signal) == SIG_IGN) /* by nohup */
        signal(SIGHUP, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    us_ended_watch();
    us_command_line_begin(argc, argv);
    enum unseen_status st = dispatch(argc, argv);
    if (!st && (fflush(stdout) || ferror(stdout)))
        st = us_fail_errno("stdout", "cannot write");
    if (st) {
        say("unseen", unseen_last_error());
        if (*unseen_last_hint())
            say("hint", unseen_last_hint());
    }
    us_command_line_end();
    us_ended_watch_no_more();
    return (int)st;
}
