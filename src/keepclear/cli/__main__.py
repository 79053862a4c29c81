"""Where the program starts and where every failure ends: in one line, never in a traceback."""

from __future__ import annotations

import gc
import os
import sys

__all__ = ["INTERNAL", "INTERRUPTED", "PIPE_CLOSED", "main"]

# Beside the answers' 0, 1 and 3 and the 2 of bad input. Python's own status for a crash is 1, which here would read
# as "conflict", and so must never get out.
INTERNAL = 70  # EX_SOFTWARE of sysexits.h
INTERRUPTED = 130  # 128 + SIGINT, as shells have it
PIPE_CLOSED = 141  # 128 + SIGPIPE


def main() -> None:
    """Run the command line that the program was started with, and leave with its exit status."""
    arguments = sys.argv[1:]
    if arguments == ["--version"]:  # before anything heavy is imported
        from keepclear import __version__

        sys.stdout.write(f"keepclear {__version__}\n")
        sys.exit(0)
    status = _guarded(arguments)
    gc.freeze()  # to look through all that was loaded for what can be let go would take as long as a small check
    sys.exit(status)


def _guarded(arguments: list[str]) -> int:
    debug = "--debug" in arguments[:1]
    try:
        status = _run(arguments, debug=debug)
        if sys.stdout is not None:
            sys.stdout.flush()
    except KeyboardInterrupt:
        _say("keepclear: stopped before there was an answer")
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has gone
        _drop_output()
        return PIPE_CLOSED
    except OSError as error:
        _drop_output()
        _say(f"keepclear: there is no answer, or not all of it could be written: {error.strerror or error}")
        return INTERNAL
    except Exception as error:
        if debug:
            raise
        _say(_apology(error))
        return INTERNAL
    return status


def _run(arguments: list[str], *, debug: bool) -> int:
    gc.disable()  # nothing of what is loaded is let go again
    from keepclear.cli.app import run

    gc.freeze()
    gc.enable()
    if not debug and not sys.warnoptions:
        import warnings

        warnings.simplefilter("ignore")  # the libraries' advice to programmers
    return run(arguments)


def _apology(error: Exception) -> str:
    cause = " ".join(f"{type(error).__name__}: {error}".split())
    if isinstance(error, MemoryError):
        return "keepclear: not enough memory; give it fewer files, or --from, --to and --area"
    return (
        f"keepclear: there is no answer, through a fault of keepclear's own ({cause}); please report it with the "
        "output of the same command after `keepclear --debug`"
    )


def _drop_output() -> None:
    """Let Python not try again, when it exits, to write what could not be written."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(line: str) -> None:
    try:
        sys.stderr.write(line + "\n")
    except OSError:
        return  # nobody is there to be told; the exit status still says it


if __name__ == "__main__":
    main()
