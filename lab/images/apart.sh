# In the container that becomes a node image: containerd has imported and unpacked images below $1, a volume, and is ended.
#
# What is written once and never changed, layers and blobs, goes to /kind/images, a part of the image that all nodes share; links stand
# where containerd looks for it. So what remains in /var, which is copied for each node that starts, is small, and nothing is unpacked
# there. (An overlay's lower directory may be on an overlay itself; its upper one, which containerd makes for each container, may not.)
set -eu
from=$1 to=/var/lib/containerd apart=/kind/images
blobs=io.containerd.content.v1.content/blobs/sha256
mkdir -p "$apart/layers" "$apart/blobs" "$to"

for snapshot in "$from"/io.containerd.snapshotter.v1.overlayfs/snapshots/*; do
    layer=$apart/layers/${snapshot##*/}
    mv "$snapshot/fs" "$layer"
    ln -s "$layer" "$snapshot/fs"
done
for blob in "$from/$blobs"/*; do
    mv "$blob" "$apart/blobs/"
    ln -s "$apart/blobs/${blob##*/}" "$blob"
done
cp -a "$from/." "$to/"
