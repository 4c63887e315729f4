/* The most multiply-adds that a device can do: independent chains in registers and nothing else.
 *
 * Each work-item does rounds * 12 multiply-adds of `value`: a whole vector on CPUs, whose compilers vectorise what
 * is written as vectors; one float elsewhere. Twelve chains hide a latency of up to six cycles with two units.
 * factor < 1 keeps them finite. */
#if US_CPU
typedef float16 value;
#define SUM(v) ((v).s0 + (v).sf)
#else
typedef float value;
#define SUM(v) (v)
#endif

#define EACH(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11)

__kernel void peak(int rounds, float factor, float term, __global float *out)
{
    const value m = (value)(factor), t = (value)(term);
#define BEGIN(i) value c##i = (value)(term * (i + 1));
    EACH(BEGIN)
    for (int r = 0; r < rounds; r++) {
#define STEP(i) c##i = fma(c##i, m, t);
        EACH(STEP)
    }
    float sum = 0.0f;
#define END(i) sum += SUM(c##i);
    EACH(END)
    out[get_global_id(0)] = sum;
}
