// The solver's arithmetic on all parameters at once.
//
// Parameters are segments of flat arrays. `chunk` cuts the segments into pieces: row i holds start,
// stop and segment of piece i; `multiplier` holds a learning-rate and a decay multiplier for each
// segment. A block takes a chunk. A rule clips, normalises and regularises the gradient, writes the
// step that follows from it into `diff` and subtracts it from `weight`. The rate, the clip factor
// and the iteration are read from the device, so that a recorded launch can be repeated.
#include "common.cuh"

// One partial sum a block, in double: a float sum over 10^8 gradients loses the small ones.
template <typename T>
__global__ void partial_sums(unsigned int blocks, const T *x, unsigned int n, int squared,
                             double *partial) {
  GRID_STRIDE_ROWS(block, blocks) {
    double sum = 0;
    for (unsigned int i = block * blockDim.x + threadIdx.x; i < n; i += blocks * blockDim.x)
      sum += squared ? (double)x[i] * (double)x[i] : (double)x[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0) partial[block] = sum;
  }
}

#define CHUNK_LOOP(i, chunk, row) \
  for (long long i = chunk[3 * row] + threadIdx.x; i < chunk[3 * row + 1]; i += blockDim.x)

// partial[row] = sum of diff^2 over a chunk
template <typename T>
__global__ void chunk_squares(unsigned int chunks, const long long *chunk, const T *diff,
                              double *partial) {
  GRID_STRIDE_ROWS(row, chunks) {
    double sum = 0;
    CHUNK_LOOP(i, chunk, row) sum += (double)diff[i] * (double)diff[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0) partial[row] = sum;
  }
}

// squares += sum of the partial sums; one block
template <typename T>
__global__ void add_squares(unsigned int one, const double *partial, unsigned int n,
                            double *squares) {
  GRID_STRIDE_ROWS(row, one) {
    double sum = 0;
    BLOCK_STRIDE_LOOP(i, n) sum += partial[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0) squares[row] += sum;
  }
}

// clip = limit / sqrt(squares) where the norm exceeds the limit, else 1
template <typename T>
__global__ void clip_factor(unsigned int one, const double *squares, double limit, double *clip) {
  GRID_STRIDE_LOOP(i, one) {
    const double norm = sqrt(squares[i]);
    clip[i] = norm <= limit ? 1 : limit / norm;
  }
}

// What a rule needs to know of its chunk.
template <typename T>
struct Factors {
  T rate, clip, scale, l2, l1;
};

template <typename T>
__device__ Factors<T> factors(const long long *chunk, const double *multiplier, unsigned int row,
                              double rate, double clip, double scale, double l2, double l1) {
  const double *own = multiplier + 2 * chunk[3 * row + 2];
  return {(T)(rate * own[0]), (T)clip, (T)scale, (T)(l2 * own[1]), (T)(l1 * own[1])};
}

// The gradient after clipping, division by iter_size and weight decay; sign(0) = 0.
template <typename T>
__device__ T processed(const Factors<T> &f, T diff, T weight) {
  T g = diff * f.clip * f.scale;
  if (f.l2 != T(0)) g += f.l2 * weight;
  if (f.l1 != T(0)) g += f.l1 * (T)((weight > T(0)) - (weight < T(0)));
  return g;
}

// v = momentum v + rate g; u = v
template <typename T>
__global__ void sgd(unsigned int chunks, const long long *chunk, const double *multiplier,
                    const double *rate, const double *clip, double scale, double l2, double l1,
                    T momentum, T *weight, T *diff, T *v) {
  GRID_STRIDE_ROWS(row, chunks) {
    const Factors<T> f = factors<T>(chunk, multiplier, row, *rate, *clip, scale, l2, l1);
    CHUNK_LOOP(i, chunk, row) {
      const T u = momentum * v[i] + f.rate * processed(f, diff[i], weight[i]);
      v[i] = u;
      diff[i] = u;
      weight[i] -= u;
    }
  }
}

