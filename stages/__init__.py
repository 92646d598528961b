"""The pipeline: one script for each stage of dvc.yaml, run as `python -m stages.<stage>`."""
