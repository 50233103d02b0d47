"""Every setting of every optimizer that PyTorch has too, once at least: `CASES` of a name and its settings."""

SETTINGS = {
    "SGD": [
        {"lr": 0.1},
        {"lr": 0.1, "momentum": 0.9},
        {"lr": 0.1, "momentum": 0.9, "dampening": 0.3},
        {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1},
        {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1, "nesterov": True},
        {"lr": 0.1, "weight_decay": 0.1},
    ],
    "Adam": [
        {},
        {"lr": 0.1, "betas": (0.8, 0.9), "eps": 1e-3},
        {"lr": 0.1, "weight_decay": 0.1},
        {"lr": 0.1, "betas": (0.8, 0.6), "eps": 1e-3, "amsgrad": True},
    ],
    "AdamW": [{}, {"lr": 0.1, "weight_decay": 0.3}, {"lr": 0.1, "betas": (0.8, 0.6), "eps": 1e-3, "amsgrad": True}],
    "Adagrad": [
        {},
        {"lr": 0.1, "lr_decay": 0.2, "weight_decay": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-3},
    ],
    "RMSprop": [
        {},
        {"lr": 0.02, "alpha": 0.8, "eps": 1e-3, "weight_decay": 0.1},
        {"lr": 0.02, "momentum": 0.9},
        {"lr": 0.02, "centered": True},
        {"lr": 0.02, "momentum": 0.5, "centered": True, "weight_decay": 0.1, "alpha": 0.9},
    ],
}
CASES = [(name, settings) for name, several in SETTINGS.items() for settings in several]
