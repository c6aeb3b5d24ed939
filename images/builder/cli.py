"""The command line: build, list, load, push."""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ThreadPoolExecutor

from builder import release
from builder.build import alone, build, clean, missing, refresh, say
from builder.buildah import push
from builder.construct import Built, restore
from builder.containerd import Containerd
from builder.errors import BuildError
from builder.layout import LOGS, STORE
from builder.recipe import recipes


def cmd_build(arguments: argparse.Namespace) -> None:
    with alone():
        if arguments.refresh:
            refresh()
        built = build(arguments.names, arguments.jobs)
        if not arguments.names:
            every = recipes()
            release.write(release.BUILT, {name: image.reference for name, image in built.items() if every[name].runs})
            clean(built)


def everything() -> list[Built]:
    """The images of the release catalogue, as last built; raises BuildError when there is none or one is gone."""
    records = (Built(**json.loads(path.read_text())) for path in STORE.glob("*-*.json") if ".spdx" not in path.name)
    by_digest = {built.digest: built for built in records if built.archive.exists()}
    named = release.read()
    digests = {name: reference.partition("@")[2] for name, reference in named.items()}
    if missing := [name for name, digest in digests.items() if digest not in by_digest]:
        raise BuildError(f"not in the cache: {', '.join(missing)}; `images/build build` makes them again")
    return [by_digest[digest] for digest in digests.values()]


def cmd_missing(_: argparse.Namespace) -> None:
    """For `make up`, which says beforehand what it will do."""
    say(json.dumps(missing([])))


def cmd_list(arguments: argparse.Namespace) -> None:
    every = recipes()
    if arguments.markdown:
        say("| image | contents | MB |\n|---|---|---:|")
        for image in everything():
            say(f"| `{image.name}` | {every[image.name].title} | {image.size / 1e6:.0f} |")
        return
    for image in everything():
        say(f"{image.name:<12} {image.size / 1e6:6.0f} MB  {image.reference}")


def cmd_load(arguments: argparse.Namespace) -> None:
    containerd = Containerd(arguments.address, arguments.namespace)
    present = containerd.names()
    images = everything()
    with ThreadPoolExecutor(2) as pool:
        changed = list(pool.map(lambda image: containerd.load(image, present), images))
    loaded = [image.name for image, new in zip(images, changed, strict=True) if new]
    say(f"loaded {', '.join(loaded)}" if loaded else "unchanged")


def cmd_push(arguments: argparse.Namespace) -> None:
    references = {}
    for image in everything():
        target = f"{arguments.registry}/{image.name}"
        log = LOGS / f"push-{image.name}.log"
        restore(image, log)
        digest = push(log, image.tag, f"docker://{target}:{image.hash}", STORE / f"{image.name}.pushed")
        references[image.name] = f"{target}@{digest}"
        say(f"pushed {references[image.name]}")
    release.write(release.PUSHED, references)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="images/build", description="Build and distribute Almagest's images.")
    verbs = top.add_subparsers(required=True, metavar="VERB")
    verb = verbs.add_parser("build", help="build what changed and write the release catalogue")
    verb.add_argument("names", nargs="*", metavar="IMAGE", help="only these (the catalogue is then left as it is)")
    verb.add_argument("--refresh", action="store_true", help="with Debian's newest packages, if there are any")
    verb.add_argument("--jobs", type=int, default=2, help="images at a time (default: %(default)s)")
    verb.set_defaults(run=cmd_build)
    verb = verbs.add_parser("missing", help="what `build` would make, with the work of each in core-seconds, as JSON")
    verb.set_defaults(run=cmd_missing)
    verb = verbs.add_parser("list", help="names, sizes and references of the built images")
    verb.add_argument("--markdown", action="store_true", help="as the table of docs/images.md")
    verb.set_defaults(run=cmd_list)
    verb = verbs.add_parser("load", help="import the images into a containerd")
    verb.add_argument("--address", required=True, help="containerd's socket")
    verb.add_argument("--namespace", default="k8s.io", help="containerd's namespace (default: %(default)s)")
    verb.set_defaults(run=cmd_load)
    verb = verbs.add_parser("push", help="push the images to a registry and write the catalogue with its names")
    verb.add_argument("--registry", required=True, help="registry and path, e.g. registry.example.org/almagest")
    verb.set_defaults(run=cmd_push)
    return top


def main() -> int:
    arguments = parser().parse_args()
    try:
        arguments.run(arguments)
    except BuildError as error:
        sys.stderr.write(f"images/build: {error}\n")
        return 1
    return 0
