"""Images of Kubernetes itself."""

from __future__ import annotations

import pytest

from lab.errors import NotPossible
from lab.images import missing_software
from lab.images.kubernetes import list_kubeadm_images


def test_kubeadms_images_are_made_of_pinned_assets() -> None:
    names = ["kube-apiserver:v1.35.4", "kube-proxy:v1.35.4", "coredns/coredns:v1.13.1", "pause:3.10.1", "etcd:3.6.6-0"]
    images = list_kubeadm_images([f"registry.k8s.io/{name}" for name in names], "1.35.4")

    assert [image.name for image in images] == [f"registry.k8s.io/{name}" for name in names]
    assert {"kube-apiserver@1.35.4", "kube-proxy@1.35.4", "coredns@1.13.1", "etcd@3.6.5"} <= set(missing_software(images))
    with pytest.raises(NotPossible, match="novel"):
        list_kubeadm_images(["registry.k8s.io/novel:v1"], "1.35.4")
