// Pooling of images: x is (N, C, H, W), y is (N, C, PH, PW); `planes` = N * C never appears, for
// the count of items does.
//
// Window ph covers rows ph * stride_h - pad_h up to kernel_h further on, cut at the padded image;
// columns likewise. y, mask and dx are overwritten. The backward kernels gather: the thread of an
// input pixel visits the windows that cover it, so no two threads add to the same place.
// Source: Caffe's Pooling layer.
#include "common.cuh"

// mask: h * W + w of the first maximum in row-major order.
// CAFFE-QUIRK: a window without any value above -FLT_MAX (no pixel, only NaN, only -inf) gives
// -FLT_MAX and mask -1.
template <typename T>
__global__ void max_pool_forward(unsigned int n, const T *x, int H, int W, int PH, int PW,
                                 int kernel_h, int kernel_w, int stride_h, int stride_w, int pad_h,
                                 int pad_w, T *y, int *mask) {
  GRID_STRIDE_LOOP(i, n) {
    const int pw = i % PW, ph = i / PW % PH;
    const T *image = x + (long long)(i / PW / PH) * H * W;
    const int top = ph * stride_h - pad_h, left = pw * stride_w - pad_w;
    const int bottom = top + kernel_h < H ? top + kernel_h : H;
    const int right = left + kernel_w < W ? left + kernel_w : W;
    T best = -FLT_MAX;
    int where = -1;
    for (int h = top > 0 ? top : 0; h < bottom; ++h)
      for (int w = left > 0 ? left : 0; w < right; ++w)
        if (image[h * W + w] > best) {
          best = image[h * W + w];
          where = h * W + w;
        }
    y[i] = best;
    mask[i] = where;
  }
}

// The first window whose end lies beyond `at` (counted in the padded image), and one past the
// last window that starts at or before it.
__device__ int first_window(int at, int kernel, int stride) {
  return at < kernel ? 0 : (at - kernel) / stride + 1;
}

__device__ int end_window(int at, int stride, int windows) {
  return at / stride + 1 < windows ? at / stride + 1 : windows;
}

template <typename T>
__global__ void max_pool_backward(unsigned int n, const T *dy, const int *mask, int H, int W,
                                  int PH, int PW, int kernel_h, int kernel_w, int stride_h,
                                  int stride_w, int pad_h, int pad_w, T *dx) {
  GRID_STRIDE_LOOP(i, n) {
    const int w = i % W, h = i / W % H;
    const long long plane = (long long)(i / W / H) * PH * PW;
    const int ph_end = end_window(h + pad_h, stride_h, PH);
    const int pw_end = end_window(w + pad_w, stride_w, PW);
    T sum = 0;
    for (int ph = first_window(h + pad_h, kernel_h, stride_h); ph < ph_end; ++ph)
      for (int pw = first_window(w + pad_w, kernel_w, stride_w); pw < pw_end; ++pw)
        if (mask[plane + ph * PW + pw] == h * W + w) sum += dy[plane + ph * PW + pw];
    dx[i] = sum;
  }
}

// Length of a window along one axis, cut at the far padding. It may be zero or negative.
__device__ int window_length(int window, int size, int kernel, int stride, int pad) {
  const int start = window * stride - pad;
  const int end = start + kernel < size + pad ? start + kernel : size + pad;
  return end - start;
}

// CAFFE-QUIRK: the divisor counts padding, and a window beyond the padded image (ceil rounding,
// stride > kernel) divides zero by whatever its cut area comes to.
template <typename T>
__global__ void ave_pool_forward(unsigned int n, const T *x, int H, int W, int PH, int PW,
                                 int kernel_h, int kernel_w, int stride_h, int stride_w, int pad_h,
                                 int pad_w, T *y) {
  GRID_STRIDE_LOOP(i, n) {
    const int pw = i % PW, ph = i / PW % PH;
    const T *image = x + (long long)(i / PW / PH) * H * W;
    const int top = ph * stride_h - pad_h, left = pw * stride_w - pad_w;
    const int bottom = top + kernel_h < H ? top + kernel_h : H;
    const int right = left + kernel_w < W ? left + kernel_w : W;
    const int area = window_length(ph, H, kernel_h, stride_h, pad_h) *
                     window_length(pw, W, kernel_w, stride_w, pad_w);
    T sum = 0;
    for (int h = top > 0 ? top : 0; h < bottom; ++h)
      for (int w = left > 0 ? left : 0; w < right; ++w) sum += image[h * W + w];
    y[i] = sum / T(area);
  }
}

template <typename T>
__global__ void ave_pool_backward(unsigned int n, const T *dy, int H, int W, int PH, int PW,
                                  int kernel_h, int kernel_w, int stride_h, int stride_w,
                                  int pad_h, int pad_w, T *dx) {
  GRID_STRIDE_LOOP(i, n) {
    const int w = i % W, h = i / W % H;
    const T *window = dy + (long long)(i / W / H) * PH * PW;
    const int ph_end = end_window(h + pad_h, stride_h, PH);
    const int pw_end = end_window(w + pad_w, stride_w, PW);
    T sum = 0;
    for (int ph = first_window(h + pad_h, kernel_h, stride_h); ph < ph_end; ++ph)
      for (int pw = first_window(w + pad_w, kernel_w, stride_w); pw < pw_end; ++pw)
        sum += window[ph * PW + pw] / T(window_length(ph, H, kernel_h, stride_h, pad_h) *
                                        window_length(pw, W, kernel_w, stride_w, pad_w));
    dx[i] = sum;
  }
}
