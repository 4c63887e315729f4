#include "config.h"

#include <string.h>

#include "datasets/format.h"
#include "datasets/index/duplicates.h"
#include "datasets/index/files.h"
#include "datasets/labels.h"

enum unseen_status unseen_dataset_verify(const char *name, const struct unseen_dataset_options *options,
                                         void (*report)(const struct unseen_defect *defect, void *context),
                                         void *context, struct unseen_dataset_check *check)
{
    const struct us_dataset_format *format = NULL;
    const char *location = NULL;
    struct unseen_dataset *scratch = NULL;
    struct us_defects sink = {.report = report, .context = context, .go_on = true};
    enum unseen_status st = UNSEEN_OK;
    US_TRY(us_format_read_as(name, options, &format, &location));
    US_TRY_ALLOC(scratch = us_calloc(1, sizeof *scratch));
    us_options_take(options, scratch);
    US_TRY(format->list ? us_files_verify(format, location, &sink, scratch)
                        : format->read(location, &sink, scratch));
    if (!format->list && sink.count == 0)
        US_TRY(us_dataset_hash(scratch));
    US_TRY(us_duplicates_find(scratch));
    if (report)
        US_TRY(us_duplicates_report(scratch, report, context));
out:
    /* What ends the reading is a defect too: a damaged archive, files that are missing. */
    if (st == UNSEEN_BAD_DATA)
        sink.count++;
    else if (st == UNSEEN_OK && sink.count > 0)
        st = us_fail(UNSEEN_BAD_DATA, name, "%lld defects in %lld samples", (long long)sink.count,
                     (long long)sink.checked);
    if (check) {
        *check = (struct unseen_dataset_check){.checked = sink.checked,
                                               .defects = sink.count,
                                               .bad = sink.bad,
                                               .warnings = sink.warnings,
                                               .rotated = sink.rotated,
                                               .duplicates = scratch ? scratch->duplicates
                                                                     : (struct unseen_duplicates){0}};
        if (st == UNSEEN_OK && sink.bad == 0)
            memcpy(check->content, scratch->hash, sizeof check->content);
    }
    unseen_dataset_close(scratch);
    return st;
}