// v' = momentum v + rate g; u = (1 + momentum) v' - momentum v
template <typename T>
__global__ void nesterov(unsigned int chunks, const long long *chunk, const double *multiplier,
                         const double *rate, const double *clip, double scale, double l2,
                         double l1, T momentum, T *weight, T *diff, T *v) {
  GRID_STRIDE_ROWS(row, chunks) {
    const Factors<T> f = factors<T>(chunk, multiplier, row, *rate, *clip, scale, l2, l1);
    CHUNK_LOOP(i, chunk, row) {
      const T before = momentum * v[i];
      const T after = before + f.rate * processed(f, diff[i], weight[i]);
      const T u = (T(1) + momentum) * after - before;
      v[i] = after;
      diff[i] = u;
      weight[i] -= u;
    }
  }
}

// h += g^2; u = rate g / (sqrt(h) + delta)
template <typename T>
__global__ void adagrad(unsigned int chunks, const long long *chunk, const double *multiplier,
                        const double *rate, const double *clip, double scale, double l2,
                        double l1, T delta, T *weight, T *diff, T *h) {
  GRID_STRIDE_ROWS(row, chunks) {
    const Factors<T> f = factors<T>(chunk, multiplier, row, *rate, *clip, scale, l2, l1);
    CHUNK_LOOP(i, chunk, row) {
      const T g = processed(f, diff[i], weight[i]);
      h[i] += g * g;
      const T u = f.rate / (sqrt(h[i]) + delta) * g;
      diff[i] = u;
      weight[i] -= u;
    }
  }
}

// h = decay h + (1 - decay) g^2; u = rate g / (sqrt(h) + delta)
template <typename T>
__global__ void rmsprop(unsigned int chunks, const long long *chunk, const double *multiplier,
                        const double *rate, const double *clip, double scale, double l2,
                        double l1, double decay, T delta, T *weight, T *diff, T *h) {
  GRID_STRIDE_ROWS(row, chunks) {
    const Factors<T> f = factors<T>(chunk, multiplier, row, *rate, *clip, scale, l2, l1);
    CHUNK_LOOP(i, chunk, row) {
      const T g = processed(f, diff[i], weight[i]);
      h[i] = (T)decay * h[i] + (T)(1 - decay) * (g * g);
      const T u = f.rate / (sqrt(h[i]) + delta) * g;
      diff[i] = u;
      weight[i] -= u;
    }
  }
}

// h = momentum h + (1 - momentum) g^2; d = g sqrt((s + delta) / (h + delta));
// s = momentum s + (1 - momentum) d^2; u = rate d
template <typename T>
__global__ void adadelta(unsigned int chunks, const long long *chunk, const double *multiplier,
                         const double *rate, const double *clip, double scale, double l2,
                         double l1, double momentum, T delta, T *weight, T *diff, T *h, T *s) {
  GRID_STRIDE_ROWS(row, chunks) {
    const Factors<T> f = factors<T>(chunk, multiplier, row, *rate, *clip, scale, l2, l1);
    CHUNK_LOOP(i, chunk, row) {
      const T g = processed(f, diff[i], weight[i]);
      h[i] = (T)momentum * h[i] + (T)(1 - momentum) * (g * g);
      const T d = g * sqrt((s[i] + delta) / (h[i] + delta));
      s[i] = (T)momentum * s[i] + (T)(1 - momentum) * (d * d);
      const T u = f.rate * d;
      diff[i] = u;
      weight[i] -= u;
    }
  }
}

// m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; t = count + 1;
// u = rate sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + delta)
template <typename T>
__global__ void adam(unsigned int chunks, const long long *chunk, const double *multiplier,
                     const double *rate, const double *clip, const double *count, double scale,
                     double l2, double l1, double beta1, double beta2, T delta, T *weight, T *diff,
                     T *m, T *v) {
  __shared__ double corrected;  // by one thread: powers in double are dear
  if (threadIdx.x == 0) {
    const double t = *count + 1;
    corrected = *rate * (sqrt(1 - pow(beta2, t)) / (1 - pow(beta1, t)));
  }
  __syncthreads();
  GRID_STRIDE_ROWS(row, chunks) {
    const Factors<T> f = factors<T>(chunk, multiplier, row, corrected, *clip, scale, l2, l1);
    CHUNK_LOOP(i, chunk, row) {
      const T g = processed(f, diff[i], weight[i]);
      m[i] = (T)beta1 * m[i] + (T)(1 - beta1) * g;
      v[i] = (T)beta2 * v[i] + (T)(1 - beta2) * (g * g);
      const T u = f.rate * m[i] / (sqrt(v[i]) + delta);
      diff[i] = u;
      weight[i] -= u;
    }
  }
}
