// A stand-in for host_shim.h whose blocks have real threads: reductions and barriers are exercised
// as on a GPU. Blocks run one after the other, so a static variable serves as shared memory.
#include <float.h>
#include <math.h>
#include <pthread.h>

#include <thread>
#include <vector>

#define __global__ static
#define __device__ static inline
#define __shared__ static

struct Dim3 { unsigned int x; };
static Dim3 blockDim, gridDim;
static thread_local Dim3 threadIdx, blockIdx;
static pthread_barrier_t barrier;

static inline void __syncthreads() { pthread_barrier_wait(&barrier); }

static inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  return (unsigned long long)(((unsigned __int128)a * b) >> 64);
}

extern "C" void set_block(unsigned int threads) { blockDim.x = threads; }

#define RUN_GRID(blocks, call)                                \
  do {                                                        \
    gridDim.x = (blocks);                                     \
    pthread_barrier_init(&barrier, nullptr, blockDim.x);      \
    for (unsigned int b = 0; b < gridDim.x; ++b) {            \
      std::vector<std::thread> threads;                       \
      for (unsigned int t = 0; t < blockDim.x; ++t)           \
        threads.emplace_back([=] {                            \
          threadIdx.x = t;                                    \
          blockIdx.x = b;                                     \
          call;                                               \
        });                                                   \
      for (std::thread &thread : threads) thread.join();      \
    }                                                         \
    pthread_barrier_destroy(&barrier);                        \
  } while (0)
