"""``tacitus annotate backend``: serve a checkpoint to Label Studio."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer


def backend(
    model: Annotated[
        Path | None, typer.Option("--model", "-m", help="Checkpoint folder.", show_default="the shipped checkpoint")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on; it asks for no password.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 9090,
    queue: Annotated[
        Path | None, typer.Option(help="Note start-training requests in this file instead of refusing them.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
) -> None:
    """Serve a checkpoint as a machine-learning backend that pre-annotates opened tasks; Ctrl-C ends it."""
    from tacitus.annotation.backend import Backend, serve
    from tacitus.extractor import Extractor

    served = Backend(Extractor.load(model, device), queue)
    server = serve(served, host, port)
    typer.echo(f"{served.version} at http://{host}:{server.server_address[1]}", err=True)
    with suppress(KeyboardInterrupt), server:
        server.serve_forever()
