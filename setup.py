"""Packaging of caffe_lrcn."""
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent

setup(
    name="caffe_lrcn",
    version="0.1.0",
    description="Trains and runs Caffe networks with recurrent layers, on a CPU or a GPU",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="BSD-2-Clause",
    python_requires=">=3.10",
    # The default definitions stand at the top of the repository and travel inside the package.
    packages=[*find_packages(include=["caffe_lrcn", "caffe_lrcn.*"]), "caffe_lrcn.prototxt"],
    package_dir={"caffe_lrcn.prototxt": "prototxt"},
    package_data={
        "caffe_lrcn": ["py.typed"],
        "caffe_lrcn.proto": ["*.pyi"],
        "caffe_lrcn.prototxt": ["*.prototxt", "zoo/*/*.prototxt", "captioning/*.prototxt",
                                 "description/*.prototxt", "description/small/*.prototxt"],
        "caffe_lrcn.backends.cuda": ["*.cu", "*.cuh", "*.h"],
    },
    install_requires=[
        "numpy>=1.24",
        "protobuf>=4.25",
        "h5py>=3.8",
        "pillow>=10.1",
        "scipy>=1.10",
        "nltk>=3.8",
        "threadpoolctl>=3.1",
        "onednn-cpu-gomp>=2023.2; sys_platform == 'linux' and platform_machine == 'x86_64'",
    ],
    extras_require={
        "cuda12": ["cupy-cuda12x[ctk]>=14"],
        "cuda13": ["cupy-cuda13x[ctk]>=14"],
        "lmdb": ["lmdb>=1.4"],
        "leveldb": ["plyvel>=1.5"],
        "video": ["av>=12"],
        "flow": ["opencv-contrib-python-headless>=4.6"],
        "official": ["pycocoevalcap>=1.2"],
        "tensorboard": ["tensorboardX>=2.6"],
        "completion": ["shtab>=1.8"],
        "dev": ["pytest>=7.4", "pytest-xdist>=3.3", "hypothesis>=6.80", "ruff>=0.5", "mypy>=1.8",
                "grpcio-tools>=1.59", "lmdb>=1.4", "av>=12"],
        "test": ["pytest>=7.4", "pytest-xdist>=3.3", "hypothesis>=6.80", "lmdb>=1.4",
                 "shtab>=1.8", "tensorboardX>=2.6", "setuptools>=61", "av>=12",
                 "wheel>=0.40"],
    },
    entry_points={"console_scripts": ["caffe-lrcn=caffe_lrcn.cli.main:main"]},
)
