"""A small real language model on loopback, for a laptop without a model endpoint.

``python -m devkit.local_model`` serves SmolLM2-135M-Instruct by the OpenAI chat completions API.
Its answers are of demo quality: see docs/local-model.md.
"""
