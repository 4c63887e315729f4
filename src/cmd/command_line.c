#include "config.h"

#include <stdlib.h>

#include "base/shell.h"
#include "cmd/cmd.h"

static char *command_line;

void us_command_line_begin(int argc, char **argv)
{
    command_line = us_shell_line(argc, argv);
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
