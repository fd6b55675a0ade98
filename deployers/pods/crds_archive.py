"""A release's CRDs as the archive that `karmadactl init` and karmada-operator take: crds/{bases,patches}, as upstream publishes it.

Upstream makes it by `cp -r charts/karmada/_crds crds && tar zcf crds.tar.gz crds`; this is the same of the release's own directory,
and the same bytes each time, so that what is made from it does not change when nothing did.
"""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path


def crds_tarball(crds: Path) -> bytes:
    """Return the archive of a directory of CRDs. Entries are sorted, without owner and time, so that equal CRDs give equal bytes."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as tar:
        for path in [crds, *sorted(crds.rglob("*"))]:
            inside = Path("crds") / path.relative_to(crds)
            info = tarfile.TarInfo(str(inside))
            if path.is_dir():
                info.type, info.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(info)
            else:
                content = path.read_bytes()
                info.size, info.mode = len(content), 0o644
                tar.addfile(info, io.BytesIO(content))
    return packed.getvalue()
