#!/usr/bin/python
"""Ansible module: run a long command with its output in a log, and tell from its words whether it changed anything."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: logged_command
short_description: Run a command, its output appended to a log that people can follow
options:
  argv: {type: list, elements: str, required: true}
  log: {type: path, required: true}
  changed: {type: str, required: true, description: expression that a line matches when something changed}
"""


def main() -> None:
    arguments = {
        "argv": {"type": "list", "elements": "str", "required": True},
        "log": {"type": "path", "required": True},
        "changed": {"type": "str", "required": True},
    }
    module = AnsibleModule(argument_spec=arguments)
    command, log = module.params["argv"], Path(module.params["log"])
    log.parent.mkdir(parents=True, exist_ok=True)
    output = []
    with log.open("a") as handle:
        handle.write(f"$ {' '.join(command)}\n")
        handle.flush()
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            for line in process.stdout or ():
                handle.write(line)
                handle.flush()
                output.append(line.rstrip())
    changed = any(re.search(module.params["changed"], line) for line in output)
    if process.returncode:
        module.fail_json(
            msg="\n".join(output[-12:]) or f"{command[0]} ended with {process.returncode}", changed=changed
        )
    module.exit_json(changed=changed, stdout="\n".join(output))


if __name__ == "__main__":
    main()
