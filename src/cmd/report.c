#include "config.h"

#include <stdio.h>

#include "cmd/cmd.h"
#include "unseen/report.h"

enum unseen_status us_cmd_report(int argc, char **argv)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_common common;
    const char *folder[1];
    bool help;
    const struct us_usage usage = {
        .synopsis = "unseen report DIR",
        .about = "Write DIR/report.html again from what a run left in DIR.",
        .min_arguments = 1,
        .max_arguments = 1,
    };
    US_TRY(us_options_parse(&usage, argc, argv, &common, folder, &help));
    if (help)
        goto out;
    US_TRY(unseen_report(folder[0], NULL));
    printf("%s/report.html\n", folder[0]);
out:
    us_common_end(&common);
    return st;
}
