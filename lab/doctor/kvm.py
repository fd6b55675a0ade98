"""Is /dev/kvm a KVM that boots a guest? The device opens, and every ioctl succeeds, on computers where no stock kernel boots.

So the module behind it is asked first, then a kernel is booted where one is at hand; else it is not known, which is not "yes".
"""

from __future__ import annotations

from lab.computer import Probe

KERNELS = ("/boot/vmlinuz", "/vmlinuz", "/boot/vmlinuz-linux")
BOOT_WITHIN = 10.0
BOOTED = "Linux version"


def kvm_error(computer: Probe, *, kernel: str = "") -> str | None:
    """Return why virtual machines do not run at full speed here; "" when a guest booted, None when nothing could be booted to see.

    `kernel` is booted in place of this computer's own.
    """
    if not computer.opens("/dev/kvm"):
        if computer.is_there("/dev/kvm"):
            return "/dev/kvm is there and this user may not open it"
        able = any(word in f" {computer.read('/proc/cpuinfo') or ''} " for word in (" vmx ", " svm "))
        return "no /dev/kvm" if able else "no /dev/kvm, and the CPU shows neither vmx nor svm"
    if computer.is_there("/sys/module/kvm_pvm") and not any(computer.is_there(f"/sys/module/kvm_{maker}") for maker in ("amd", "intel")):
        return "/dev/kvm is of the module kvm_pvm, which boots no stock kernel"
    return boot_kernel(computer, kernel)


def boot_kernel(computer: Probe, kernel: str = "") -> str | None:
    """Boot a kernel alone, this computer's own if none is named; "" when it spoke, None without qemu or a kernel. It ends in a panic."""
    emulator = next((name for name in ("qemu-system-x86_64", "qemu-system-aarch64") if computer.which(name)), None)
    release = (computer.read("/proc/sys/kernel/osrelease") or "").strip()
    kernels = (kernel,) if kernel else (f"/boot/vmlinuz-{release}", *KERNELS)
    kernel = next((path for path in kernels if computer.can_read(path)), "")
    if emulator is None or not kernel:
        return None
    options = ["-accel", "kvm", "-cpu", "host", "-m", "256", "-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot"]
    machine = ["-machine", "virt"] if emulator.endswith("aarch64") else []
    console = "ttyAMA0" if machine else "ttyS0"
    argv = [emulator, *machine, *options, "-kernel", kernel, "-append", f"console={console} earlyprintk=serial panic=-1"]
    answer = computer.ask(argv, within=BOOT_WITHIN)
    if BOOTED in answer.text:
        return ""
    return f"a guest did not boot within {BOOT_WITHIN:g} s: {answer.line or 'it printed nothing'}"
