"""Write the lock files: every dependency with its hashes and no registry's address."""

import subprocess
import sys

LOCKS = {
    "requirements/host.txt": ["--universal", "--python-version=3.11", "--extra=operator", "--group=host"],
    "requirements/dev.txt": ["--universal", "--python-version=3.11", "--all-extras", "--group=host", "--group=dev"],
    "requirements/app.txt": ["--python-version=3.13", "--extra=app", "--extra=demo"],
    "requirements/node.txt": ["--python-version=3.13", "--group=frontend"],
    "requirements/operator.txt": ["--python-version=3.13", "--extra=operator"],
}
COMMON = ["--quiet", "--generate-hashes", "--no-emit-index-url", "--no-annotate", "--custom-compile-command=make lock"]

for path, options in LOCKS.items():
    sys.stdout.write(f"{path}\n")
    subprocess.run(["uv", "pip", "compile", *COMMON, *options, "pyproject.toml", "--output-file", path], check=True)
