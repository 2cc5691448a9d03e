// Convolution as a matrix product: im2col lays out every window as a column, col2im adds columns
// back to the image. Up to three spatial axes; with fewer, the leading ones have size 1.
//
//   x       (images, C, in[0], in[1], in[2])
//   columns (images, C * window, out[0] * out[1] * out[2]), window = kernel[0] * kernel[1] *
//           kernel[2]; row c * window + offset holds, for each output position, the pixel of
//           channel c at that offset of the position's window, or zero in the padding
//
// Both outputs are overwritten. col2im gathers: the thread of a pixel visits the columns that
// hold it, so no two threads add to the same place.
// Source: Caffe's im2col; Chellapilla et al., "High performance convolutional neural networks".
#include "common.cuh"

// 18 integers a convolution: six facts for each of the three axes.
struct Geometry {
  const int *in, *kernel, *stride, *pad, *dilation, *out;
};

__device__ Geometry read_geometry(const int *table) {
  const Geometry g = {table, table + 3, table + 6, table + 9, table + 12, table + 15};
  return g;
}

// Pixel under kernel offset `offset` of output position `position` along one axis, or -1.
__device__ int pixel_of(const Geometry &g, int axis, int position, int offset) {
  const int at = position * g.stride[axis] - g.pad[axis] + offset * g.dilation[axis];
  return at >= 0 && at < g.in[axis] ? at : -1;
}

// Output position whose window has pixel `at` under kernel offset `offset`, or -1.
__device__ int position_of(const Geometry &g, int axis, int at, int offset) {
  const int start = at + g.pad[axis] - offset * g.dilation[axis];
  if (start < 0 || start % g.stride[axis] != 0) return -1;
  return start / g.stride[axis] < g.out[axis] ? start / g.stride[axis] : -1;
}

// item = (image * C + c) * positions + position; the thread writes the `window` values of its
// channel and position.
template <typename T>
__global__ void im2col(unsigned int n, const T *x, const int *geometry, T *columns) {
  const Geometry g = read_geometry(geometry);
  const int positions = g.out[0] * g.out[1] * g.out[2];
  const int window = g.kernel[0] * g.kernel[1] * g.kernel[2];
  GRID_STRIDE_LOOP(item, n) {
    const int plane = item / positions, position = item % positions;
    const int p2 = position % g.out[2], p1 = position / g.out[2] % g.out[1];
    const int p0 = position / g.out[2] / g.out[1];
    const T *image = x + (long long)plane * g.in[0] * g.in[1] * g.in[2];
    T *column = columns + (long long)plane * window * positions + position;
    for (int k0 = 0; k0 < g.kernel[0]; ++k0) {
      const int a0 = pixel_of(g, 0, p0, k0);
      for (int k1 = 0; k1 < g.kernel[1]; ++k1) {
        const int a1 = pixel_of(g, 1, p1, k1);
        for (int k2 = 0; k2 < g.kernel[2]; ++k2) {
          const int a2 = pixel_of(g, 2, p2, k2);
          const bool inside = a0 >= 0 && a1 >= 0 && a2 >= 0;
          *column = inside ? image[(a0 * g.in[1] + a1) * g.in[2] + a2] : T(0);
          column += positions;
        }
      }
    }
  }
}

// item = (image * C + c) * pixels + pixel
template <typename T>
__global__ void col2im(unsigned int n, const T *columns, const int *geometry, T *x) {
  const Geometry g = read_geometry(geometry);
  const int positions = g.out[0] * g.out[1] * g.out[2], pixels = g.in[0] * g.in[1] * g.in[2];
  const int window = g.kernel[0] * g.kernel[1] * g.kernel[2];
  GRID_STRIDE_LOOP(item, n) {
    const int plane = item / pixels, pixel = item % pixels;
    const int a2 = pixel % g.in[2], a1 = pixel / g.in[2] % g.in[1];
    const int a0 = pixel / g.in[2] / g.in[1];
    const T *column = columns + (long long)plane * window * positions;
    T sum = 0;
    for (int k0 = 0; k0 < g.kernel[0]; ++k0) {
      const int p0 = position_of(g, 0, a0, k0);
      for (int k1 = 0; k1 < g.kernel[1]; ++k1) {
        const int p1 = position_of(g, 1, a1, k1);
        for (int k2 = 0; k2 < g.kernel[2]; ++k2) {
          const int p2 = position_of(g, 2, a2, k2);
          if (p0 >= 0 && p1 >= 0 && p2 >= 0)
            sum += column[(p0 * g.out[1] + p1) * g.out[2] + p2];
          column += positions;
        }
      }
    }
    x[item] = sum;
  }
}
