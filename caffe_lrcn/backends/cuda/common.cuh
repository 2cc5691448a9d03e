// What every kernel file shares. compile.py puts this text in front of each of them.
//
// Conventions
//   * A kernel is `template <typename T> __global__ void name(...)`, T being float or double;
//     accumulators are T as well, so that a float64 gradient check reaches every digit.
//   * A kernel's first argument is the number of items it works on. Either a thread takes an item
//     (GRID_STRIDE_LOOP) or a whole block does (GRID_STRIDE_ROWS, with block_sum or block_max); both
//     loops are right for any grid, and for one thread a block, as on the host.
//   * Arrays are dense and row-major. Blobs have fewer than 2^31 elements, so that 32-bit unsigned
//     indices suffice and cannot overflow when a stride is added.
//   * Nothing uses atomics: the same input gives the same bits.

#ifndef FLT_MAX  // NVRTC has no <float.h>
#define FLT_MAX 3.402823466e+38f
#define FLT_MIN 1.175494351e-38f
#endif

#define GRID_STRIDE_LOOP(i, n)                                             \
  for (unsigned int i = blockIdx.x * blockDim.x + threadIdx.x; i < (n);    \
       i += blockDim.x * gridDim.x)

#define GRID_STRIDE_ROWS(row, n) \
  for (unsigned int row = blockIdx.x; row < (n); row += gridDim.x)

// The elements 0 <= i < n of one row, dealt to the threads of its block.
#define BLOCK_STRIDE_LOOP(i, n) \
  for (unsigned int i = threadIdx.x; i < (n); i += blockDim.x)

#define MAX_BLOCK 256

// Sum of one value per thread over the block; every thread gets it. All threads of the block must
// call it, and blockDim.x must be a power of two of at most MAX_BLOCK.
template <typename T>
__device__ T block_sum(T value) {
  __shared__ T partial[MAX_BLOCK];
  partial[threadIdx.x] = value;
  __syncthreads();
  for (unsigned int half = blockDim.x / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) partial[threadIdx.x] += partial[threadIdx.x + half];
    __syncthreads();
  }
  const T total = partial[0];
  __syncthreads();  // the next call may overwrite partial[0] only after everyone has read it
  return total;
}

// Maximum of one value per thread over the block, under the same conditions as block_sum.
template <typename T>
__device__ T block_max(T value) {
  __shared__ T partial[MAX_BLOCK];
  partial[threadIdx.x] = value;
  __syncthreads();
  for (unsigned int half = blockDim.x / 2; half > 0; half /= 2) {
    if (threadIdx.x < half && partial[threadIdx.x + half] > partial[threadIdx.x])
      partial[threadIdx.x] = partial[threadIdx.x + half];
    __syncthreads();
  }
  const T highest = partial[0];
  __syncthreads();
  return highest;
}

// The logistic function in the form that cannot overflow.
template <typename T>
__device__ T sigmoid(T x) {
  return T(0.5) * tanh(T(0.5) * x) + T(0.5);
}

// One step of Philox 4x64-10: the four 64-bit words at `counter` of the stream `key`.
// Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011).
__device__ void philox4x64(unsigned long long counter[4], unsigned long long key0,
                           unsigned long long key1) {
  for (int round = 0; round < 10; ++round) {
    const unsigned long long high0 = __umul64hi(0xD2E7470EE14C6C93ULL, counter[0]);
    const unsigned long long low0 = 0xD2E7470EE14C6C93ULL * counter[0];
    const unsigned long long high1 = __umul64hi(0xCA5A826395121157ULL, counter[2]);
    const unsigned long long low1 = 0xCA5A826395121157ULL * counter[2];
    counter[0] = high1 ^ counter[1] ^ key0;
    counter[1] = low1;
    counter[2] = high0 ^ counter[3] ^ key1;
    counter[3] = low0;
    key0 += 0x9E3779B97F4A7C15ULL;
    key1 += 0xBB67AE8584CAA73BULL;
  }
}
