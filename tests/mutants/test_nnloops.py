"""The mended errors of nn's losses, metrics, loops, settings, data and nested modules, put back."""

import tempfile
from pathlib import Path

import numpy as np
import pytest

import nn
from autograd import arguments
from autograd.drawing import tables
from nn import aggregation, evaluation, metrics, validation
from nn.data import Standardizer
from nn.datasets import idx, sources
from nn.layers.containers import Sequential
from nn.losses import base, classification, elementwise
from nn.module import Module
from nn.optim.cycles import OneCycleLR
from nn.summary import Summary
from tests.autograd.drawing import test_explaining
from tests.mutation import Mutant, check
from tests.nn import (
    test_evaluation,
    test_first_hour,
    test_losses,
    test_metrics,
    test_module,
    test_summary,
    test_validation,
)
from tests.nn.datasets import test_images
from tests.nn.optim import test_schedules

NAN = float("nan")


def refuses(call, match):
    return lambda: test_first_hour.test_the_cure_is_named(call, (TypeError, ValueError), match)


def in_folder(test, *args):
    def run():
        with tempfile.TemporaryDirectory() as folder:
            test(Path(folder), *args)

    return run


def a_full_disk_is_no_matter():
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(sources, "keep", test_images.no_room)
        assert isinstance(sources.try_to_keep({}, Path(folder)), OSError)


def a_package_is_bounded():
    with pytest.MonkeyPatch.context() as monkeypatch:
        test_images.test_no_more_of_a_package_is_unpacked_than_expected(monkeypatch)


