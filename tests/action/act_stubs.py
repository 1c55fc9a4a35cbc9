"""Stand-ins for the third-party actions that action.yml uses."""

from __future__ import annotations

from typing import Any


def _stub(inputs: dict[str, str], output: str, script: str) -> dict[str, Any]:
    """An action that runs one script.

    Args:
        inputs: name -> variable in the script.
        output: the name of its one output.
        script: what it runs.
    """
    return {
        "name": "stub",
        "description": "stub",
        "inputs": {name: {"description": name} for name in inputs},
        "outputs": {output: {"description": output, "value": f"${{{{ steps.stub.outputs.{output} }}}}"}},
        "runs": {
            "using": "composite",
            "steps": [
                {
                    "id": "stub",
                    "shell": "bash",
                    "env": {variable: f"${{{{ inputs.{name} }}}}" for name, variable in inputs.items()},
                    "run": script,
                }
            ],
        },
    }


_CACHED = {"path": "FOLDER", "key": "KEY"}

STUBS = {
    "actions/cache/restore": _stub(
        _CACHED,
        "cache-hit",
        'if [ -d "$STUB_CACHE/$KEY" ]; then ln -s "$STUB_CACHE/$KEY" "$FOLDER"; '
        'echo cache-hit=true >>"$GITHUB_OUTPUT"; fi',
    ),
    "actions/cache/save": _stub(
        _CACHED, "none", 'mkdir -p "$STUB_CACHE"; cp -a "$FOLDER" "$STUB_CACHE/$KEY"'
    ),
    "actions/setup-python": _stub(
        {"python-version": "VERSION", "update-environment": "FOR_ALL"},
        "python-path",
        'echo "asked for Python $VERSION, for all steps: $FOR_ALL"; '
        'echo "python-path=$STUB_PYTHON" >>"$GITHUB_OUTPUT"',
    ),
}
"""By repository and path; the cache really keeps what it is given."""
