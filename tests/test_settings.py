"""Settings: defaults, file, variables, flags, in this order of strength."""

from __future__ import annotations

from pathlib import Path

import pytest

from knownface.errors import SettingsError
from knownface.settings import load_settings
from knownface.types import DecisionRule

DEFAULT = DecisionRule(1, 3, 0.82)


def test_flags_win_over_variables_over_the_file(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().threshold is None
    (alone / "knownface.toml").write_text("threshold = 0.7\nk1 = 2\n")
    assert (load_settings().threshold, load_settings().k1) == (0.7, 2)
    monkeypatch.setenv("KNOWNFACE_THRESHOLD", "0.8")
    assert load_settings().threshold == 0.8
    assert load_settings(threshold=0.9).threshold == 0.9
    assert load_settings(threshold=None).threshold == 0.8


def test_the_rule_fills_in_the_embedders_defaults(alone: Path) -> None:
    assert load_settings().rule(DEFAULT) == DEFAULT
    assert load_settings(threshold=1.0, margin=0.1).rule(DEFAULT) == DecisionRule(1, 3, 1.0, 0.1)
    assert load_settings(k1=5).rule(DEFAULT) == DecisionRule(5, 7, 0.82)
    assert load_settings(k1=2).rule(DEFAULT) == DecisionRule(2, 3, 0.82)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"threshold": 3}, "threshold"),
        ({"k1": 0}, "k1"),
        ({"k1": 4, "k2": 4}, "k1 must be smaller than k2"),
        ({"device": "tpu"}, "device"),
        ({"batch_size": 0}, "batch_size"),
    ],
)
def test_nonsense_is_refused_by_name(alone: Path, given: dict[str, object], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        load_settings(**given)


def test_k2_alone_below_the_default_k1_is_refused(alone: Path) -> None:
    with pytest.raises(SettingsError, match="k1 must be smaller"):
        load_settings(k2=2).rule(DecisionRule(3, 5, 0.8))


def test_a_file_with_an_unknown_word_is_refused(alone: Path) -> None:
    (alone / "knownface.toml").write_text("treshold = 0.7\n")
    with pytest.raises(SettingsError, match="treshold"):
        load_settings()


def test_a_file_that_is_no_toml_is_refused(alone: Path) -> None:
    (alone / "knownface.toml").write_text("threshold = = 1\n")
    with pytest.raises(SettingsError, match=r"knownface\.toml is not valid TOML"):
        load_settings()


def test_a_misspelt_variable_is_named_and_a_foreign_one_is_not(
    alone: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("KNOWNFACE_TRESHOLD", "KNOWNFACE_SERVICE_HOST", "KNOWNFACE_PORT_8420_TCP"):
        monkeypatch.setenv(name, "1")
    load_settings()
    assert [record.getMessage() for record in caplog.records] == [
        "KNOWNFACE_TRESHOLD is no setting and is ignored; is KNOWNFACE_THRESHOLD meant?"
    ]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('url = "mqtt://ann:s3cret@broker"', "mqtt.url may not hold a password"),
        ('url = "http://broker"', "must look like mqtt://"),
        ('url = "mqtt://broker"\npassword = "s3cret"', "needs mqtt.user"),
        ('url = "mqtt://broker"\nuser = "ann"\npassword = ["s3cret"]', "mqtt.password is wrong"),
        ('url = "mqtt://broker"\nca = "s3cret.pem"', "mqtts://"),
        ('url = "mqtt://broker"\npictures = true', "needs keep_pictures"),
    ],
)
def test_settings_of_mqtt_that_cannot_be_are_told_without_the_password(alone: Path, table: str, said: str) -> None:
    (alone / "knownface.toml").write_text(f"[mqtt]\n{table}\n")
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert said in str(raised.value)
    assert "s3cret" not in f"{raised.value} {raised.value.hint}"
