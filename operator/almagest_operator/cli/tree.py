"""An archive as a tree for the terminal; pure, so that its tests read like the screen."""

from __future__ import annotations

from rich.markup import escape
from rich.text import Text
from rich.tree import Tree

from almagest_operator.cli.archive import FINAL, View
from almagest_operator.model.status import ComponentStatus, Condition, ConditionStatus
from almagest_operator.status.conditions import DATASETS_LOADED, DEGRADED, MIGRATED, PROGRESSING, REFUSED, SERVED

_SHOWN = (SERVED, PROGRESSING, DEGRADED, MIGRATED, DATASETS_LOADED)
_GOOD_WHEN_FALSE = {PROGRESSING, DEGRADED}
_MARKS = {"good": ("✓", "green"), "bad": ("✗", "red"), "waiting": ("…", "yellow")}


def tree(view: View) -> Tree:
    """Name and readiness; where it is; the conditions; the components with their pods and what ails them."""
    reason, message = view.summary
    root = Tree(_line(_mood(view), f"[bold]{escape(view.name)}[/]", reason, message), guide_style="dim")
    facts = {"namespace": view.namespace, "environment": view.environment, "release": view.status.release or "-"}
    root.add(Text.from_markup("   ".join(f"[dim]{name}[/] {escape(value)}" for name, value in facts.items())))
    if view.status.endpoints is not None:
        for name, url in (("site", view.status.endpoints.site), ("TAP", view.status.endpoints.tap)):
            root.add(Text.from_markup(f"[dim]{name:4}[/] [link={url}]{escape(url or '-')}[/]"))
    conditions = root.add("conditions")
    for condition in view.status.conditions:
        if condition.type in _SHOWN:
            conditions.add(_line(_judge(condition), condition.type, condition.reason, condition.message))
    components = root.add("components")
    for component in view.status.components:
        components.add(_component(component))
    return root


def _mood(view: View) -> str:
    if view.ready:
        return "good"
    return "bad" if view.hopeless else "waiting"


def _judge(condition: Condition) -> str:
    if condition.status is ConditionStatus.UNKNOWN:
        return "waiting"
    if condition.reason in FINAL or condition.reason == REFUSED:
        return "bad"
    good = (condition.status is ConditionStatus.TRUE) != (condition.type in _GOOD_WHEN_FALSE)
    if good:
        return "good"
    return "bad" if condition.type == DEGRADED else "waiting"


def _component(component: ComponentStatus) -> Text:
    pods = "" if component.replicas is None else f"{component.ready_replicas or 0}/{component.replicas}"
    return _line("good" if component.ready else "waiting", f"{component.name:18}", pods, component.message)


def _line(mood: str, name: str, reason: str, message: str) -> Text:
    mark, colour = _MARKS[mood]
    told = f"  [dim]{escape(message)}[/]" if message else ""
    return Text.from_markup(f"[{colour}]{mark}[/] {name}  [{colour}]{escape(reason)}[/]{told}")
