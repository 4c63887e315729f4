#include "config.h"

#include "unseen/device.h"

const char *unseen_precision_name(enum unseen_precision precision)
{
    static const char *const names[UNSEEN_PRECISIONS] = {"float32", "bf16", "f16", "tf32"};
    return names[precision];
}
