"""Models that ship with lobdeck: each as JSON (weights and facts), ONNX (built from it) and manifest."""
