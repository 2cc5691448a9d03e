// Local response normalisation of (N, C, H, W): y = x * s^-beta.
//
//   across channels  s = k + alpha / size * sum of x^2 over `size` neighbouring channels
//   within a channel s = k + alpha / size^2 * sum of x^2 over a size x size window
//                    (the launcher passes k = 1)
//
// Windows are centred and cut at the border, as if there were zeros beyond it. `scale` keeps s
// from forward to backward. Everything written is overwritten; y may be x, but dx may be none of
// the inputs, for a thread reads its neighbours' x, y and dy.
// The gradient, both windows being symmetric, with r = alpha over the window's size:
//   dx = dy * s^-beta - 2 * r * beta * x * sum of dy * y / s over the window
// Source: Caffe's LRN layer; Krizhevsky et al., "ImageNet classification", 3.3.
#include "common.cuh"

// `spatial` = H * W is the distance between neighbouring channels.
template <typename T>
__global__ void lrn_scale_across(unsigned int n, const T *x, int C, int spatial, int size, T ratio,
                                 T k, T *scale) {
  GRID_STRIDE_LOOP(i, n) {
    const int c = i / spatial % C, radius = size / 2;
    const int low = c > radius ? -radius : -c;
    const int high = c + radius < C ? radius : C - 1 - c;
    T sum = 0;
    for (int step = low; step <= high; ++step) {
      const T value = x[(long long)i + (long long)step * spatial];
      sum += value * value;
    }
    scale[i] = k + ratio * sum;
  }
}

template <typename T>
__global__ void lrn_scale_within(unsigned int n, const T *x, int H, int W, int size, T ratio, T k,
                                 T *scale) {
  GRID_STRIDE_LOOP(i, n) {
    const int w = i % W, h = i / W % H, radius = size / 2;
    const T *image = x + (long long)(i / W / H) * H * W;
    const int bottom = h + radius < H ? h + radius : H - 1;
    const int right = w + radius < W ? w + radius : W - 1;
    T sum = 0;
    for (int row = h > radius ? h - radius : 0; row <= bottom; ++row)
      for (int col = w > radius ? w - radius : 0; col <= right; ++col)
        sum += image[row * W + col] * image[row * W + col];
    scale[i] = k + ratio * sum;
  }
}

template <typename T>
__global__ void lrn_output(unsigned int n, const T *x, const T *scale, T beta, T *y) {
  GRID_STRIDE_LOOP(i, n) y[i] = x[i] * pow(scale[i], -beta);
}

// factor = 2 * ratio * beta
template <typename T>
__global__ void lrn_backward_across(unsigned int n, const T *x, const T *y, const T *scale,
                                    const T *dy, int C, int spatial, int size, T factor, T beta,
                                    T *dx) {
  GRID_STRIDE_LOOP(i, n) {
    const int c = i / spatial % C, radius = size / 2;
    const int low = c > radius ? -radius : -c;
    const int high = c + radius < C ? radius : C - 1 - c;
    T sum = 0;
    for (int step = low; step <= high; ++step) {
      const long long j = (long long)i + (long long)step * spatial;
      sum += dy[j] * y[j] / scale[j];
    }
    dx[i] = dy[i] * pow(scale[i], -beta) - factor * x[i] * sum;
  }
}

template <typename T>
__global__ void lrn_backward_within(unsigned int n, const T *x, const T *y, const T *scale,
                                    const T *dy, int H, int W, int size, T factor, T beta, T *dx) {
  GRID_STRIDE_LOOP(i, n) {
    const int w = i % W, h = i / W % H, radius = size / 2;
    const long long image = (long long)(i / W / H) * H * W;
    const int bottom = h + radius < H ? h + radius : H - 1;
    const int right = w + radius < W ? w + radius : W - 1;
    T sum = 0;
    for (int row = h > radius ? h - radius : 0; row <= bottom; ++row)
      for (int col = w > radius ? w - radius : 0; col <= right; ++col) {
        const long long j = image + row * W + col;
        sum += dy[j] * y[j] / scale[j];
      }
    dx[i] = dy[i] * pow(scale[i], -beta) - factor * x[i] * sum;
  }
}
