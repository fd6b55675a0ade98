"""Whether this computer boots a guest of KVM."""

from __future__ import annotations

import pytest

from lab.computer import Answer
from lab.doctor import kvm
from lab.tests.computer_fakes import Scripted


def test_a_guest_that_boots_is_the_proof() -> None:
    assert kvm.kvm_error(Scripted()) == ""


def test_the_module_pvm_is_no_kvm_unless_a_real_one_is_beside_it() -> None:
    assert "kvm_pvm" in (kvm.kvm_error(Scripted(there={"/dev/kvm", "/sys/module/kvm_pvm"})) or "")
    both = Scripted(there={"/dev/kvm", "/sys/module/kvm_pvm", "/sys/module/kvm_amd", "/boot/vmlinuz"})
    assert kvm.kvm_error(both) == ""


@pytest.mark.parametrize("probe", [Scripted(programs=set()), Scripted(there={"/dev/kvm", "/sys/module/kvm_intel"})])
def test_what_cannot_be_booted_is_not_known(probe: Scripted) -> None:
    assert kvm.kvm_error(probe) is None


def test_a_guest_that_does_not_boot() -> None:
    probe = Scripted()
    probe.answers["qemu-system-x86_64 -accel"] = Answer(None, "no answer within 10 s")

    assert "did not boot" in (kvm.kvm_error(probe) or "")


@pytest.mark.parametrize(
    ("there", "flags", "word"), [("", "vmx", "no /dev/kvm"), ("", "fpu", "neither"), ("/dev/kvm", "svm", "may not open")]
)
def test_a_device_that_is_absent_or_closed(there: str, flags: str, word: str) -> None:
    probe = Scripted(devices={"/dev/null"}, there={there})
    probe.files["/proc/cpuinfo"] = f"flags : fpu {flags} sse"

    assert word in (kvm.kvm_error(probe) or "")
