"""A client of yaml-language-server over its protocol: JSON-RPC on standard input and output."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

SERVER = "yaml-language-server/bin/yaml-language-server"


def server_file() -> Path | None:
    """The program that .ci/run unpacks, or None where it or node is missing."""
    folder = Path(os.environ.get("ORPOLICY_TOOLS") or Path(__file__).parents[2] / ".tools")
    found = folder / "node_modules" / SERVER
    return found if found.is_file() and shutil.which("node") else None


class LanguageServer:
    """One running server, in one folder; it is told nothing but to validate, complete and explain."""

    def __init__(self, program: Path, folder: Path) -> None:
        self.folder = folder
        self._number = 0
        self.diagnostics: dict[str, list[dict[str, Any]]] = {}
        self._process = subprocess.Popen(
            ["node", program, "--stdio"],  # noqa: S607 - the node that the machine has
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.ask("initialize", {"processId": os.getpid(), "rootUri": folder.as_uri(), "capabilities": {}})
        self._tell("initialized", {})
        wanted = {"validate": True, "completion": True, "hover": True, "schemaStore": {"enable": False}}
        self._tell("workspace/didChangeConfiguration", {"settings": {"yaml": wanted}})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ask("shutdown", None)
        self._tell("exit", None)
        self._process.communicate(timeout=10)

    def open(self, name: str, text: str) -> str:
        """Open a file of the folder with this text, and wait until it has been checked; its address."""
        uri = (self.folder / name).as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._tell("textDocument/didOpen", {"textDocument": document})
        while uri not in self.diagnostics:
            self._take()
        return uri

    def ask(self, method: str, params: object) -> Any:
        """The result of a request."""
        self._number += 1
        self._send({"id": self._number, "method": method, "params": params})
        number = self._number
        while True:
            message = self._take()
            if message.get("id") == number and "method" not in message:
                assert "error" not in message, message
                return message["result"]

    def at(self, method: str, uri: str, line: int, character: int) -> Any:
        """The result of a request about a place, both counted from 0."""
        place = {"line": line, "character": character}
        return self.ask(f"textDocument/{method}", {"textDocument": {"uri": uri}, "position": place})

    def _tell(self, method: str, params: object) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._process.stdin.flush()

    def _take(self) -> dict[str, Any]:
        """The next message; what the server asks is answered, what it finds is kept."""
        assert self._process.stdout
        length = 0
        while header := self._process.stdout.readline().strip():
            length = int(header.partition(b":")[2]) if header.startswith(b"Content-Length") else length
        assert length, "the language server has ended"
        message: dict[str, Any] = json.loads(self._process.stdout.read(length))
        if "id" in message and "method" in message:
            items = message["params"].get("items", []) if message["params"] else []
            self._send({"id": message["id"], "result": [None for _ in items]})
        elif message.get("method") == "textDocument/publishDiagnostics":
            self.diagnostics[message["params"]["uri"]] = message["params"]["diagnostics"]
        return message
