"""The queue in front of the model."""

import asyncio
import threading

import pytest

from skpneumo.serving._session import BusyError, ModelSession


def test_one_thread_owns_the_model_and_the_queue_is_bounded():
    names, gate = [], threading.Event()

    def compute(model, number):
        gate.wait(10)
        names.append(threading.current_thread().name)
        return model + number

    async def scenario():
        session = ModelSession(100, max_waiting=3)
        calls = [asyncio.create_task(session.run(compute, number)) for number in range(3)]
        await asyncio.sleep(0.05)
        with pytest.raises(BusyError, match="3 requests are waiting"):
            await session.run(compute, 3)
        later = asyncio.create_task(session.run_when_free(compute, 4))
        await asyncio.sleep(0.1)
        assert session.n_waiting == 3
        gate.set()
        assert await asyncio.gather(*calls) == [100, 101, 102]
        assert await later == 104
        assert session.n_waiting == 0
        session.close()

    asyncio.run(scenario())
    assert len(set(names)) == 1


def test_an_error_frees_its_place():
    def fail(model):
        raise ValueError("no")

    async def scenario():
        session = ModelSession(None, max_waiting=1)
        for _ in range(3):
            with pytest.raises(ValueError, match="no"):
                await session.run(fail)
        session.close()

    asyncio.run(scenario())
