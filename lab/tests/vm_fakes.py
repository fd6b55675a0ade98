"""The identity of a virtual machine."""

from __future__ import annotations

from lab.factories.vm.identity import Identity

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\nBBBB\n-----END OPENSSH PRIVATE KEY-----\n"
IDENTITY = Identity("m1", "10.220.0.10", 24, "10.220.0.1", "52:54:00:01:02:03", KEY, "ssh-ed25519 AAAA", "ssh-ed25519 it's mine")
