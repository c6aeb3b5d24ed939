"""The models and their migrations."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import almagest.config


def test_every_change_of_a_model_has_its_migration() -> None:
    app = Path(almagest.config.__file__).parents[2]
    variables = {**os.environ, "PYTHONPATH": str(app), "DJANGO_SETTINGS_MODULE": "almagest.config.project"}
    command = [sys.executable, "-m", "almagest", "makemigrations", "--check", "--dry-run", "--skip-checks"]
    answer = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
