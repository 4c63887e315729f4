#include "config.h"

#include <stdio.h>

#include "cmd/cmd.h"
#include "unseen/scoring.h"

enum { MOST_JOBS = 4096 };

enum unseen_status us_cmd_merge(int argc, char **argv)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_common common;
    const char *folders[MOST_JOBS];
    int n = 0;
    bool help;
    const struct us_usage usage = {
        .synopsis = "unseen merge DIR... --out DIR",
        .about =
            "Join the folders that all jobs of one run left (unseen trajectory --job I/N) to the run that "
            "one call would have made. unseen prune and unseen audit go on from there with the same options.",
        .common = "out",
        .min_arguments = 1,
        .max_arguments = MOST_JOBS,
    };
    US_TRY(us_options_parse(&usage, argc, argv, &common, folders, &help));
    if (help)
        goto out;
    US_TRY(us_need_out(&common));
    while (n < MOST_JOBS && folders[n])
        n++;
    US_TRY(unseen_merge(folders, n, common.out));
    printf("%s/trajectory\n", common.out);
out:
    us_common_end(&common);
    return st;
}
