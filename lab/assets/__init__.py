"""Assets: every external thing the lab needs, pinned in `assets.toml`, brought by one function into one cache.

    Supply(source="auto", offline=False, bundle=None, mirror=None, image_registry=None, progress=ignore_progress).resolve(names)

A `Supply` holds the choices of one command; it is made once, by the layer above, which has pins of its own, and is handed on.
`names` are AssetRefs or their text: "kube-apiserver@1.35.4", "etcd" (the first pinned version), "kwok-stages" (a directory).
On return every path is there, whole, and of the pinned version; a binary is executable and its file is called as the asset
("…/etcd"). A second call costs a few stat calls a thing. Only what is named is brought. Any number of runs may do this at
once; it may be interrupted at any moment.

`source`: "download" (official release files, `mirror` in their stead), "build" (upstream's Go module by the ordinary Go client),
"bundle" (an archive that `lab bundle` wrote), or "auto": the first that works, in the order bundle (if one is given), download,
build; the "ready" event says which and why no earlier one. `offline` forbids the network: cache and bundle only.
`progress` hears Progress events; `pace_lines(print)` writes them as plain lines.

`.entries(names)` also says where each came from, `.pack(names, target)` writes a bundle. `lab.assets.stock` lists, verifies and prunes
the cache.

Errors: UsageError (no such asset or version, not a bundle), NotPossible (no source works here, with the reason of each; disk full),
ProvisionError (wrong checksum, does not compile, damaged bundle).
"""

from __future__ import annotations

from lab.assets.cache import Cache, CacheEntry
from lab.assets.pins import Catalogue, Pin
from lab.assets.progress import AssetProgress, Sink, ignore_progress, pace_lines
from lab.assets.refs import AssetRef
from lab.assets.resolve import Supply

__all__ = [
    "AssetProgress",
    "AssetRef",
    "Cache",
    "CacheEntry",
    "Catalogue",
    "Pin",
    "Sink",
    "Supply",
    "ignore_progress",
    "pace_lines",
]
