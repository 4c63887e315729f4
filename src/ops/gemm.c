#include "config.h"

#include "ops/gemm.h"

#include <clblast_c.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { XGEMM = 16 };
struct parameters {
    const char *platform; /* part of its name */
    size_t xgemm[XGEMM];
};

/* All that the Xgemm kernels of CLBlast 1.5 to 1.7 have: it refuses a list that lacks one. */
static const char *const xgemm_names[XGEMM] = {"GEMMK", "KREG",  "KWG",   "KWI", "MDIMA", "MDIMC",
                                               "MWG",   "NDIMB", "NDIMC", "NWG", "SA",    "SB",
                                               "STRM",  "STRN",  "VWM",   "VWN"};

/* CLBlast's table knows no current CPU and falls back to parameters meant for GPUs. The first row that
 * applies counts. GEMMK = 1 without MWG = NWG makes CLBlast 1.5 compute garbage, and other values can too:
 * run t/ops/gemm with a new row on its platform. Measured at 2048 x 512 x 2304 on two cores of Zen 4: Intel's
 * runtime 100 GFLOP/s (45 with CLBlast's own parameters), PoCL 185 (19). */
static const struct parameters cpus[] = {
    /* Vectorises over work-items: 16 of them across M, each with 16 columns in registers. */
    {"Intel(R) OpenCL", {0, 1, 16, 2, 16, 16, 16, 2, 2, 32, 0, 0, 1, 0, 1, 4}},
    /* Vectorises what is written as vectors: one work-item has 16 x 16 in registers, a group 64 x 64, and
     * operands are read through the compiler's registers instead of local memory. */
    {"", {1, 1, 1, 1, 4, 4, 64, 4, 4, 64, 0, 0, 0, 0, 16, 1}},
};

/* Smaller products than this cubed take CLBlast's untuned direct kernel: never. */
static const char *const routine_names[] = {"XGEMM_MIN_INDIRECT_SIZE"};
static const size_t routine_values[] = {0};

/* One call to CLBlast at a time: its caches of programs are not safe in every version. Calls only enqueue. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static cl_device_id *tuned; /* devices whose parameters are set: CLBlast keeps them for the process's life */
static size_t tuned_count;

static enum unseen_status blas_fail(CLBlastStatusCode code, const char *call)
{
    const char *name = us_cl_error_name((cl_int)code);
    return us_fail(UNSEEN_FAILED, "CLBlast", "%s: status %d (%s)", call, (int)code, name);
}

static enum unseen_status tune(struct unseen_device *device)
{
    const cl_device_id id = us_device_id(device);
    if (unseen_device_info(device)->type != UNSEEN_DEVICE_CPU)
        return UNSEEN_OK;
    for (size_t i = 0; i < tuned_count; i++) {
        if (tuned[i] == id)
            return UNSEEN_OK;
    }
    cl_device_id *longer = us_realloc(tuned, tuned_count + 1, sizeof *tuned);
    if (!longer)
        return UNSEEN_FAILED;
    tuned = longer;
    const struct parameters *row = cpus;
    while (!strstr(unseen_device_info(device)->platform, row->platform))
        row++; /* the last one applies always */
    CLBlastStatusCode code = CLBlastOverrideParameters(id, "Xgemm", CLBlastPrecisionSingle, XGEMM,
                                                       (const char **)(uintptr_t)xgemm_names, row->xgemm);
    if (code == CLBlastSuccess)
        code = CLBlastOverrideParameters(id, "GemmRoutine", CLBlastPrecisionSingle, 1,
                                         (const char **)(uintptr_t)routine_names, routine_values);
    if (code != CLBlastSuccess)
        return blas_fail(code, "CLBlastOverrideParameters");
    tuned[tuned_count++] = id;
    return UNSEEN_OK;
}

static enum unseen_status run(struct unseen_device *device, const struct us_gemm *g)
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

enum unseen_status us_gemm_run(struct unseen_device *device, const struct us_gemm *g)
{
    pthread_mutex_lock(&lock);
    enum unseen_status st = run(device, g);
    pthread_mutex_unlock(&lock);
    return st;
}
