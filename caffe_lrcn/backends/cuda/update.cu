// The solver's arithmetic on one parameter, n values at a time. `diff`, `history`, `weight` and x
// are updated in place; sum_of_squares only reads.
#include "common.cuh"

// One partial sum a block, in double: a float sum over 10^8 gradients loses the small ones.
template <typename T>
__global__ void sum_of_squares(unsigned int blocks, const T *x, unsigned int n, double *partial) {
  GRID_STRIDE_ROWS(block, blocks) {
    double sum = 0;
    for (unsigned int i = block * blockDim.x + threadIdx.x; i < n; i += blocks * blockDim.x)
      sum += (double)x[i] * (double)x[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0) partial[block] = sum;
  }
}

template <typename T>
__global__ void scale_values(unsigned int n, T *x, T factor) {
  GRID_STRIDE_LOOP(i, n) x[i] *= factor;
}

// diff += decay * weight
template <typename T>
__global__ void l2_decay(unsigned int n, T *diff, const T *weight, T decay) {
  GRID_STRIDE_LOOP(i, n) diff[i] += decay * weight[i];
}

// diff += decay * sign(weight), sign(0) = 0
template <typename T>
__global__ void l1_decay(unsigned int n, T *diff, const T *weight, T decay) {
  GRID_STRIDE_LOOP(i, n)
    diff[i] += decay * (T)((weight[i] > T(0)) - (weight[i] < T(0)));
}

// history = momentum * history + rate * diff; diff = history
template <typename T>
__global__ void sgd(unsigned int n, T *diff, T *history, T rate, T momentum) {
  GRID_STRIDE_LOOP(i, n) {
    const T step = momentum * history[i] + rate * diff[i];
    history[i] = step;
    diff[i] = step;
  }
}

template <typename T>
__global__ void apply_update(unsigned int n, T *weight, const T *diff) {
  GRID_STRIDE_LOOP(i, n) weight[i] -= diff[i];
}
