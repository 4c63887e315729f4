/* Kernel sources: embedded in the library, or read from the folder that UNSEEN_CL_PATH names. */
#ifndef US_DEVICE_SOURCE_H
#define US_DEVICE_SOURCE_H

#include "base/status.h"

struct us_source {
    const char *name; /* file name in cl/ */
    const char *text;
};

/* Ends with a NULL name. Made by scripts/embed-cl. */
extern const struct us_source us_sources[];

/* The text of cl/`name` with every #include "..." of cl/ put in its place (once each). Fresh memory. */
enum unseen_status us_source_load(const char *name, char **text);

#endif
