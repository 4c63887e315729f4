/* What the files of base/option.h share: members of option structs, by their row. */
#ifndef US_BASE_OPTION_MEMBER_H
#define US_BASE_OPTION_MEMBER_H

#include "base/option.h"

static inline void *us_option_member(const struct us_option_at *at)
{
    return (char *)at->base + at->row->offset;
}

static inline bool us_option_is_number(const struct us_option *row)
{
    return row->kind >= US_INT && row->kind <= US_DOUBLE;
}

/* Whether its members lie in the row's range, or stand for its words. */
static inline bool us_option_is_ranged(const struct us_option *row)
{
    return row->kind >= US_INT && row->kind <= US_SPAN;
}

static inline bool us_option_is_whole(const struct us_option *row)
{
    return row->kind >= US_INT && row->kind <= US_UINT64;
}

#endif
