"""Put images into a containerd without a registry, so that the kubelet finds them by digest."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

from builder.construct import Built
from builder.errors import BuildError


@dataclass(frozen=True)
class Containerd:
    """A containerd by its socket and namespace (`k8s.io` is the kubelet's)."""

    address: str
    namespace: str = "k8s.io"

    def ctr(self, *arguments: str) -> str:
        command = ["ctr", "--address", self.address, "--namespace", self.namespace, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BuildError(f"ctr {' '.join(arguments[:2])}: {done.stderr.strip()}")
        return done.stdout

    def names(self) -> set[str]:
        return set(self.ctr("images", "list", "--quiet").splitlines())

    def load(self, built: Built, present: set[str]) -> bool:
        """Import an image unless it is there; returns whether anything changed.

        The archive names it by tag; the name by digest, which manifests use, is added: containerd looks names up and
        does not derive them.
        """
        if {built.reference, built.tag} <= present:
            return False
        self.ctr("images", "import", "--no-unpack=false", str(built.archive))
        self.ctr("images", "tag", "--force", built.tag, built.reference)
        return True
