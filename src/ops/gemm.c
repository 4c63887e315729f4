#include "config.h"

#include "ops/gemm.h"

#include <clblast_c.h>
#include <pthread.h>
#include <stdlib.h>

/* CLBlast's table knows no current CPU and falls back to parameters meant for GPUs. These give one work-item
 * a 64x64 block in 512-bit vectors, read through the compiler's registers instead of local memory. MWG = NWG
 * always: CLBlast 1.5 computes garbage with GEMMK = 1 otherwise. The names are all that a kernel of 1.5
 * to 1.7 has; it refuses a list that lacks one. */
static const char *const xgemm_names[] = {"GEMMK", "KREG", "KWG", "KWI", "MDIMA", "MDIMC", "MWG", "NDIMB",
                                          "NDIMC", "NWG",  "SA",  "SB",  "STRM",  "STRN",  "VWM", "VWN"};
static const size_t xgemm_values[] = {1, 1, 1, 1, 4, 4, 64, 4, 4, 64, 0, 0, 0, 0, 16, 1};

/* Smaller products than this cubed take CLBlast's untuned direct kernel: never. */
static const char *const routine_names[] = {"XGEMM_MIN_INDIRECT_SIZE"};
static const size_t routine_values[] = {0};

static pthread_mutex_t tuned_lock = PTHREAD_MUTEX_INITIALIZER;
static cl_device_id *tuned; /* devices whose parameters are set: CLBlast keeps them for the process's life */
static size_t tuned_count;

static enum unseen_status blas_fail(CLBlastStatusCode code, const char *call)
{
    const char *name = us_cl_error_name((cl_int)code);
    return us_fail(UNSEEN_FAILED, "CLBlast", "%s: status %d (%s)", call, (int)code, name);
}

static enum unseen_status tune_locked(struct unseen_device *device)
{
    const cl_device_id id = us_device_id(device);
    for (size_t i = 0; i < tuned_count; i++) {
        if (tuned[i] == id)
            return UNSEEN_OK;
    }
    cl_device_id *longer = us_realloc(tuned, tuned_count + 1, sizeof *tuned);
    if (!longer)
        return UNSEEN_FAILED;
    tuned = longer;
    CLBlastStatusCode code = CLBlastOverrideParameters(id, "Xgemm", CLBlastPrecisionSingle,
                                                       sizeof xgemm_values / sizeof *xgemm_values,
                                                       (const char **)(uintptr_t)xgemm_names, xgemm_values);
    if (code == CLBlastSuccess)
        code = CLBlastOverrideParameters(id, "GemmRoutine", CLBlastPrecisionSingle, 1,
                                         (const char **)(uintptr_t)routine_names, routine_values);
    if (code != CLBlastSuccess)
        return blas_fail(code, "CLBlastOverrideParameters");
    tuned[tuned_count++] = id;
    return UNSEEN_OK;
}

static enum unseen_status tune(struct unseen_device *device)
{
    if (!us_device_is_cpu(device))
        return UNSEEN_OK;
    pthread_mutex_lock(&tuned_lock);
    enum unseen_status st = tune_locked(device);
    pthread_mutex_unlock(&tuned_lock);
    return st;
}

enum unseen_status us_gemm_run(struct unseen_device *device, const struct us_gemm *g)
{
    enum unseen_status st = UNSEEN_OK;
    cl_command_queue queue = us_device_queue(device);
    const CLBlastTranspose ta = g->transpose_a ? CLBlastTransposeYes : CLBlastTransposeNo;
    const CLBlastTranspose tb = g->transpose_b ? CLBlastTransposeYes : CLBlastTransposeNo;
    struct us_buf *scratch = NULL;
    cl_event event = NULL;
    size_t bytes = 0;
    US_TRY(tune(device));
    CLBlastStatusCode code =
        CLBlastSGemmTempBufferSize(CLBlastLayoutRowMajor, ta, tb, g->m, g->n, g->k, g->a_offset, g->lda,
                                   g->b_offset, g->ldb, g->c_offset, g->ldc, &queue, &bytes);
    if (code != CLBlastSuccess) {
        st = blas_fail(code, "CLBlastSGemmTempBufferSize");
        goto out;
    }
    /* CLBlast would allocate its scratch anew for each call; the pool gives the same piece again. */
    if (bytes)
        US_TRY(us_buf_new(device, bytes, &scratch));
    code = CLBlastSgemmWithTempBuffer(CLBlastLayoutRowMajor, ta, tb, g->m, g->n, g->k, 1.0f, g->a->mem,
                                      g->a_offset, g->lda, g->b->mem, g->b_offset, g->ldb, g->beta, g->c->mem,
                                      g->c_offset, g->ldc, &queue, us_profile_on(device) ? &event : NULL,
                                      scratch ? scratch->mem : NULL);
    if (code != CLBlastSuccess)
        st = blas_fail(code, "CLBlastSgemm");
    else if (event)
        us_profile_external(device, "gemm", event);
out:
    us_buf_free(device, scratch);
    return st;
}
