// Lets a C++ compiler build the .cu files for the host, so that the arithmetic of every kernel can
// be tested where there is no GPU.
//
// A block has one thread. Grid-stride loops then visit every element in order, block reductions
// get one value and return it, and barriers have nothing to wait for. `RUN_GRID` is how the
// wrappers that compile.py generates run a kernel over a grid.
#include <float.h>
#include <math.h>

#define __global__ static
#define __device__ static inline
#define __shared__

struct Dim3 { unsigned int x; };
static const Dim3 threadIdx = {0}, blockDim = {1};
static thread_local Dim3 blockIdx, gridDim;

static inline void __syncthreads() {}

static inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  return (unsigned long long)(((unsigned __int128)a * b) >> 64);
}

#define RUN_GRID(blocks, call)                                           \
  do {                                                                   \
    gridDim.x = (blocks);                                                \
    for (blockIdx.x = 0; blockIdx.x < gridDim.x; ++blockIdx.x) { call; } \
  } while (0)
