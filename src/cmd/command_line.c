#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"

static char *command_line;

static char *join(int argc, char **argv)
{
    size_t size = 1;
    for (int i = 0; i < argc; i++)
        size += strlen(argv[i]) + 1;
    char *text = us_calloc(size, 1);
    for (int i = 0; text && i < argc; i++) {
        strcat(text, argv[i]);
        if (i + 1 < argc)
            strcat(text, " ");
    }
    return text;
}

void us_command_line_begin(int argc, char **argv)
{
    command_line = join(argc, argv);
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
