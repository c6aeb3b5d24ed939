"""STILTS: the VO's validators, and a client. Its exit codes tell little: what it writes is what counts."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, order=True)
class Finding:
    """What taplint found. code: `<level>-<stage>-<what>`, as its text output has it, e.g. `E-UWS-JREJ`."""

    code: str
    text: str


# Most runs end before a second compiler, or a collector in threads of its own, has paid for itself.
_QUICK = ("-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC")


def run(*arguments: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """One task of stilts."""
    return subprocess.run(["stilts", *_QUICK, *arguments], capture_output=True, text=True, timeout=timeout, check=False)


def taplint(tap: str, proxy: int | None = None) -> list[Finding]:
    """Every failure, error and warning of all of taplint's stages. proxy: port of one on this machine to go through."""
    through = ["-Dhttp.proxyHost=127.0.0.1", f"-Dhttp.proxyPort={proxy}"] if proxy else []
    done = run(*through, "taplint", f"tapurl={tap}", "format=json", "report=EWF", "maxrepeat=20", timeout=1200)
    assert done.returncode == 0, done.stderr
    sections = json.loads(done.stdout)["sections"]
    assert len(sections) > 10, "taplint gave up before its stages"
    return [
        Finding(f"{report['level'][0]}-{section['code']}-{report['code']}", _text(report))
        for section in sections
        for report in section["reports"]
        if "text" in report
    ]


def votlint(document: Path) -> list[str]:
    """What is wrong with a VOTable, UCDs and units included."""
    return _complaints(run("votlint", f"votable={document}"))


def xsdvalidate(document: Path) -> list[str]:
    """What the IVOA's schemas, which stilts brings along, forbid in a document."""
    return _complaints(run("xsdvalidate", f"doc={document}", "uselocals=true"))


def _text(report: dict[str, object]) -> str:
    error = report.get("error")
    return f"{report['text']} ({error['errmsg']})" if isinstance(error, dict) else str(report["text"])


def _complaints(done: subprocess.CompletedProcess[str]) -> list[str]:
    lines = (done.stdout + done.stderr).splitlines()
    found = [line for line in lines if re.match(r"\s*(WARNING|ERROR|FATAL|FAILURE)\b", line)]
    return found or ([] if done.returncode == 0 else lines or [f"exit code {done.returncode}"])
