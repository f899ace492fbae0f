"""Models: contract, loading, running. Nothing outside this package imports ONNX Runtime.

Its Linux builds report sessions to their maker, names and hashes of models among them, and keep files for it
in the home directory, from the import on. This variable is what switches it off, and only before the import.
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
