"""The one thread that owns the model, and the queue in front of it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from skpneumo._utils.caching import RESULTS


class BusyError(RuntimeError):
    """The queue in front of the model is full."""


class ModelSession:
    """A model that one thread uses; others wait in a queue with a bound.

    Parameters
    ----------
    model : classifier
        Fitted.
    max_waiting : int
        Number of calls that may wait or run.

    Attributes
    ----------
    n_waiting : int
        Number of calls that wait or run.
    """

    def __init__(self, model, max_waiting):
        self.model = model
        self.max_waiting = max_waiting
        self.n_waiting = 0
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="model")

    async def run(self, function, *args):
        """Call ``function(model, *args)`` in the thread of the model.

        Raises
        ------
        BusyError
            If the queue is full; nothing is computed then.
        """
        if self.n_waiting >= self.max_waiting:
            raise BusyError(
                f"{self.n_waiting} requests are waiting for the model already. Try again in a few "
                "seconds."
            )
        return await self._submit(function, *args)

    async def run_when_free(self, function, *args):
        """Call ``function(model, *args)`` as `run` does, after waiting for room in the queue."""
        # A place in the queue is left to people who wait in front of the page.
        while self.n_waiting >= max(1, self.max_waiting - 1):
            await asyncio.sleep(0.05)
        return await self._submit(function, *args)

    async def _submit(self, function, *args):
        self.n_waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._executor, self._call, function, *args)
        finally:
            self.n_waiting -= 1

    def _call(self, function, *args):
        try:
            return function(self.model, *args)
        finally:
            # Predictions of files that are never seen again would fill the memory.
            RESULTS.clear()

    def close(self):
        """Drop the calls that wait, and let the one that runs end."""
        self._executor.shutdown(wait=True, cancel_futures=True)
