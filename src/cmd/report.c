#include "config.h"

#include <stdio.h>

#include "cmd/cmd.h"
#include "report/folder.h"
#include "unseen/report.h"

struct request {
    const char *data, *labels;
};

static const struct us_option own[] = {
    {"data", US_STRING, US_AT(struct request, data), .value = "DATA",
     .help = "the run's dataset, where it is now (as run.json names it)"},
    {"labels", US_STRING, US_AT(struct request, labels), .value = "FILE",
     .help = "the run's file of labels, where it is now (as run.json names it)"},
    {0},
};

enum unseen_status us_cmd_report(int argc, char **argv)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_common common;
    struct request request = {0};
    struct unseen_dataset *data = NULL;
    const char *folder[1];
    bool help;
    const struct us_usage usage = {
        .synopsis = "unseen report DIR [options]",
        .about = "Write DIR/report.html again from what a run left in DIR. A report with pictures stays "
                 "where the data cannot be read, unless --force.",
        .groups = {{own, &request, NULL}},
        .common = "force",
        .min_arguments = 1,
        .max_arguments = 1,
    };
    US_TRY(us_options_parse(&usage, argc, argv, &common, folder, &help));
    if (help)
        goto out;
    if (request.data || request.labels)
        US_TRY(us_run_data_open(folder[0], request.data, request.labels, &data));
    US_TRY(unseen_report(folder[0], data, common.force));
    printf("%s/report.html\n", folder[0]);
out:
    unseen_dataset_close(data);
    us_common_end(&common);
    return st;
}
