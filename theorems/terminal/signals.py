"""Signals that end a command: Ctrl-C, SIGTERM and SIGHUP as ``KeyboardInterrupt``, remembered."""

from __future__ import annotations

import signal
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing takes a while to import, and Ctrl-C may come meanwhile
    from types import FrameType, TracebackType
    from typing import Any

__all__ = ["signals"]


class _Signals:
    """A context manager. Inside, the first such signal raises ``KeyboardInterrupt`` and its number
    is ``seen``.

    A signal that somebody else handles, or that is ignored as under ``nohup``, is left alone. A
    library may swallow the exception on its way; :meth:`check` raises it again.
    """

    def __init__(self) -> None:
        self.seen = 0
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> _Signals:
        self.seen = 0
        if threading.current_thread() is threading.main_thread():
            ours = {
                getattr(signal, name): default
                for name, default in (
                    ("SIGINT", signal.default_int_handler),
                    ("SIGTERM", signal.SIG_DFL),
                    ("SIGHUP", signal.SIG_DFL),
                )
                if hasattr(signal, name)
            }
            self._previous = {
                number: signal.signal(number, self._note)
                for number, default in ours.items()
                if signal.getsignal(number) is default
            }
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.seen = self.seen or number
        raise KeyboardInterrupt

    def check(self) -> None:
        """Raise ``KeyboardInterrupt`` if a signal came and nobody said so."""
        if self.seen:
            raise KeyboardInterrupt


#: Of this process.
signals = _Signals()
