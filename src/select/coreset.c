#include "config.h"

#include "select/coreset.h"

#include <inttypes.h>

#include "base/atomic.h"
#include "base/csv.h"
#include "base/text.h"
#include "base/usable.h"

enum unseen_status us_coreset_csv_write(const char *path, const struct unseen_images *samples,
                                        const float *scores, const uint8_t *fold, const int64_t *keep,
                                        int64_t m)
{
    struct us_atomic file;
    enum unseen_status st = us_atomic_begin(path, &file);
    if (st != UNSEEN_OK)
        return st;
    /* A short write sets the stream's error flag, which the commit looks at. */
    fputs("index,label,path,score,fold,kept\n", file.stream);
    int64_t next = 0;
    for (int64_t i = 0; i < samples->n; i++) {
        bool kept = next < m && keep[next] == i;
        next += kept;
        fprintf(file.stream, "%" PRId64 ",%" PRId32 ",", i, samples->labels[i]);
        us_csv_field(file.stream, samples->paths ? samples->paths[i] : NULL);
        us_print(file.stream, ",%.9g,", (double)scores[i]);
        if (fold)
            fprintf(file.stream, "%d", fold[i]);
        const bool skipped = !us_is_usable(samples, i);
        fprintf(file.stream, ",%s\n", skipped ? "skipped" : kept ? "1" : "0");
    }
    return us_atomic_commit(&file);
}
