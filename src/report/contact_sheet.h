/* Contact sheets: many small pictures with what is known of each. */
#ifndef US_REPORT_CONTACT_SHEET_H
#define US_REPORT_CONTACT_SHEET_H

#include "base/status.h"
#include "unseen/dataset.h"

struct us_contact_sheet {
    const struct unseen_dataset *dataset; /* samples of its training split */
    int n;
    const int64_t *samples;   /* [n] */
    const float *value;       /* [all samples] stands under each picture */
    const char *value_name;   /* in front of the value, e.g. "score" */
    const int32_t *suggested; /* [all samples] a class that the label may have to change to; NULL: none */
    const uint8_t *kept;      /* [all samples] colours each picture's edge; NULL: no colour */
};

/* Write the sheet: pictures beside each other, each with its given label, its index, its value and its path,
 * small ones magnified with hard pixel edges, large ones (over 112 pixels) resized by the reader. The indices
 * stand below once more, to be copied. */
enum unseen_status us_contact_sheet_write(FILE *out, const struct us_contact_sheet *sheet);

/* The `most` samples with the highest (or, with `lowest`, the lowest) values of n, in that order, ties by
 * index, into samples [most], without those of `skipped` [n] (NULL: none). Returns how many: less than `most`
 * where there are no more. */
int us_extreme_samples(const float *values, const uint8_t *skipped, int64_t n, bool lowest, int most,
                       int64_t *samples);

#endif
