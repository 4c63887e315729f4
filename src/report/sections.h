/* The parts of the report. Each writes nothing if what it needs is not in the folder; `shows_*` tell
 * beforehand, for the navigation. Adding one: a pair of functions and a line of sections.def. */
#ifndef US_REPORT_SECTIONS_H
#define US_REPORT_SECTIONS_H

#include "report/folder.h"

/* What the run was and what came of it, in words and numbers, above all sections. */
enum unseen_status us_write_summary(FILE *out, const struct us_run_folder *folder);

/* The name that the report has for the dataset. */
const char *us_summary_dataset(const struct us_run_folder *folder);

#define US_SECTION(id, title)                                                                                \
    bool us_shows_##id(const struct us_run_folder *folder);                                                  \
    enum unseen_status us_write_##id(FILE *out, const struct us_run_folder *folder);
#include "report/sections.def"
#undef US_SECTION

#endif