MUTANTS = [
    Mutant(
        "a nan may be right",
        metrics.accuracy,
        "known & (predicted == labels)",
        "predicted == labels",
        test_metrics.test_a_nan_is_never_right,
    ),
    Mutant(
        "single logits are compared with labels",
        metrics._classes,
        'if predicted.dtype.kind == "f" and not _are_classes(predicted[known], labels):',
        "if False:",
        lambda: test_metrics.test_one_number_a_row_needs_a_threshold(nn.accuracy, (4,)),
    ),
    Mutant(
        "labels out of range are wrong predictions",
        metrics._among,
        "if wrong.size:",
        "if False:",
        lambda: test_metrics.test_labels_that_are_no_class_are_refused(-1),
    ),
    Mutant(
        "unsigned scores overflow",
        metrics.top_k,
        'scores.shape[1] - 1 - np.argsort(scores[:, ::-1], axis=1, kind="stable")[:, ::-1]',
        'np.argsort(-scores, axis=1, kind="stable")',
        lambda: test_metrics.test_small_and_unsigned_integers_do_not_overflow(np.uint8),
    ),
    Mutant(
        "r2 of a nan is 0",
        metrics.r2,
        "np.where(np.isnan(rest), rest, rest == 0)",
        "rest == 0",
        test_metrics.test_a_nan_is_never_right,
    ),
    Mutant(
        "predict changes the model",
        evaluation.predict,
        "with evaluating(), no_grad():",
        "model.eval()\n    with no_grad():",
        test_evaluation.test_predicting_writes_nothing_to_the_model,
    ),
    Mutant(
        "losses are weighed by rows",
        aggregation.batch_weight,
        "isinstance(loss, Loss)",
        "False",
        lambda: test_evaluation.test_the_loss_over_batches_is_that_over_all_the_data("weighted"),
    ),
    Mutant(
        "sums are averaged",
        aggregation.epoch_loss,
        'isinstance(loss, Loss) and loss.reduction == "sum"',
        "False",
        lambda: test_evaluation.test_the_loss_over_batches_is_that_over_all_the_data("sum"),
    ),
    Mutant(
        "a batch without labels makes weights nan",
        base.mean,
        "0.0 * whole + math.nan",
        "whole / math.nan",
        test_evaluation.test_a_batch_in_which_no_label_counts_moves_nothing,
    ),
    Mutant(
        "logits of a row that does not count make the loss nan",
        classification.CrossEntropyLoss.forward,
        "mask_unused(np.any(value_of(q), axis, keepdims=True), input)",
        "input",
        lambda: test_losses.test_rows_that_do_not_count_are_zero_whatever_their_logits(nn.CrossEntropyLoss, np.inf),
    ),
    Mutant(
        "complex numbers are data",
        validation.real_array,
        'if data.dtype.kind not in "fiub":',
        "if False:",
        lambda: test_first_hour.test_no_loss_takes_complex_numbers(nn.MSELoss),
    ),
    Mutant(
        "integers as input wrap around",
        validation.floating,
        'array if array.dtype.kind == "f" else array.astype(np.float64)',
        "array",
        lambda: test_first_hour.test_small_integers_as_input_do_not_wrap_around(nn.HuberLoss),
    ),
    Mutant(
        "labels -1 and 1 in a binary loss",
        elementwise._check_probabilities,
        "(value_of(y) >= 0.0) & (value_of(y) <= 1.0)",
        "True",
        refuses(lambda: nn.BCEWithLogitsLoss()(np.ones(1), [-1]), "labels 0 and 1"),
    ),
    Mutant(
        "one logit in a cross-entropy",
        classification.CrossEntropyLoss.forward,
        "if x.ndim and x.shape[axis] == 1:",
        "if False:",
        refuses(lambda: nn.CrossEntropyLoss()(np.ones((2, 1)), [0, 0]), "always 0"),
    ),
    Mutant(
        "nan is a setting",
        arguments.number,
        "nan if x != x else",
        "True if x != x else",
        lambda: test_validation.test_what_is_out_of_bounds_is_a_value_error(NAN),
    ),
    Mutant(
        "columns are broadcast",
        Standardizer._columns,
        "if columns and",
        "if False and",
        refuses(lambda: nn.standardize(np.eye(3), np.ones((3, 1))), "rows of shape"),
    ),
    Mutant(
        "a phase of no length",
        OneCycleLR._way,
        " if end[0] != start[0] else 1.0",
        "",
        lambda: test_schedules.test_phases_of_no_length_are_no_division_by_zero(10, 0.1, False),
    ),
    Mutant(
        "a file unpacks to whatever there is",
        idx._read,
        "_take(file, math.prod(shape) + 1)",
        "file.read()",
        in_folder(
            test_images.test_no_more_is_unpacked_than_the_header_promises,
            test_images.header(5) + bytes(20_000_000),
            "but has more",
            True,
        ),
    ),
    Mutant(
        "a package unpacks to whatever there is",
        sources.from_package,
        "unpack.decompress(packed, MAX_PACKAGE)",
        "unpack.decompress(packed)",
        a_package_is_bounded,
    ),
    Mutant(
        "a cache must be written",
        sources.try_to_keep,
        "except OSError as error:",
        "except KeyError as error:",
        a_full_disk_is_no_matter,
    ),
    Mutant(
        "explain has no limit",
        tables.ends_of,
        "if len(items) <= room:",
        "if True:",
        lambda: test_explaining.test_no_more_lines_than_asked_for_and_the_others_are_counted(20),
    ),
    Mutant(
        "a summary has no limit",
        Summary.__str__,
        "if len(self.rows) > room else 0",
        "if False else 0",
        test_summary.test_a_long_summary_says_how_many_modules_it_leaves_out,
    ),
    Mutant(
        "a call for each Sequential",
        Sequential.forward,
        "self._through(layer, x) if type(layer) is Sequential and modes.observer() is None else layer(x)",
        "layer(x)",
        test_module.test_a_thousand_nested_sequentials_compute,
    ),
    Mutant(
        "a RecursionError from inside",
        Module.__call__,
        "except RecursionError:",
        "except ZeroDivisionError:",
        lambda: test_module.test_what_is_too_deep_to_be_called_says_so(test_module.Around),
    ),
]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_an_error_that_is_put_back_is_noticed(mutant):
    check(mutant)
