/* What the formats' writers share. */
#ifndef US_DATASETS_EXPORT_H
#define US_DATASETS_EXPORT_H

#include "base/status.h"

/* UNSEEN_USAGE if folder `out` already holds `name`: an export never mixes with, or writes over, a dataset.
 */
enum unseen_status us_export_refuse(const char *out, const char *name);

#endif
