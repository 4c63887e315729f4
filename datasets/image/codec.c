#include "config.h"

#include "datasets/image/codec.h"

#include <stdarg.h>
#include <stdio.h>

#include "datasets/image/image.h"

bool us_refuse(struct us_coded *image, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(image->reason, sizeof image->reason, format, args);
    va_end(args);
    return false;
}

bool us_size_allowed(struct us_coded *image, int64_t height, int64_t width, bool whole)
{
    long long w = width, h = height, most = whole ? US_IMAGE_WHOLE : US_IMAGE_PIXELS;
    if (height < 1 || width < 1)
        return us_refuse(image, "has no pixels");
    if (height > US_IMAGE_SIDE || width > US_IMAGE_SIDE)
        return us_refuse(image, "has %lldx%lld pixels, but the most that is read is %d a side", w, h,
                         US_IMAGE_SIDE);
    if (height * width <= most)
        return true;
    return us_refuse(image, "has %lldx%lld pixels, but the most that is read%s is %lld", w, h,
                     whole ? " of files that are not decoded by rows" : "", most);
}
