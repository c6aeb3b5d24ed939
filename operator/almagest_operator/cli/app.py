"""The verbs and their options; every verb is one call into its module."""

from __future__ import annotations

import asyncio
import enum
import json
import sys
import webbrowser
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console

from almagest_operator.apply.client import ApiError, Client, NoClusterError, connect
from almagest_operator.cli import wait as following
from almagest_operator.cli.archive import View, find, names
from almagest_operator.cli.errors import NO_ANSWER, NOT_READY, CommandError, explain
from almagest_operator.cli.logs import logs as print_logs
from almagest_operator.cli.render import render as render_files
from almagest_operator.cli.tree import tree
from almagest_operator.cli.val import val as judge
from almagest_operator.model.base import seconds
from almagest_operator.model.text import as_yaml

T = TypeVar("T")

app = typer.Typer(
    help="Look at astronomical archives on Kubernetes.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class Output(enum.StrEnum):
    TREE = "tree"
    JSON = "json"
    YAML = "yaml"


def _complete(context: typer.Context, incomplete: str) -> list[str]:
    """Names of archives for the shell's completion, which shows nothing rather than an error."""
    found = context.params

    async def ask(client: Client) -> list[str]:
        async with asyncio.timeout(2):
            return await names(client, found.get("namespace") or client.namespace)

    try:
        every = _run(ask, found.get("context"), found.get("kubeconfig"))
    except (CommandError, NoClusterError, TimeoutError):
        return []
    return [name for name in every if name.startswith(incomplete)]


Name = Annotated[str, typer.Argument(help="Name of the Archive.", autocompletion=_complete)]
Namespace = Annotated[str | None, typer.Option("--namespace", "-n", help="Default: the context's namespace.")]
Context = Annotated[str | None, typer.Option("--context", help="Context of the kubeconfig; default: the current one.")]
Kubeconfig = Annotated[str | None, typer.Option("--kubeconfig", help="Default: $KUBECONFIG, then ~/.kube/config.")]


@app.command()
def status(
    name: Name,
    namespace: Namespace = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="How to write it.")] = Output.TREE,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Redraw until interrupted.")] = False,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Show how an archive is. Exit code: 0 ready, 1 not ready, 2 not found, 3 the cluster cannot be asked."""
    console = _console()

    async def ask(client: Client) -> View:
        if watch:
            await following.watch(client, name, namespace or client.namespace, console)
        return await find(client, name, namespace or client.namespace)

    view = _run(ask, context, kubeconfig)
    if output is Output.JSON:
        typer.echo(json.dumps(view.json(), indent=2, ensure_ascii=False))
    elif output is Output.YAML:
        typer.echo(as_yaml(view.json()), nl=False)
    else:
        console.print(tree(view))
    raise typer.Exit(0 if view.ready else NOT_READY)


@app.command()
def wait(
    name: Name,
    namespace: Namespace = None,
    timeout: Annotated[str, typer.Option("--timeout", help="How long, e.g. 90s, 15m, or a number of seconds.")] = "15m",
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Wait until an archive is ready, and show what it is doing meanwhile."""
    limit = float(timeout) if timeout.isdecimal() else seconds(timeout)
    if not limit:
        raise CommandError(f"--timeout {timeout!r} is no length of time; try 90s or 15m")

    async def ask(client: Client) -> None:
        await following.wait(client, name, namespace or client.namespace, limit, _console())

    _run(ask, context, kubeconfig)


@app.command()
def logs(
    name: Name,
    component: Annotated[str | None, typer.Argument(help="E.g. `web`, `worker-short`, `datadb`; default: all.")] = None,
    namespace: Namespace = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as new lines come.")] = False,
    tail: Annotated[int | None, typer.Option("--tail", min=0, help="Only so many lines of each container.")] = None,
    previous: Annotated[bool, typer.Option("--previous", "-p", help="Of the container that ran before.")] = False,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Print the logs of an archive's pods."""
    query = {"follow": "true" if follow else "", "previous": "true" if previous else ""}
    if tail is not None:
        query["tailLines"] = str(tail)

    async def ask(client: Client) -> None:
        await print_logs(client, name, namespace or client.namespace, component, query)

    _run(ask, context, kubeconfig)


@app.command()
def val(
    name: Name,
    tables: Annotated[list[str] | None, typer.Argument(metavar="[TABLE]...", help="Default: every table.")] = None,
    namespace: Namespace = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON array instead of lines.")] = False,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Say what the tables' metadata have missing or wrong, and run their examples.

    Exit code: 0 no error, 1 errors, 2 not found, 3 the cluster cannot be asked.
    """

    async def ask(client: Client) -> int:
        return await judge(client, name, namespace or client.namespace, tables or (), as_json=as_json)

    raise typer.Exit(_run(ask, context, kubeconfig))


@app.command(name="open")
def open_site(
    name: Name,
    namespace: Namespace = None,
    only_print: Annotated[bool, typer.Option("--print", help="Print the URL and open nothing.")] = False,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Open an archive's site in the browser."""

    async def ask(client: Client) -> View:
        return await find(client, name, namespace or client.namespace)

    view = _run(ask, context, kubeconfig)
    site = view.status.endpoints.site if view.status.endpoints else None
    if site is None:
        raise CommandError(f"archive {name!r} has no address yet: {': '.join(view.summary)}", NOT_READY)
    typer.echo(site)
    if not only_print and not webbrowser.open(site):
        raise CommandError("there is no browser here; the address is above")


@app.command()
def render(
    files: Annotated[list[Path] | None, typer.Argument(help="Files with an Archive; `-` is standard input.")] = None,
    file: Annotated[list[Path] | None, typer.Option("--file", "-f", help="The same, in kubectl's words.")] = None,
    release: Annotated[list[Path] | None, typer.Option("--release", help="File with its ArchiveRelease.")] = None,
    directory: Annotated[
        Path | None, typer.Option("--directory", "-d", help="Write one file a component here.")
    ] = None,
) -> None:
    """Print every manifest that an Archive becomes, without a cluster."""
    sources = [*(files or ()), *(file or ())]
    if not sources:
        raise CommandError("which file?  almagest render -f FILE")
    typer.echo(render_files([*sources, *(release or ())], directory), nl=False)


def main() -> None:
    """Entry point of `almagest` and of `kubectl-archive`, which kubectl runs as `kubectl archive`."""
    program = "kubectl archive" if Path(sys.argv[0]).name.startswith("kubectl-") else "almagest"
    try:
        app(prog_name=program)
    except CommandError as error:
        _fail(program, str(error), error.code)
    except NoClusterError as error:
        _fail(program, str(error), NO_ANSWER)


def _console() -> Console:
    """Of the terminal's width; in a file or a pipe lines are long rather than cut."""
    return Console() if sys.stdout.isatty() else Console(width=240)


def _fail(program: str, message: str, code: int) -> None:
    sys.stderr.write(f"{program}: {' '.join(message.split())}\n")
    sys.exit(code)


def _run(ask: Callable[[Client], Awaitable[T]], context: str | None, kubeconfig: str | None) -> T:
    """Connect, ask, disconnect; an interrupt ends it without a word."""

    async def work() -> T:
        async with connect(context, kubeconfig) as client:
            try:
                return await ask(client)
            except ApiError as error:
                raise explain(error) from error

    try:
        return asyncio.run(work())
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
