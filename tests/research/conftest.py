"""The experiments run on the toys that the evaluation's tests have."""

from toy_bench import toy_bench, toy_people, toy_video  # noqa: F401 - fixtures
