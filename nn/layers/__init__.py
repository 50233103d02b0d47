"""The layers: modules that models are built from."""
