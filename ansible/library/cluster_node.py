#!/usr/bin/python
"""Ansible module: one step of bringing up the node of a bare machine; the work is in the package `host`."""

from __future__ import annotations

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from host import bare
from host.errors import HostError
from host.layout import Layout

DOCUMENTATION = """
module: cluster_node
short_description: Prepare the host, start the node's programs, or let people in
options:
  step: {type: str, required: true, choices: [prepare, start, access]}
  cache: {type: path, required: true}
  state: {type: path, required: true}
  venv: {type: path, required: true}
  sandbox_image: {type: str, default: pause}
"""


def main() -> None:
    path = {"type": "path", "required": True}
    arguments = {
        "step": {"type": "str", "required": True, "choices": list(bare.STEPS)},
        "cache": path,
        "state": path,
        "venv": path,
        "sandbox_image": {"type": "str", "default": "pause"},
    }
    module = AnsibleModule(argument_spec=arguments)
    given = module.params
    layout = Layout(Path(given["cache"]), Path(given["state"]))
    try:
        changes = bare.STEPS[given["step"]](layout, Path(given["venv"]), given["sandbox_image"])
    except HostError as error:
        module.fail_json(msg=str(error))
    else:
        module.exit_json(changed=bool(changes), changes=changes)


if __name__ == "__main__":
    main()
