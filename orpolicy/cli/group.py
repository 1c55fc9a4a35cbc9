"""The commands as one lazy group, and the one place where errors become exit codes."""

from __future__ import annotations

import importlib
import os
import sys
from io import StringIO
from typing import TYPE_CHECKING

import click

from orpolicy.cli.main import COMMANDS, EXIT_BUG, EXIT_FAILED, EXIT_INCONCLUSIVE, EXIT_USAGE
from orpolicy.codes import Code
from orpolicy.errors import DeliveryError, PolicyError, SourceError, UsageError
from orpolicy.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from click.shell_completion import CompletionItem

COMPLETE = "_ORPOLICY_COMPLETE"
"""The variable by which a shell asks what could come next."""

_HELP_INSTEAD = getattr(click.exceptions, "NoArgsIsHelpError", ())  # of click 8.2


class LazyGroup(click.Group):
    """A group that imports a command when it is called, and lists all without importing any."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """The commands in the order of their use."""
        return list(COMMANDS)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that a command line names.

        Raises:
            UsageError: if there is none of that name.
        """
        if args[0] not in COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            from orpolicy.policy.validation import near_miss

            hint = near_miss(args[0], COMMANDS) or f"commands: {', '.join(COMMANDS)}"
            raise UsageError(f"there is no command {args[0]!r} ({hint})", code=Code.UNKNOWN_NAME)
        return super().resolve_command(ctx, args)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """The command of that name."""
        if name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"orpolicy.cli.{name.replace('-', '_')}").command
        if COMPLETE in os.environ:
            from orpolicy.cli.completion import equip

            equip(command, name)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands and options that a shell may complete, without importing any command."""
        from click.shell_completion import CompletionItem

        items = [
            CompletionItem(name, help=COMMANDS[name]) for name in COMMANDS if name.startswith(incomplete)
        ]
        return [*items, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table above."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExit codes: 0 passed, 1 a policy failed, 2 files or command line wrong,\n"
    "3 nothing failed but something could not be judged, 70 a bug in orpolicy.",
)
@click.version_option(__version__, "-V", "--version", prog_name="orpolicy", message="%(prog)s %(version)s")
def group() -> None:
    """The linter for LLM spend: cost rules as YAML, checked against OpenRouter's analytics."""


def run_group(arguments: Sequence[str]) -> int:  # noqa: PLR0911 - a return for each way out
    """Run one command line; the exit code."""
    try:
        result = group.main(list(arguments), prog_name="orpolicy", standalone_mode=False)
    except click.exceptions.Abort:
        return _complain("interrupted", 130)
    except click.ClickException as error:
        return _complain_of_use(error)
    except PolicyError as error:
        return _complain(str(error), EXIT_USAGE)
    except UsageError as error:
        return _complain(coded(str(error), error.code), EXIT_USAGE)
    except (SourceError, DeliveryError) as error:
        return _complain(coded(str(error), error.code), EXIT_INCONCLUSIVE)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except Exception as error:  # noqa: BLE001 - the edge: whatever else escapes is our bug
        return _complain(_bug(error), EXIT_BUG)
    return result if isinstance(result, int) else 0


def coded(message: str, code: Code) -> str:
    """Every line of a message with the code whose page explains it."""
    return "\n".join(f"{line} [{code}]" for line in message.splitlines())


def _complain_of_use(error: click.ClickException) -> int:
    """Say what click says, with a code after its last line; help that it shows instead has none."""
    if isinstance(error, _HELP_INSTEAD):
        error.show()
    else:
        shown = StringIO()
        error.show(shown)
        click.echo(f"{shown.getvalue().rstrip()} [{Code.COMMAND_LINE}]", err=True)
    return error.exit_code


def _complain(message: str, code: int) -> int:
    click.echo(f"orpolicy: {message}" if "\n" not in message else message, err=True)
    return code


def _bug(error: Exception) -> str:
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    place = f"{os.path.basename(where.tb_frame.f_code.co_filename)}:{where.tb_lineno}" if where else "?"  # noqa: PTH119 - no pathlib for one name
    return f"this is a bug in orpolicy {__version__}, please report it: {type(error).__name__} at {place}"
