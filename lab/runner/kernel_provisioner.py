"""How jupyter_client gets a kernel that is forked instead of started as a program."""

from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import LocalProvisioner

from lab.runner.kernel_forks import ForkedKernel


class ForkingProvisioner(LocalProvisioner):
    """jupyter_client's own, with a fork for its process, which opens the file that start_kernel was given by itself."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        # cmd is [python, -m, lab.kernels, ...]
        self.process = ForkedKernel(cmd[3:], kwargs["env"], kwargs["cwd"], kwargs["stdout"].name)
        self.pid = self.pgid = self.process.pid  # its first step is a session of its own
        return self.connection_info
