/* Memory of the machine that we run on. */
#ifndef US_BASE_HOST_MEMORY_H
#define US_BASE_HOST_MEMORY_H

#include <stdint.h>

/* Bytes that can still be had without others' being pushed out: what the kernel says is available, within the
 * limits of the control group and of the process (ulimit -v). 0 if it cannot be told. */
uint64_t us_host_memory_free(void);

#endif
