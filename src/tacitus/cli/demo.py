"""``tacitus demo``: a local page to paste a report into."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer


def demo(
    model: Annotated[
        Path | None, typer.Option("--model", "-m", help="Checkpoint folder.", show_default="the shipped checkpoint")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8421,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    runtime: Annotated[
        str, typer.Option(help="auto (what is quickest here), openvino-int8, openvino, onnx or pytorch.")
    ] = "auto",
    open_browser: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Paste a report into a page of this machine and see it coded at once; Ctrl-C ends it."""
    from tacitus.demo import HOST, Demo, serve
    from tacitus.extractor import Extractor

    server = serve(Demo(Extractor.load(model, device, runtime=runtime)), port)
    address = f"http://{HOST}:{server.server_address[1]}"
    typer.echo(f"open {address} (only this machine can)", err=True)
    if open_browser:
        typer.launch(address)
    with suppress(KeyboardInterrupt), server:
        server.serve_forever()
