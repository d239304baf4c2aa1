"""A checkpoint opened for evaluation: its identity and tokenizer at once, its weights when first used."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from harness.core.exchange import PromptLike
from harness.engine.identity import CheckpointIdentity, identity_of
from harness.engine.locate import Location, locate
from harness.engine.templates import CLOCK, ChatTemplate, chat_template_of, end_of_turn
from harness.engine.weight_files import read_json
from harness.prompting.render import plain_text

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedConfig, PreTrainedTokenizerBase

    from harness.engine.path_probe import PathChoice


class Checkpoint:
    """Weights, adapter, tokenizer and chat template, ready to answer; close it to free the device.

    Made by `open_checkpoint`. The weights are loaded when `model` is first read, so that a run whose answers
    are all stored costs no loading.

    Args:
        location: Where it lies.
        identity: Its digests.
        tokenizer: Its tokenizer.
        config: Its config.
        template: Its chat template where it is applied, else None.
        end_tokens: Token ids that end a generation.
        dtype: Number format of the weights.
        device: Where the model runs.
        trust: `(allow_pickle, trust_remote_code)`.
    """

    def __init__(
        self,
        *,
        location: Location,
        identity: CheckpointIdentity,
        tokenizer: PreTrainedTokenizerBase,
        config: PreTrainedConfig,
        template: ChatTemplate | None,
        end_tokens: tuple[int, ...],
        dtype: torch.dtype,
        device: torch.device,
        trust: tuple[bool, bool] = (False, False),
    ) -> None:
        from harness.engine.tokens import max_tokens_of, prefix_token

        self.location = location
        self.identity = identity
        self.tokenizer = tokenizer
        self.config = config
        self.template = template
        self.end_tokens = end_tokens
        self.dtype = dtype
        self.device = device
        self.max_tokens = max_tokens_of(config, tokenizer)
        self.prefix_token = prefix_token(tokenizer)
        self._trust = trust
        self._model: Any = None
        self._scoring_path: PathChoice | None = None

    @property
    def model(self) -> Any:
        """The Transformers (or PEFT) model in evaluation mode, loaded now if it was not.

        Raises:
            CheckpointError: If the weights do not fit the config or the device.
        """
        if self._model is None:
            from harness.engine.loading import load_model

            self._model = load_model(
                self.location,
                self.config,
                dtype=self.dtype,
                device=self.device,
                allow_pickle=self._trust[0],
                trust_remote_code=self._trust[1],
                n_parameters=self.identity.n_parameters,
            )
        return self._model

    @property
    def may_run_code(self) -> bool:
        """Whether code that came with the checkpoint may run; that code is in no digest."""
        return self._trust[1]

    @property
    def scoring_path(self) -> PathChoice:
        """The way to score this model, found out by a probe when first asked for."""
        if self._scoring_path is None:
            from harness.engine.path_probe import chosen_path

            self._scoring_path = chosen_path(self.model)
        return self._scoring_path

    def render(self, prompt: PromptLike) -> str:
        """The text the model reads: through the chat template where one is applied, plain otherwise.

        A text passes as it stands, and a conversation without messages is empty.
        """
        if isinstance(prompt, str):
            return prompt
        if self.template is None or not prompt.messages:
            return plain_text(prompt)
        return self.template.render(prompt.messages)

    def joiner(self, prompt: PromptLike) -> str:
        """What stands between the rendered prompt and an answer: nothing after a chat template."""
        return "" if isinstance(prompt, str) or self.template is not None else prompt.joiner

    def count_tokens(self, prompt: PromptLike) -> int:
        """Tokens of the rendered prompt."""
        from harness.engine.tokens import encoded

        return len(encoded(self.tokenizer, [self.render(prompt)])[0])

    def describe(self) -> dict[str, object]:
        """JSON-able record of the checkpoint as it is used here."""
        from harness.engine.devices import device_name

        attention = None if self._model is None else getattr(self._model.config, "_attn_implementation", None)
        return {
            "checkpoint": self.identity.digest,
            "name": self.identity.name,
            "architecture": self.identity.architecture,
            "n_parameters": self.identity.n_parameters,
            "dtype": str(self.dtype).removeprefix("torch."),
            "device": str(self.device),
            "device_name": device_name(self.device),
            "attention": attention,
            "template": self._template_facts(),
            "tokenizer": self._tokenizer_facts(),
            "max_tokens": self.max_tokens,
            "warnings": list(self.warnings),
            "versions": _versions(),
        }

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a user should know of this checkpoint, in sentences."""
        found = []
        if not self.end_tokens:
            found.append(
                "The tokenizer has no end-of-sequence token: generations end at a stop string or the limit."
            )
        if self.prefix_token is None:
            found.append("The tokenizer has neither BOS nor EOS: a text's first token is given, not scored.")
        if self.template is not None and not self.template.takes_system:
            found.append("The chat template takes no system message: it is put before the user's text.")
        return tuple(found)

    def _template_facts(self) -> dict[str, object]:
        if self.template is None:
            return {"kind": "plain", "digest": None}
        system = "taken" if self.template.takes_system else "merged into the user's message"
        return {"kind": "chat", "digest": self.identity.template, "clock": CLOCK, "system": system}

    def _tokenizer_facts(self) -> dict[str, object]:
        return {
            "digest": self.identity.tokenizer,
            "vocabulary": len(self.tokenizer),
            "prefix_token": self.prefix_token,
            "end_tokens": list(self.end_tokens),
            "pad_token": self.tokenizer.pad_token_id,
        }

    def close(self) -> None:
        """Frees the weights; they are loaded again if used again."""
        self._model = None
        self._scoring_path = None
        if self.device.type == "cuda":
            import torch

            torch.cuda.empty_cache()

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_checkpoint(
    name_or_path: str | Path,
    *,
    dtype: str = "auto",
    device: str = "auto",
    chat_template: bool | None = None,
    allow_pickle: bool = False,
    trust_remote_code: bool = False,
    rehash: bool = False,
) -> Checkpoint:
    """Opens a checkpoint: a local folder, a hub id, or a PEFT adapter whose config names its base.

    Files are proven whole and hashed, and the tokenizer is loaded; the weights wait for their first use.

    Args:
        name_or_path: Folder or hub id.
        dtype: auto, float32, bfloat16 or float16.
        device: auto, cpu, cuda, cuda:N or mps.
        chat_template: Whether to apply the chat template; None: where there is one.
        allow_pickle: Use pickled weights where there are no safetensors.
        trust_remote_code: Run code that came with the checkpoint.
        rehash: Read the weights again for their digest, whatever is remembered.

    Raises:
        CheckpointError: Saying what is missing, cut short, pickled or unusable.
        UnknownName: If there is no such dtype or device.
        UsageError: If a chat template is asked for and there is none.
    """
    from harness.core.errors import UsageError
    from harness.engine import devices, loading
    from harness.engine.tokens import end_tokens_of

    place = devices.chosen_device(device)
    number_format = devices.chosen_dtype(dtype, place)
    location = locate(name_or_path, allow_pickle=allow_pickle, trust_remote_code=trust_remote_code)
    config = loading.load_config(location, trust_remote_code=trust_remote_code)
    folder = loading.tokenizer_folder(location)
    tokenizer = loading.load_tokenizer(folder, trust_remote_code=trust_remote_code)
    text = tokenizer.get_chat_template() if tokenizer.chat_template else None
    if chat_template and text is None:
        raise UsageError(
            f"{location.name} has no chat template; leave the choice open, or switch templates off."
        )
    template = None
    if text is not None and chat_template is not False:
        template = chat_template_of(text, tokenizer.special_tokens_map)
    turn_end = None if template is None else end_of_turn(template)
    end_tokens = end_tokens_of(tokenizer, _generation_defaults(location), turn_end=turn_end)
    return Checkpoint(
        location=location,
        identity=identity_of(
            location,
            tokenizer_folder=folder,
            template=text,
            end_tokens=end_tokens_of(tokenizer, _generation_defaults(location)),
            allow_pickle=allow_pickle,
            rehash=rehash,
        ),
        tokenizer=tokenizer,
        config=config,
        template=template,
        end_tokens=end_tokens,
        dtype=number_format,
        device=place,
        trust=(allow_pickle, trust_remote_code),
    )


def _generation_defaults(location: Location) -> dict[str, Any]:
    for name in ("generation_config.json", "config.json"):
        for folder in (location.adapter, location.weights):
            if folder is not None and (folder / name).is_file():
                return read_json(folder / name)
    return {}


def _versions() -> dict[str, str]:
    import torch
    import transformers

    return {"torch": str(torch.__version__), "transformers": str(transformers.__version__)}
