"""`almagest-app`: every process of the application, by its first word."""

from __future__ import annotations

import argparse
import atexit
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from almagest.config.environment import ConfigurationError, use_settings

DESCRIPTION = """\
The web application of an Almagest archive. It is configured by ALMAGEST_* variables, files under
/etc/almagest and secrets under /run/secrets/almagest (docs/contracts.md)."""
COMMANDS = (
    "serve", "migrate", "ingest", "val", "worker", "scheduler", "user", "group", "token", "access", "metadata", "quota",
)  # fmt: skip
EPILOGUE = "Any management command of Django works too, e.g. `almagest-app check` or `almagest-app shell`."

QUOTAS = """\
KIND is nobody (anonymous programs, all together), guest (each anonymous visitor), guests (all visitors together), user
or group. A user has the most generous of what users and the user's groups have, unless the user has a quota alone."""


def parser() -> argparse.ArgumentParser:
    """The command line. Each command's `run` takes the parsed arguments and returns the exit code."""
    top = argparse.ArgumentParser(
        prog="almagest-app",
        description=DESCRIPTION,
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    serve = commands.add_parser("serve", help="answer HTTP requests on port 8000", description=_serve.__doc__)
    serve.set_defaults(run=_serve)

    migrate = commands.add_parser(
        "migrate", help="bring both databases to this release's state", description=_migrate.__doc__
    )
    migrate.set_defaults(run=_migrate)

    ingest = commands.add_parser(
        "ingest",
        help="load a catalogue into a table, with metadata and indexes",
        description=_ingest.__doc__,
        epilog="Sources, types and the metadata file are described in docs/app/ingest.md.",
    )
    ingest.add_argument(
        "source", nargs="?", metavar="SOURCE", help="demo:NAME, file:PATH (below the files volume), or a path"
    )
    ingest.add_argument("--dataset", metavar="TABLE", help="load this entry of datasets.json instead of SOURCE")
    ingest.add_argument("--table", metavar="SCHEMA.TABLE", help="where SOURCE goes")
    ingest.add_argument(
        "--format",
        choices=("fits", "votable", "parquet", "hdf5", "csv", "tsv"),
        help="default: by the name of the file",
    )
    ingest.add_argument(
        "--metadata", type=Path, metavar="FILE.yaml", help="descriptions, units, UCDs, keys and indexes of the table"
    )
    ingest.add_argument(
        "--jobs", type=int, choices=range(1, 9), default=min(2, os.cpu_count() or 1), metavar="N",
        help="copies and index builds at a time, 1 to 8 (default: %(default)s)",
    )  # fmt: skip
    ingest.set_defaults(run=_ingest)

    val = commands.add_parser("val", help="say what metadata are missing or wrong", description=_val.__doc__)
    val.add_argument(
        "subjects", nargs="*", metavar="TABLE|FILE.yaml", help="schema.table or a metadata file (default: every table)"
    )
    val.add_argument("--json", action="store_true", help="a JSON array instead of lines")
    val.add_argument("--schema", action="store_true", help="only print the metadata file's JSON Schema, for editors")
    val.set_defaults(run=_val)

    worker = commands.add_parser("worker", help="run the query jobs of one queue", description=_worker.__doc__)
    worker.add_argument("queue", metavar="QUEUE", help="a name of queues.json")
    worker.set_defaults(run=_worker)

    scheduler = commands.add_parser(
        "scheduler", help="do what has to happen every few seconds", description=_scheduler.__doc__
    )
    scheduler.set_defaults(run=_scheduler)

    _add_accounts(commands)
    return top


def _add_accounts(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands that say who there is, and who may read what."""
    user = commands.add_parser("user", help="make and remove users").add_subparsers(metavar="ACTION", required=True)
    add_user = user.add_parser("add", help="make a user, or change its password and groups", description=_user.__doc__)
    add_user.add_argument("name", metavar="NAME")
    add_user.add_argument("--group", action="append", default=[], metavar="GROUP", help="may be given several times")
    add_user.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    add_user.set_defaults(run=_user)

    remove_user = user.add_parser("remove", help="end a user's account", description=_remove_user.__doc__)
    remove_user.add_argument("name", metavar="NAME")
    remove_user.set_defaults(run=_remove_user)

    group = commands.add_parser("group", help="make groups of users").add_subparsers(metavar="ACTION", required=True)
    add_group = group.add_parser("add", help="make a group", description=_group.__doc__)
    add_group.add_argument("name", metavar="NAME")
    add_group.add_argument(
        "--may", action="append", default=[], choices=("edit-metadata",), help="what its members may do"
    )
    add_group.set_defaults(run=_group)

    token = commands.add_parser("token", help="make and revoke tokens").add_subparsers(metavar="ACTION", required=True)
    for action in ("add", "revoke"):
        of_user = token.add_parser(action, help=f"{action} a token of a user", description=_token.__doc__)
        of_user.add_argument("user", metavar="USER")
        of_user.add_argument("--label", default="command line", help="what the token is called")
        of_user.add_argument("--days", type=int, help="its life; without: until it is revoked")
        of_user.set_defaults(run=_token, action=action)

    access = commands.add_parser("access", help="say who may read something", description=_access.__doc__)
    access.add_argument("name", metavar="NAME", help="SCHEMA, SCHEMA.TABLE, SCHEMA.TABLE.COLUMN or FUNCTION()")
    access.add_argument("level", choices=("public", "internal", "private"))
    access.add_argument("--group", action="append", default=[], metavar="GROUP", help="whom a private level admits")
    access.add_argument("--of", choices=("data", "metadata", "both"), default="both", help="default: both")
    access.set_defaults(run=_access)

    _add_metadata(commands)

    quota = commands.add_parser(
        "quota", help="show or set what people may store and run", description=_quota.__doc__, epilog=QUOTAS
    )
    quota.add_argument("kind", nargs="?", choices=("nobody", "guest", "guests", "user", "group"), metavar="KIND")
    quota.add_argument("name", nargs="?", default="", metavar="NAME", help="of one user or of a group")
    quota.add_argument("--bytes", metavar="SIZE", help="that all stored results take together, e.g. 20GiB")
    quota.add_argument("--rows", type=_whole, help="of all stored results together")
    quota.add_argument("--active", type=_whole, help="jobs waiting or running at once")
    quota.add_argument("--pending", type=_whole, help="jobs created and not started at once")
    quota.add_argument("--executing", type=_whole, help="jobs of one queue running at once")
    quota.set_defaults(run=_quota)


def _add_metadata(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    metadata = commands.add_parser(
        "metadata", help="show and change what is said of schemas, tables and columns"
    ).add_subparsers(metavar="ACTION", required=True)
    for action, told in (
        ("show", "print every field and where it comes from"),
        ("set", "let a field say something else than the description file, also after the next ingest"),
        ("restore", "let fields follow the description file again"),
        ("history", "print who changed what, the latest first"),
    ):
        verb = metadata.add_parser(action, help=told, description=f"{told[0].upper()}{told[1:]}.")
        verb.add_argument("name", metavar="NAME", help="SCHEMA, SCHEMA.TABLE or SCHEMA.TABLE.COLUMN")
        if action == "set":
            verb.add_argument("field", metavar="FIELD", help="as `show` lists it")
            verb.add_argument("value", metavar="VALUE", help="a text; JSON for creators, examples, numbers and truths")
        if action == "restore":
            verb.add_argument("field", nargs="+", metavar="FIELD")
        verb.set_defaults(run=_metadata, action=action)


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 18:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 on")
    return int(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed (one line on standard error says why), 2 misused."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    top = parser()
    use_settings()
    try:
        if words and not words[0].startswith("-") and words[0] not in COMMANDS:
            return _management_command(words)
        options = top.parse_args(words)
        return int(options.run(options))
    except ConfigurationError as error:
        print(f"almagest-app: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _close_connections() -> None:
    """End the connection pools' threads, which would hold up the end of the interpreter for seconds."""
    from django.db import connections  # noqa: PLC0415 - each process loads only what it runs

    for connection in connections.all(initialized_only=True):
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined] # the PostgreSQL backend's own


def _serve(_: argparse.Namespace) -> int:
    """Answer HTTP requests on port 8000 until told to stop; requests in flight are finished first."""
    _set_up_django()
    from almagest.processes.serve import serve  # noqa: PLC0415 - each process loads only what it runs

    return serve()


def _migrate(_: argparse.Namespace) -> int:
    """Bring the application's database and the data database (roles, schemas, grants) to the state that this release
    needs. Safe to repeat and to run twice at once."""
    _set_up_django()
    from almagest.processes.migrate import migrate  # noqa: PLC0415 - as above

    return migrate()


def _ingest(options: argparse.Namespace) -> int:
    """Load a catalogue into a table with its metadata and indexes. The table changes at once or not at all; a source
    that is loaded already changes nothing."""
    _set_up_django()
    from almagest.ingest.command import ingest  # noqa: PLC0415 - as above

    return ingest(options.dataset, options.source, options.table, options.format, options.metadata, options.jobs)


def _val(options: argparse.Namespace) -> int:
    """Say what the metadata of tables, or of metadata files, have missing or wrong, and run the tables' examples. Exit
    code 1: there is an error; 2: something cannot be judged at all."""
    from almagest.ingest.val import needs_database, print_schema, val  # noqa: PLC0415 - as above

    if options.schema:
        return print_schema()
    if needs_database(options.subjects):
        _set_up_django()
    return val(options.subjects, as_json=options.json)


def _worker(options: argparse.Namespace) -> int:
    """Run the query jobs of one queue until told to stop; the running job is finished or handed back first."""
    _set_up_django()
    from almagest.processes.worker import worker  # noqa: PLC0415 - as above

    return worker(options.queue)


def _scheduler(_: argparse.Namespace) -> int:
    """Recover lost jobs, expire old ones and order their results' removal, until told to stop. One per archive."""
    _set_up_django()
    from almagest.processes.scheduler import run  # noqa: PLC0415 - as above

    return run()


def _user(options: argparse.Namespace) -> int:
    """Make a user and print the password, unless it was given on standard input."""
    _set_up_django()
    from almagest.accounts.command import add_user  # noqa: PLC0415 - as above

    return add_user(options.name, options.group, password_from_input=options.password_stdin)


def _remove_user(options: argparse.Namespace) -> int:
    """Forget a user with everything that belongs to it: tokens, jobs, results and tables. There is no way back."""
    _set_up_django()
    from almagest.query.command import remove_user  # noqa: PLC0415 - as above

    return remove_user(options.name)


def _group(options: argparse.Namespace) -> int:
    """Make a group, which private tables can be opened to and rights given to."""
    _set_up_django()
    from almagest.accounts.command import add_group  # noqa: PLC0415 - as above

    return add_group(options.name, options.may)


def _token(options: argparse.Namespace) -> int:
    """Make a token, with which programs ask as this user, or take those of a label out of force."""
    _set_up_django()
    from almagest.accounts import command  # noqa: PLC0415 - as above

    if options.action == "add":
        return command.add_token(options.user, options.label, options.days)
    return command.revoke_tokens(options.user, options.label)


def _access(options: argparse.Namespace) -> int:
    """Say who may read a schema, a table, a column or a function (its data), and who may know of it (its metadata).
    What something is part of may admit fewer."""
    _set_up_django()
    from almagest.metadata.command import access  # noqa: PLC0415 - as above

    return access(options.name, options.level, options.group, options.of)


def _metadata(options: argparse.Namespace) -> int:
    """Show and change what is said of schemas, tables and columns."""
    _set_up_django()
    from almagest.metadata import command  # noqa: PLC0415 - as above

    match options.action:
        case "set":
            return command.set_field(options.name, options.field, options.value)
        case "restore":
            return command.restore(options.name, options.field)
        case "history":
            return command.history(options.name)
    return command.show(options.name)


def _quota(options: argparse.Namespace) -> int:
    """Show the quotas, or set one; with a KIND and no number the default holds again."""
    _set_up_django()
    from almagest.query import command  # noqa: PLC0415 - as above

    if options.kind is None:
        return command.show()
    wanted = {name: getattr(options, name) for name in ("active", "pending", "executing")}
    nbytes = None if options.bytes is None else command.parse_size(options.bytes)
    return command.change(options.kind, options.name, {"nbytes": nbytes, "nrows": options.rows, **wanted})


def _set_up_django() -> None:
    """Before any module is imported that holds models."""
    import django  # noqa: PLC0415 - as above

    django.setup()
    atexit.register(_close_connections)


def _management_command(words: list[str]) -> int:
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - as above

    execute_from_command_line(["almagest-app", *words])
    return 0


if __name__ == "__main__":
    sys.exit(main())
