"""Which files the shell of the workbench loads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from almagest.workbench.built import BASE, Assets, assets
from support.archives import ROOT

MANIFEST = {
    "src/main.tsx": {"file": "assets/main-1.js", "imports": ["_shared.js"], "css": ["assets/main-1.css"]},
    "_shared.js": {"file": "assets/shared-2.js", "css": ["assets/shared-2.css"]},
    "src/query/Workbench.tsx": {"file": "assets/work-3.js", "imports": ["_shared.js", "src/main.tsx", "_jobs.js"]},
    "_jobs.js": {"file": "assets/jobs-4.js", "imports": ["_shared.js"], "css": ["assets/jobs-4.css"]},
    "src/jobs/JobList.tsx": {"file": "assets/list-5.js"},
}


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / ".vite").mkdir()
    (tmp_path / ".vite/manifest.json").write_text(json.dumps(MANIFEST))
    return tmp_path


def test_the_entry_is_loaded_with_what_it_and_the_workbench_need_each_once(built: Path) -> None:
    place = "/static/frontend/assets"
    assert assets(built) == Assets(
        script=f"{place}/main-1.js",
        sheets=(f"{place}/main-1.css", f"{place}/shared-2.css", f"{place}/jobs-4.css"),
        preloads=(f"{place}/shared-2.js", f"{place}/work-3.js", f"{place}/jobs-4.js"),
    )


def test_without_a_build_there_is_nothing_to_load(tmp_path: Path) -> None:
    assert assets(tmp_path) is None


def test_a_new_build_is_seen_without_a_restart(built: Path) -> None:
    before = assets(built)
    manifest = {**MANIFEST, "src/main.tsx": {"file": "assets/main-9.js"}}
    (built / ".vite/manifest.json").write_text(json.dumps(manifest))
    after = assets(built)
    assert before is not None
    assert after is not None
    assert (before.script, after.script) == ("/static/frontend/assets/main-1.js", "/static/frontend/assets/main-9.js")


def test_scripts_load_others_from_where_the_page_has_them() -> None:
    assert f'const BASE = "{BASE}";' in (ROOT / "app/frontend/vite.config.ts").read_text()
