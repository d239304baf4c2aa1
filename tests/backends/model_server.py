"""A small OpenAI-compatible server over a checkpoint, on the loopback, with faults planted by the test.

Log-probabilities come from Transformers' own forward pass, one sequence at a time, so that they are an opinion from
outside the engine.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from harness.core.exchange import Generate, Generated, GenerationSettings
from harness.engine import Checkpoint, LocalBackend

Body = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one call: a status with headers and content, a wait, or a cut connection."""

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""
    sleep: float = 0.0
    trickle: float = 0.0
    cut: bool = False


@dataclass
class Served:
    """A running server, and everything that was asked of it."""

    url: str
    calls: list[tuple[str, Body]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0


Planted = Callable[[int, str, Body], Fault | None]
Answering = Callable[[str, Body], Body]


class OneCheckpoint:
    """Answers completions and chats by one checkpoint."""

    def __init__(self, checkpoint: Checkpoint, *, echoes: bool = True, counts: bool = True) -> None:
        self._checkpoint = checkpoint
        self._backend = LocalBackend(checkpoint, too_long="truncate-left")
        self._echoes = echoes
        self._counts = counts
        self._lock = threading.Lock()

    def __call__(self, path: str, body: Body) -> Body:
        with self._lock:
            if path == "/v1/models":
                return {
                    "data": [{"id": "tiny", "root": "/m/tiny", "max_model_len": self._checkpoint.max_tokens}]
                }
            if path == "/v1/completions":
                return self._completed(body)
            assert path == "/v1/chat/completions"
            template = self._checkpoint.tokenizer.apply_chat_template
            text = template(body["messages"], tokenize=False, add_generation_prompt=True)
            return self._written(text, body, is_chat=True)

    def _completed(self, body: Body) -> Body:
        prompt = body["prompt"]
        if prompt and isinstance(prompt[0], list):
            (prompt,) = prompt
        tokenizer = self._checkpoint.tokenizer
        ids = tokenizer(prompt)["input_ids"] if isinstance(prompt, str) else prompt
        if body.get("echo") and body.get("logprobs") is not None and self._echoes:
            return self._echoed(ids)
        if body.get("echo") or body["max_tokens"] <= 1:
            return self._usage(
                {"choices": [{"index": 0, "text": "", "finish_reason": "length"}]}, len(ids), 1
            )
        text = (
            prompt if isinstance(prompt, str) else tokenizer.decode(prompt)
        )  # begins with BOS, as it was encoded
        return self._written(text, body, is_chat=False)

    def _echoed(self, ids: list[int]) -> Body:
        import torch

        with torch.inference_mode():
            logits = self._checkpoint.model(torch.tensor([ids])).logits[0].float()
        likely = logits.log_softmax(-1)
        own = [None, *(likely[place, token].item() for place, token in enumerate(ids[1:]))]
        tops = [None, *({str(row.argmax().item()): row.max().item()} for row in likely[:-1])]
        # One new token follows, as with real servers.
        best = likely[-1].max().item()
        logprobs = {
            "token_logprobs": [*own, best],
            "top_logprobs": [*tops, {"x": best}],
            "tokens": [""] * (len(ids) + 1),
        }
        choice = {"index": 0, "text": "", "finish_reason": "length", "logprobs": logprobs}
        return self._usage({"choices": [choice]}, len(ids), 1)

    def _written(self, text: str, body: Body, *, is_chat: bool) -> Body:
        stops = body.get("stop") or []
        settings = GenerationSettings(
            max_tokens=body["max_tokens"],
            stop=tuple([stops] if isinstance(stops, str) else stops),
            temperature=body.get("temperature", 0),
            top_p=body.get("top_p", 1.0),
            seed=body.get("seed", 0),
        )
        [(_, answer)] = self._backend.answer([Generate("one", text, settings)])
        assert isinstance(answer, Generated)
        (made,) = answer.generations
        choice: Body = {"index": 0, "finish_reason": "length" if made.finish_reason == "length" else "stop"}
        choice |= {"message": {"role": "assistant", "content": made.text}} if is_chat else {"text": made.text}
        return self._usage({"choices": [choice]}, answer.prompt_tokens, made.tokens)

    def _usage(self, reply: Body, read: int, wrote: int) -> Body:
        counts = {"prompt_tokens": read, "completion_tokens": wrote, "total_tokens": read + wrote}
        return reply | {"usage": counts} if self._counts else reply


def canned(path: str, body: Body) -> Body:
    """Answers every prompt by itself, without a model."""
    if path == "/v1/models":
        return {"data": [{"id": "tiny"}]}
    usage = {"prompt_tokens": 3, "completion_tokens": 2}
    if path == "/v1/chat/completions":
        message = {"role": "assistant", "content": f"to {body['messages'][-1]['content']}"}
        return {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage}
    return {
        "choices": [{"index": 0, "text": f"to {body['prompt']}", "finish_reason": "stop"}],
        "usage": usage,
    }


@contextmanager
def serving(
    answering: Answering = canned, *, faults: Planted = lambda number, path, body: None
) -> Iterator[Served]:
    """The server on a free port of the loopback; `faults` is asked for each call but those for `/models`."""
    lock = threading.Lock()
    closing = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments: object) -> None:
            pass

        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answer(self, body: Body) -> None:
            with lock:
                number = sum(path != "/v1/models" for path, _ in served.calls)
                served.calls.append((self.path, body))
                served.headers.append(dict(self.headers))
                served.times.append(time.monotonic())
                served.under_way += 1
                served.most_under_way = max(served.most_under_way, served.under_way)
            try:
                fault = None if self.path == "/v1/models" else faults(number, self.path, body)
                if fault is None:
                    self._send(200, {}, json.dumps(answering(self.path, body)).encode(), 0.0)
                    return
                closing.wait(fault.sleep)
                if fault.cut:
                    self.close_connection = True
                    self.connection.close()
                    return
                content = fault.content
                if fault.status is None and not content:
                    content = json.dumps(answering(self.path, body)).encode()
                self._send(fault.status or 200, fault.headers, content, fault.trickle)
            finally:
                with lock:
                    served.under_way -= 1

        def _send(self, status: int, headers: dict[str, str], content: bytes, trickle: float) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            try:
                for place in range(0, len(content), 1 if trickle else max(1, len(content))):
                    self.wfile.write(content[place : place + (1 if trickle else len(content))])
                    closing.wait(trickle)
            except OSError:
                self.close_connection = True  # the client left

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *arguments: None  # type: ignore[method-assign] - cut connections are planted
    served = Served(f"http://127.0.0.1:{server.server_address[1]}/v1")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
