"""Dense optical flow by variational warping (Brox, Bruhn, Papenberg and Weickert, ECCV 2004).

The flow w = (u, v) from the first picture to the second minimises

    E(u, v) = sum psi(|I2(x + w) - I1(x)|^2 + gamma |grad I2(x + w) - grad I1(x)|^2)
              + alpha sum psi(|grad u|^2 + |grad v|^2),      psi(s^2) = sqrt(s^2 + epsilon^2)

from coarse to fine. On each level the second picture is warped by the flow so far (the outer loop).
The equations for the increment are linearised by fixing the slopes of psi (the inner loop), which
leaves a sparse, symmetric, positive definite system; a few steps of preconditioned conjugate
gradients solve it. All of it is written on `xp`, so it runs with NumPy and with CuPy and does not
wait for a GPU.

Source: reference 21 of the LRCN paper, equations 4 to 12.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import UsageError

Array = Any


@dataclass(frozen=True)
class BroxSettings:
    """What the method leaves open. Grey values are 0 to 255.

    alpha: weight of smoothness. gamma: weight of gradient constancy. sigma: deviation of the
    Gaussian that smooths both pictures first, pixels. scale: side of a level over that of the next
    finer one. smallest: shortest side of the coarsest level, pixels. warps: warps per level.
    inner: fixed-point steps per warp. solver: conjugate gradient steps per fixed-point step.
    epsilon: rounds psi at 0.
    """

    alpha: float = 80.0
    gamma: float = 100.0
    sigma: float = 0.8
    scale: float = 0.9
    smallest: int = 12
    warps: int = 1
    inner: int = 3
    solver: int = 8
    epsilon: float = 0.001


def brox_flow(
    first: Array, second: Array, settings: BroxSettings | None = None, xp: Any = np
) -> Array:
    """Flow from `first` to `second`, (H, W, 2): x to the right, y downwards, pixels.

    first, second: (H, W) or (H, W, C), 0 to 255, of one shape. Raises UsageError.
    Source: equations 4 to 12 of Brox et al. 2004.
    """
    settings = settings or BroxSettings()
    if first.shape != second.shape or first.ndim not in (2, 3):
        raise UsageError(
            f"flow needs two pictures of one shape, (H, W) or (H, W, C); got {first.shape} and "
            f"{second.shape}"
        )
    pair = xp.stack([_planes(first, xp), _planes(second, xp)])
    sizes = level_sizes(pair.shape[-2:], settings)
    pair = _smooth(pair, settings.sigma, xp)
    flow = None
    for height, width in sizes:
        level = _resample(pair, height, width, xp)
        if flow is None:
            flow = xp.zeros((2, height, width), np.float32)
        else:
            flow = _resize_flow(flow, height, width, xp)
        for _ in range(settings.warps):
            flow = _improve(level[0], level[1], flow, settings, xp)
    return xp.ascontiguousarray(flow.transpose(1, 2, 0))


def level_sizes(shape: tuple[int, ...], settings: BroxSettings) -> list[tuple[int, int]]:
    """(H, W) of each level, coarsest first."""
    height, width = shape
    sizes: list[tuple[int, int]] = [(height, width)]
    factor = settings.scale
    while min(height, width) * factor >= settings.smallest:
        size = (round(height * factor), round(width * factor))
        if size != sizes[-1]:
            sizes.append(size)
        factor *= settings.scale
    return sizes[::-1]


def _planes(picture: Array, xp: Any) -> Array:
    picture = xp.asarray(picture, np.float32)
    return picture[None] if picture.ndim == 2 else picture.transpose(2, 0, 1)


# Resampling: each axis is a product with a small matrix, which NumPy and CuPy both do fast.


def _tent(size: int, wanted: int) -> np.ndarray:
    """(wanted, size): weights of a tent filter that spans one pixel of the coarser grid."""
    step = size / wanted
    reach = max(step, 1.0)
    centres = (np.arange(wanted) + 0.5) * step - 0.5
    weights = np.maximum(0, 1 - np.abs(np.arange(size) - centres[:, None]) / reach)
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)


def _gauss(size: int, sigma: float) -> np.ndarray:
    """(size, size): a Gaussian whose taps outside the picture are mirrored at its border."""
    matrix = np.zeros((size, size))
    radius = int(np.ceil(3 * sigma))
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / max(sigma, 1e-6)) ** 2)
    taps /= taps.sum()
    for offset, tap in zip(range(-radius, radius + 1), taps, strict=True):
        column = (np.arange(size) + offset) % (2 * size)
        column = np.where(column < size, column, 2 * size - 1 - column)
        np.add.at(matrix, (np.arange(size), column), tap)
    return matrix.astype(np.float32)


def _separable(planes: Array, rows: np.ndarray, columns: np.ndarray, xp: Any) -> Array:
    return xp.matmul(xp.matmul(xp.asarray(rows), planes), xp.asarray(columns.T))


def _smooth(planes: Array, sigma: float, xp: Any) -> Array:
    height, width = planes.shape[-2:]
    return _separable(planes, _gauss(height, sigma), _gauss(width, sigma), xp)


def _resample(planes: Array, height: int, width: int, xp: Any) -> Array:
    if planes.shape[-2:] == (height, width):
        return planes
    return _separable(planes, _tent(planes.shape[-2], height), _tent(planes.shape[-1], width), xp)


def _resize_flow(flow: Array, height: int, width: int, xp: Any) -> Array:
    ratio = np.array([width / flow.shape[2], height / flow.shape[1]], np.float32)
    return _resample(flow, height, width, xp) * xp.asarray(ratio)[:, None, None]


# Derivatives, with the border repeated.


def _along_x(planes: Array, xp: Any) -> Array:
    """d/dx by the five-point central difference."""
    edge = xp.pad(planes, [(0, 0)] * (planes.ndim - 1) + [(2, 2)], mode="edge")
    return (8 * (edge[..., 3:-1] - edge[..., 1:-3]) - (edge[..., 4:] - edge[..., :-4])) / 12


def _along_y(planes: Array, xp: Any) -> Array:
    return xp.swapaxes(_along_x(xp.swapaxes(planes, -1, -2), xp), -1, -2)


def _improve(first: Array, second: Array, flow: Array, settings: BroxSettings, xp: Any) -> Array:
    """One warp: linearise around `flow` and return the flow with its increment."""
    tensor = _motion_tensor(first, second, flow, settings.gamma, xp)
    total = flow.copy()
    for _ in range(settings.inner):
        change = total - flow
        total = _solve(_weigh(tensor, change, flow, total, settings, xp), total, settings, xp)
    return total


def _motion_tensor(first: Array, second: Array, flow: Array, gamma: float, xp: Any) -> Array:
    """(6, H, W): J11, J12, J22, J13, J23, J33 of the linearised data term, summed over channels.

    The data term inside psi is (du, dv, 1) J (du, dv, 1)^T.
    """
    channels = len(first)
    # Channels, then their first and second derivatives, of the second picture at x + w.
    x, y = _along_x(second, xp), _along_y(second, xp)
    stack = xp.concatenate([second, x, y, _along_x(x, xp), _along_y(x, xp), _along_y(y, xp)])
    warped, inside = _warp(stack, flow, xp)
    value, x, y, xx, xy, yy = (warped[k * channels : (k + 1) * channels] for k in range(6))
    first_x, first_y = _along_x(first, xp), _along_y(first, xp)
    # Each term is linear: residual + a du + b dv.
    terms = (
        (x, y, value - first, 1.0),
        (xx, xy, x - first_x, gamma),
        (xy, yy, y - first_y, gamma),
    )
    tensor = xp.zeros((6, *first.shape[1:]), np.float32)
    for a, b, residual, weight in terms:
        for row, product in enumerate(
            (a * a, a * b, b * b, a * residual, b * residual, residual * residual)
        ):
            tensor[row] += np.float32(weight) * product.sum(0)
    return tensor * inside


def _warp(planes: Array, flow: Array, xp: Any) -> tuple[Array, Array]:
    """Planes at x + w, bilinear, and a mask (H, W) of the places that lie inside the picture."""
    count, height, width = planes.shape
    x = xp.arange(width, dtype=np.float32) + flow[0]
    y = xp.arange(height, dtype=np.float32)[:, None] + flow[1]
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    x, y = xp.clip(x, 0, width - 1), xp.clip(y, 0, height - 1)
    left = xp.minimum(x.astype(np.int32), max(width - 2, 0))
    upper = xp.minimum(y.astype(np.int32), max(height - 2, 0))
    across, down = (x - left).ravel()[:, None], (y - upper).ravel()[:, None]
    pixels = xp.ascontiguousarray(planes.reshape(count, -1).T)  # a pixel's values side by side
    corner = (upper * width + left).ravel()
    right, below = min(1, width - 1), width * min(1, height - 1)
    top = pixels[corner] * (1 - across) + pixels[corner + right] * across
    bottom = pixels[corner + below] * (1 - across) + pixels[corner + below + right] * across
    mixed = top * (1 - down) + bottom * down
    return xp.ascontiguousarray(mixed.T).reshape(planes.shape), inside.astype(np.float32)


def _weigh(
    tensor: Array, change: Array, flow: Array, total: Array, settings: BroxSettings, xp: Any
) -> tuple[Array, ...]:
    """The linear system of one fixed-point step: a, b, c, right, across, down.

    a, b, c (H, W): the data term's matrix [[a, b], [b, c]]; right (2, H, W): the right side for the
    total flow; across (H, W - 1), down (H - 1, W): weights of the edges between neighbours.
    """
    square = np.float32(settings.epsilon**2)
    j11, j12, j22, j13, j23, j33 = tensor
    du, dv = change
    misfit = j11 * du * du + j22 * dv * dv + j33 + 2 * (j12 * du * dv + j13 * du + j23 * dv)
    slope = 1 / xp.sqrt(xp.maximum(misfit, 0) + square)
    a, b, c = j11 * slope, j12 * slope, j22 * slope
    right = _blocks(a, b, c, flow, xp) - slope * tensor[3:5]
    across, down = _edge_weights(total, settings, xp)
    return a, b, c, right, across, down


def _edge_weights(total: Array, settings: BroxSettings, xp: Any) -> tuple[Array, Array]:
    """alpha psi' of the flow's gradient, at pixels, averaged onto the edges between them."""
    x = xp.zeros_like(total)
    y = xp.zeros_like(total)
    x[:, :, 1:-1] = (total[:, :, 2:] - total[:, :, :-2]) / 2
    y[:, 1:-1] = (total[:, 2:] - total[:, :-2]) / 2
    slope = settings.alpha / xp.sqrt(
        (x * x).sum(0) + (y * y).sum(0) + np.float32(settings.epsilon**2)
    )
    slope = slope.astype(np.float32)
    return (slope[:, 1:] + slope[:, :-1]) / 2, (slope[1:] + slope[:-1]) / 2


def _solve(system: tuple[Array, ...], start: Array, settings: BroxSettings, xp: Any) -> Array:
    """Conjugate gradients, preconditioned by the 2x2 blocks of the diagonal, from `start`."""
    a, b, c, right, across, down = system
    spread = xp.zeros_like(a)
    spread[:, :-1] += across
    spread[:, 1:] += across
    spread[:-1] += down
    spread[1:] += down
    # A little more than nothing: a pixel without neighbours and without texture stays still.
    a, c = a + spread + np.float32(1e-6), c + spread + np.float32(1e-6)
    scale = 1 / (a * c - b * b)
    inverse = (c * scale, -b * scale, a * scale)

    def apply(w: Array) -> Array:
        out = _blocks(a, b, c, w, xp)
        out[:, :, :-1] -= across * w[:, :, 1:]
        out[:, :, 1:] -= across * w[:, :, :-1]
        out[:, :-1] -= down * w[:, 1:]
        out[:, 1:] -= down * w[:, :-1]
        return out

    w = start.copy()
    residual = right - apply(w)
    direction = _blocks(*inverse, residual, xp)
    strength = xp.vdot(residual, direction)
    for step in range(settings.solver):
        product = apply(direction)
        rate = strength / xp.maximum(xp.vdot(direction, product), 1e-30)
        w += rate * direction
        if step + 1 == settings.solver:
            break
        residual -= rate * product
        better = _blocks(*inverse, residual, xp)
        before, strength = strength, xp.vdot(residual, better)
        direction = better + (strength / xp.maximum(before, 1e-30)) * direction
    return w


def _blocks(a: Array, b: Array, c: Array, w: Array, xp: Any) -> Array:
    return xp.stack([a * w[0] + b * w[1], b * w[0] + c * w[1]])
