#include "config.h"

#include <stdlib.h>

#include "base/shell.h"
#include "cmd/cmd.h"

static char *command_line;

void us_command_line_begin(int argc, char **argv)
{
    /* The program by its name: where it lay today says nothing later on. */
    char *arguments = argc > 1 ? us_shell_line(argc - 1, argv + 1) : NULL;
    command_line = arguments ? us_format(PACKAGE_NAME " %s", arguments) : NULL;
    free(arguments);
}

void us_command_line_end(void)
{
    free(command_line);
    command_line = NULL;
}

const char *us_command_line(void)
{
    return command_line ? command_line : "";
}
