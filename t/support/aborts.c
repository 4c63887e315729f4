/* To preload: a fault of the program itself, where it renames a finished file. */
#include <stdio.h>
#include <stdlib.h>

__attribute__((visibility("default"))) int rename(const char *from, const char *to)
{
    (void)from;
    (void)to;
    abort();
}
