#!/usr/bin/python
"""Ansible module: Debian packages that must be there, without Debian's Python bindings and in a tenth of a second."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: debian_packages
short_description: Install those of the named Debian packages that are missing
options:
  names: {type: list, elements: str, required: true}
  log: {type: path, required: true, description: where apt's output goes}
"""


def missing(names: list[str]) -> list[str]:
    """Those that dpkg does not have installed."""
    query = ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\n", *names]
    done = subprocess.run(query, capture_output=True, text=True, check=False)
    states = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    return [name for name in names if states.get(name) != "installed"]


def main() -> None:
    names = {"type": "list", "elements": "str", "required": True}
    arguments = {"names": names, "log": {"type": "path", "required": True}}
    module = AnsibleModule(argument_spec=arguments, supports_check_mode=True)
    wanted = missing(module.params["names"])
    if not wanted or module.check_mode:
        module.exit_json(changed=bool(wanted), installed=wanted)
    log = Path(module.params["log"])
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *wanted]
    with log.open("a") as handle:
        for command in (["apt-get", "update"], install):
            done = subprocess.run(command, stdout=handle, stderr=subprocess.STDOUT, env=environment, check=False)
            if done.returncode:
                module.fail_json(msg=f"`{' '.join(command[:2])}` failed for {' '.join(wanted)}: see {log}")
    module.exit_json(changed=True, installed=wanted)


if __name__ == "__main__":
    main()
