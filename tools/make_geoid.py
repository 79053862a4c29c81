"""Make ``src/keepclear/geo/data/egm96_15min.npz`` from the EGM96 grid of the PyPI package ``egm96``.

Usage: ``pip install "egm96>=0.3" numpy`` on Python 3.12 or later, then ``python tools/make_geoid.py``. It prints the
worst error at the nodes of the 5-minute grid; `keepclear.geo.geoid.GEOID_ERROR_M` must not be smaller.
"""

from __future__ import annotations

from pathlib import Path

import egm96
import numpy as np
import numpy.typing as npt

OUTPUT = Path(__file__).parents[1] / "src" / "keepclear" / "geo" / "data" / "egm96_15min.npz"
COLUMNS = 4320  # 5 minutes
STEP = 3  # 15 minutes

Array = npt.NDArray[np.float64]


def main() -> None:
    """Fit, write, read back as the library does, and report."""
    grid = five_minute_grid_cm()
    # Rows run on over both poles and down the opposite meridian: then both directions are periodic.
    sphere = np.vstack([grid[:-1], np.roll(grid[:0:-1], COLUMNS // 2, axis=1)])
    fitted = fit(fit(sphere).T).T
    centimetres = np.round(fitted).astype(np.int32)
    write(centimetres[: COLUMNS // 2 // STEP + 1])
    misfit_cm = sphere - evaluate(evaluate(centimetres.astype(float)).T).T
    error_cm = np.abs(misfit_cm[: COLUMNS // 2 + 1])
    row, column = np.unravel_index(int(error_cm.argmax()), error_cm.shape)
    print(f"{OUTPUT.name}: {OUTPUT.stat().st_size} bytes")
    print(f"worst {error_cm.max():.2f} cm at {column / 12 - 180:.3f}, {row / 12 - 90:.3f}")
    print(f"root mean square {np.sqrt((error_cm**2).mean()):.2f} cm")
    between_cm = np.abs(half_way(half_way(misfit_cm).T))
    print(f"worst in the middle of 5-minute cells {between_cm.max():.2f} cm")


def five_minute_grid_cm() -> Array:
    """EGM96 at every 5 minutes, south to north, west to east from 180°W without the repeated column."""
    lat = np.arange(-COLUMNS // 4, COLUMNS // 4 + 1) / 12.0
    lon = np.arange(-COLUMNS // 2, COLUMNS // 2) / 12.0
    # At its nodes the package gives its stored whole centimetres; rounding removes the float32.
    return np.round(np.asarray(egm96.undulation(lat[:, None], lon[None, :])) * 100.0)


def kernel() -> Array:
    """Spectrum of the cubic B-spline with knots every `STEP` samples of a period of `COLUMNS`."""
    k = np.arange(COLUMNS)
    x = np.abs(((k + COLUMNS // 2) % COLUMNS - COLUMNS // 2) / STEP)
    spline = np.where(x < 1, 2 / 3 - x**2 + x**3 / 2, np.where(x < 2, (2 - x) ** 3 / 6, 0.0))
    return np.fft.fft(spline).real


def fit(samples: Array) -> Array:
    """Least-squares spline coefficients down the columns of `samples`: the normal equations are circulant."""
    spectrum = kernel()
    right = np.fft.ifft(np.fft.fft(samples, axis=0) * spectrum[:, None], axis=0).real[::STEP]
    normal = np.fft.fft(np.fft.ifft(spectrum**2).real[::STEP])
    return np.fft.ifft(np.fft.fft(right, axis=0) / normal[:, None], axis=0).real


def evaluate(coefficients: Array) -> Array:
    """The spline at every sample, down the columns."""
    sparse = np.zeros((COLUMNS, coefficients.shape[1]))
    sparse[::STEP] = coefficients
    return np.fft.ifft(np.fft.fft(sparse, axis=0) * kernel()[:, None], axis=0).real


def half_way(samples: Array) -> Array:
    """Values half a sample on, down the columns, by Fourier interpolation."""
    spectrum = np.fft.rfft(samples, axis=0)
    turn = np.exp(1j * np.pi * np.arange(len(spectrum)) / COLUMNS)
    return np.fft.irfft(spectrum * turn[:, None], n=COLUMNS, axis=0)


def write(centimetres: npt.NDArray[np.int32]) -> None:
    """Mixed differences along both axes, signs folded into the lowest bit, the two bytes apart: deflates best."""
    steps = np.diff(np.diff(centimetres, axis=1, prepend=0), axis=0, prepend=0)
    zigzag = ((steps << 1) ^ (steps >> 31)).astype(np.uint16)
    OUTPUT.parent.mkdir(exist_ok=True)
    np.savez_compressed(OUTPUT, high=(zigzag >> 8).astype(np.uint8), low=(zigzag & 255).astype(np.uint8))


if __name__ == "__main__":
    main()
